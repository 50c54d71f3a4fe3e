"""The cost at the answer beside the least cost that a careful search finds."""

import warnings

import numpy as np
from scipy.optimize import minimize_scalar


def cost(y, c, loss):
    r = y - c
    name, *given = loss
    if name == "squared":
        return float(np.mean(r**2))
    if name == "absolute":
        return float(np.mean(np.abs(r)))
    if name == "pinball":
        return float(np.mean(np.where(r > 0, given[0] * r, (given[0] - 1) * r)))
    if name == "huber":
        d, size = given[0], np.abs(r)
        return float(np.mean(np.where(size <= d, r**2 / 2, d * (size - d / 2))))
    if name == "epsilon":
        return float(np.mean(np.maximum(0, np.abs(r) - given[0])))
    with np.errstate(over="ignore"):
        return float(np.mean(np.exp(given[0] * r) - given[0] * r - 1))


def least(y, loss):
    found = [cost(y, c, loss) for c in y]
    if len(loss) == 2 and loss[0] in {"huber", "epsilon"}:
        found += [cost(y, c + s * loss[1], loss) for c in y for s in (-1, 1)]
    if y.min() < y.max():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            best = minimize_scalar(
                lambda c: cost(y, c, loss),
                bounds=(y.min(), y.max()),
                method="bounded",
                options={"xatol": 1e-12},
            )
        found.append(float(best.fun))
    return min(one for one in found if np.isfinite(one))


def check(module):
    rng = np.random.default_rng(0)
    samples = {
        "normal": rng.normal(size=301),
        "heavy-tailed": rng.standard_cauchy(200),
        "tied": rng.integers(0, 4, 150).astype(float),
        "two values": np.array([0.0, 1000.0]),
        "one value": np.array([7.0]),
        "large": 1e8 + rng.normal(size=99),
    }
    losses = [
        ("squared",), ("absolute",), ("pinball", 0.9), ("pinball", 0.25), ("huber", 1.0),
        ("huber", 0.05), ("exponential", 1.0), ("exponential", -0.5), ("epsilon", 0.5),
    ]  # fmt: skip
    for name, y in samples.items():
        for loss in losses:
            before = y.copy()
            c = float(module.best_constant(y, loss))
            assert np.array_equal(before, y), "the caller's values were changed"
            assert np.isfinite(c), f"{loss} on {name} values: the answer is {c}"
            got, wanted = cost(y, c, loss), least(y, loss)
            slack = 1e-9 * max(abs(wanted), 1e-6)
            assert got <= wanted + slack, (
                f"{loss} on {name} values: {c:.10g} costs {got:.12g}, and {wanted:.12g} is possible"
            )
