"""Rows of very different size, edges, outliers, and sums that overflow what is too small."""

import numpy as np


def weights_hold(module, rng):
    size = np.array([1e-3, 1.0, 1e3, 0.0, 7.0], np.float32)[:, None]
    w = (rng.normal(size=(5, 64)).astype(np.float32) * size).astype(np.float32)
    kept = w.copy()
    q, scales = module.quantise(w)
    assert np.array_equal(w, kept), "the caller's weights were changed"
    assert (q.dtype, scales.dtype) == (np.int8, np.float32), f"got {q.dtype} and {scales.dtype}"
    assert (q.shape, scales.shape) == (w.shape, (5,)), f"got shapes {q.shape} and {scales.shape}"
    assert q.min() >= -127, "-128 has no opposite: symmetric int8 stops at -127"
    wanted = np.where(size[:, 0] > 0, np.abs(w).max(axis=1) / 127, 1)
    assert np.allclose(scales, wanted, rtol=1e-5), f"scales {scales}, wanted {wanted}"
    back = module.dequantise(q, scales)
    assert back.dtype == np.float32, f"dequantise gives {back.dtype}"
    off = np.abs(back - w) / wanted[:, None]
    assert off.max() <= 0.5001, f"a weight is off by {off.max():.2f} of its row's scale"
    for bad in (np.nan, np.inf):
        w[1, 1] = bad
        try:
            module.quantise(w)
        except ValueError:
            continue
        raise AssertionError(f"{bad} among the weights was quantised")


def activations_are_cut_where_it_pays(module, rng):
    plain = rng.normal(size=4000).astype(np.float32)
    outliers = plain.copy()
    outliers[:3] = [40, -35, 60]
    flat = rng.uniform(-1, 1, 4000).astype(np.float32)
    few = rng.laplace(size=(40, 50)).astype(np.float32)
    for name, values in {
        "normal": plain,
        "three outliers": outliers,
        "even": flat,
        "long tails": few,
    }.items():

        def error(scale, values=values):
            return np.mean((values - scale * np.clip(np.rint(values / scale), -127, 127)) ** 2)

        top = np.abs(values).max() / 127
        least = min(error(scale) for scale in top * np.geomspace(0.02, 1, 1500))
        got = error(module.activation_scale(values))
        assert got <= 1.01 * least, f"{name}: error {got:.2e}; another scale has {least:.2e}"


def products_are_exact(module, rng):
    x_scale = 0.05
    for n_in in (3, 300, 10_000):
        q = rng.integers(-127, 128, (4, n_in)).astype(np.int8)
        x = (rng.integers(-200, 201, (6, n_in)) * x_scale).astype(np.float32)
        scales = np.array([1e-3, 1.0, 50.0, 0.2], np.float32)
        bias = rng.normal(size=4).astype(np.float32)
        got = module.linear(x, x_scale, q, scales, bias)
        whole = np.clip(np.rint(x / x_scale), -127, 127).astype(np.int64) @ q.astype(np.int64).T
        wanted = whole * x_scale * scales.astype(np.float64) + bias
        assert got.dtype == np.float32, f"linear gives {got.dtype}"
        worst = np.abs(got - wanted).max() / np.abs(wanted).max()
        assert worst < 1e-6, f"{n_in} inputs: the product is off by {worst:.1%} of its largest"


def check(module):
    rng = np.random.default_rng(0)
    weights_hold(module, rng)
    products_are_exact(module, rng)
    activations_are_cut_where_it_pays(module, rng)
