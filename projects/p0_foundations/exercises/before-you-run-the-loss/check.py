"""Run each experiment and say which predictions it does not confirm."""

import numpy as np


def slope(f, z, h=1e-6):
    return (f(z + h) - f(z - h)) / (2 * h)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def experiments():
    values = np.array([0.0] * 9 + [100.0])
    grid = np.linspace(0, 100, 100_001)
    squared = ((values[:, None] - grid) ** 2).mean(axis=0)
    absolute = np.abs(values[:, None] - grid).mean(axis=0)
    right = np.arange(1000) < 900
    minutes = np.random.default_rng(0).exponential(30, 20_001)
    qs = {"quantile 0.1": 0.1, "median": 0.5, "quantile 0.9": 0.9, "quantile 10/11": 10 / 11}
    offers = {name: np.quantile(minutes, q) for name, q in qs.items()} | {"mean": minutes.mean()}
    bills = {
        name: np.where(minutes > c, 1000 * (minutes - c), 100 * (c - minutes)).mean()
        for name, c in offers.items()
    }

    def where_descent_is(scale, step):
        x = 1.0
        for _ in range(5):
            x -= step * scale * 2 * x
        return x

    steps = np.array([1.0, 10.0, 100.0, 1000.0])
    same = [where_descent_is(100, 1e-5) - where_descent_is(1, 1e-5 * s) for s in steps]
    return {
        "a": grid[squared.argmin()],
        "b": grid[absolute.argmin()],
        "c": -np.log(np.full(10, 0.1)).mean(),
        "d": -np.log(np.where(right, 0.99, 0.01)).mean(),
        "e": -np.log(np.where(right, 0.9, 0.1)).mean(),
        "f": slope(lambda z: -np.log(sigmoid(z)), 2.0),
        "g": slope(lambda z: -np.log(1 - sigmoid(z)), 2.0),
        "h": slope(lambda z: (sigmoid(z) - 1) ** 2, -10.0),
        "i": min(bills, key=bills.get),
        "j": steps[np.abs(same).argmin()],
    }


def is_confirmed(name, said, truth):
    if isinstance(truth, str):
        return said == truth
    if not isinstance(said, int | float) or isinstance(said, bool):
        return False
    slack = max(0.01 * abs(truth), 0.0 if name == "h" else 0.01)
    return bool(abs(said - truth) <= slack)


def check(module):
    truths = experiments()
    open_ones = [name for name in truths if module.ANSWERS.get(name) is None]
    assert not open_ones, f"no prediction yet for {', '.join(open_ones)}"
    wrong = [n for n, t in truths.items() if not is_confirmed(n, module.ANSWERS[n], t)]
    assert not wrong, f"the experiment does not confirm {', '.join(wrong)}"
