"""Quiet hours, broken columns, and a shift that nobody should be woken for."""

import numpy as np

N_COLUMNS = 30


def rows(rng, n):
    """Ten normal, ten skewed and ten whole-numbered columns."""
    return np.hstack(
        [
            rng.normal(size=(n, 10)),
            rng.exponential(size=(n, 10)),
            rng.poisson(2.0, size=(n, 10)).astype(float),
        ]
    )


def moved(batch, column, how, rng):
    batch = batch.copy()
    values = batch[:, column]
    if how == "shift":
        batch[:, column] = values + 0.5 * values.std()
    elif how == "spread":
        batch[:, column] = values.mean() + 2 * (values - values.mean())
    else:
        batch[rng.random(len(batch)) < 0.2, column] = 0.0 if column < 10 else -1.0
    return batch


def check(module):
    rng = np.random.default_rng(0)
    for n_reference, m in ((1500, 50), (1500, 500), (4000, 2000)):
        n_hours, paged = 200, 0
        for hour in range(n_hours):
            if hour % 20 == 0:
                watch = module.Watch(rows(rng, n_reference))
            paged += bool(len(watch.look(rows(rng, m))))
        assert paged <= 8, (
            f"{paged} of {n_hours} quiet hours of {m} rows paged somebody; 4 are allowed on average"
        )
    missed = []
    for how in ("shift", "spread", "lump"):
        for column in (3, 14, 25):
            n_named = 0
            for _ in range(8):
                watch = module.Watch(rows(rng, 1500))
                batch = moved(rows(rng, 500), column, how, rng)
                n_named += list(watch.look(batch))[:1] == [column]
            if n_named < 7 and not (how == "spread" and column == 25):
                missed.append(f"{how} in column {column}: {n_named} of 8")
    assert not missed, f"a broken column was not named first: {'; '.join(missed)}"
    n_woken = 0
    for _ in range(20):
        watch = module.Watch(rows(rng, 20_000))
        batch = rows(rng, 2000)
        batch[:, :10] += 0.05
        n_woken += bool(len(watch.look(batch)))
    assert n_woken <= 2, (
        f"a shift of 0.05 standard deviations woke somebody in {n_woken} of 20 hours"
    )
