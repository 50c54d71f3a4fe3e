"""Planted slices must be named exactly; random errors must be blamed on nothing."""

import numpy as np


def table(rng, n=2000):
    """Six columns of two to six labels, one of ids, one with a single label."""
    columns = {
        f"c{k}": rng.choice([f"l{j}" for j in range(n_labels)], n)
        for k, n_labels in enumerate((2, 3, 3, 4, 5, 6))
    }
    return {**columns, "id": np.array([f"r{i}" for i in range(n)]), "country": np.full(n, "one")}


def check(module):
    invented = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        columns = table(rng)
        found = module.worst_slice(columns, rng.random(2000) < 0.12)
        if found is not None:
            invented.append(found)
    assert len(invented) <= 4, (
        f"errors fell at random, and {len(invented)} of 40 tables were blamed on a slice, "
        f"such as {invented[0]}"
    )
    planted = [
        {"c1": "l0", "c2": "l1"},
        {"c3": "l2", "c4": "l0"},
        {"c5": "l3"},
        {"c0": "l1", "c5": "l0"},
    ]
    missed = []
    for seed in range(12):
        rng = np.random.default_rng(100 + seed)
        columns = table(rng)
        wanted = planted[seed % len(planted)]
        rows = np.logical_and.reduce([columns[name] == label for name, label in wanted.items()])
        found = module.worst_slice(columns, rng.random(2000) < np.where(rows, 0.42, 0.08))
        if found != wanted:
            missed.append(f"{wanted} was planted, {found} was named")
    assert len(missed) <= 1, f"{len(missed)} of 12 planted slices were not named: {missed[0]}"
    rng = np.random.default_rng(7)
    columns = table(rng)
    assert module.worst_slice(columns, np.zeros(2000, dtype=bool)) is None, "nothing is wrong here"
