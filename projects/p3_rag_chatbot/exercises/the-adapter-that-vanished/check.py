"""Against sums written out, the least error there is, and adapters large and small."""

import numpy as np


def refused(name, call):
    said = None
    try:
        call()
    except ValueError as error:
        said = str(error)
    assert said is not None, f"{name} was taken"
    assert "(" in said, f"{name}: the message names no shape: {said}"


def merging(module, rng):
    for kind in (np.float64, np.float32, np.float16):
        W = rng.normal(size=(6, 9)).astype(kind)
        A, B = rng.normal(size=(4, 9)).astype(kind), rng.normal(size=(6, 4)).astype(kind)
        before = W.copy()
        got = module.merge(W, A, B, 8)
        assert np.array_equal(W, before), "the W that the caller gave was changed"
        assert got.dtype == kind, f"merged into {np.dtype(kind)} it became {got.dtype}"
        change = sum(np.outer(B[:, i].astype(float), A[i].astype(float)) for i in range(4))
        wanted = (W.astype(float) + 8 / 4 * change).astype(kind)
        assert np.allclose(got, wanted, rtol=2 * np.finfo(kind).eps, atol=1e-12), (
            f"{np.dtype(kind)}: off by up to {np.abs(got - wanted).max():.2g}"
        )
    refused("an adapter of another matrix", lambda: module.merge(W, A[:, :8], B, 8))
    refused("two ranks", lambda: module.merge(W, A, B[:, :3], 8))


def splitting(module, rng):
    low = rng.normal(size=(7, 3)) @ rng.normal(size=(3, 5))
    full = rng.normal(size=(7, 5))
    for name, delta, r in (("rank 3", low, 3), ("full, by 2", full, 2), ("full, by 5", full, 5)):
        A, B = module.split(delta, r)
        assert (A.shape, B.shape) == ((r, 5), (7, r)), f"{name}: shapes {A.shape} and {B.shape}"
        least = np.sqrt(np.sum(np.linalg.svd(delta, compute_uv=False)[r:] ** 2))
        error = np.linalg.norm(delta - B @ A)
        assert error <= least + 1e-9, f"{name}: error {error:.3g}, the least is {least:.3g}"
        sizes = np.linalg.norm(A, axis=1), np.linalg.norm(B, axis=0)
        assert np.allclose(*sizes), f"{name}: A and B do not share the size: {sizes}"
    refused("a rank larger than the matrix", lambda: module.split(full, 6))


def rounding(module, rng):
    W = rng.normal(size=(8, 32))
    W[2] = 0
    W[5] *= 1000
    A, B = rng.normal(size=(2, 32)), rng.normal(size=(8, 2))
    B[2] = 0

    def rounded(M, n_bits):
        rows = []
        for row in M:
            scale = np.abs(row).max() / (2 ** (n_bits - 1) - 1)
            rows.append(np.rint(row / scale) * scale if scale else row)
        return np.array(rows)

    seen = {}
    for size in (3.0, 0.1, 1e-3):
        for n_bits in (4, 8):
            d = size * (B @ A)
            e = rounded(W + d, n_bits) - rounded(W, n_bits)
            wanted = max(0.0, 1 - np.sum((e - d) ** 2) / np.sum(d**2))
            got = module.kept(W, A, B, 2 * size, n_bits)
            assert np.isclose(got, wanted, atol=1e-9), (
                f"size {size}, {n_bits} bits: {got:.4f} is kept, wanted {wanted:.4f}"
            )
            seen[size, n_bits] = got
    assert seen[1e-3, 8] < 0.05, "so small an adapter cannot survive eight bits"
    assert module.kept(W, A, 0 * B, 2) == 1, "of nothing, everything is kept"


def check(module):
    rng = np.random.default_rng(0)
    merging(module, rng)
    splitting(module, rng)
    rounding(module, rng)
