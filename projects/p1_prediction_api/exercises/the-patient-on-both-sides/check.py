"""Every promise of the prompt on random visits, then the tables that must be refused."""

import numpy as np


def visits(rng, n=3000, n_patients=1200, n_days=900):
    return rng.integers(0, n_patients, n), rng.integers(0, n_days, n)


def look_at(patient, day, delay, pairs, n_folds):
    assert len(pairs) == n_folds, f"{len(pairs)} folds were made, {n_folds} were asked for"
    end_before = -1
    for k, (train, test) in enumerate(pairs):
        for name, rows in (("training", train), ("test", test)):
            assert len(rows), f"fold {k} has no {name} rows"
            assert np.all(np.diff(rows) > 0), f"fold {k}: {name} rows are not in ascending order"
        shared = np.intersect1d(patient[train], patient[test])
        assert not len(shared), f"fold {k}: {len(shared)} patients are on both sides"
        first = day[test].min()
        known = day[train] + delay
        assert known.max() <= first, (
            f"fold {k} trains on an outcome known on day {known.max()} and goes live on day {first}"
        )
        assert first > end_before, f"fold {k} tests on days that fold {k - 1} tested on"
        end_before = day[test].max()


def refusal_of(module, arguments):
    try:
        next(module.folds(*arguments))
    except ValueError as error:
        return str(error)
    return ""


def check(module):
    for seed, (n_folds, delay) in enumerate([(4, 30), (5, 0), (3, 90), (8, 7)]):
        rng = np.random.default_rng(seed)
        patient, day = visits(rng)
        pairs = list(module.folds(patient, day, n_folds, delay))
        look_at(patient, day, delay, pairs, n_folds)
        per_stretch = len(day) / (n_folds + 1)
        for k, (train, test) in enumerate(pairs):
            first = day[test].min()
            n_known = np.sum((day + delay <= first) & (day < first))
            assert len(train) > 0.98 * n_known, (
                f"fold {k} trains on {len(train)} of {n_known} rows it might: drop test rows"
            )
            unseen = ~np.isin(patient, patient[train])
            inside = np.sum(unseen & (day >= first) & (day <= day[test].max()))
            assert len(test) == inside, f"fold {k} leaves out test rows of patients never seen"
            span = np.sum((day >= first) & (day <= day[test].max()))
            assert 0.8 * per_stretch < span < 1.2 * per_stretch, (
                f"fold {k}'s stretch has {span} rows; about {per_stretch:.0f} are its share"
            )
    rng = np.random.default_rng(9)
    patient, day = visits(rng, n=400, n_patients=3)
    for wrong, why in (
        ((patient, day, 3, 10), "every patient is in training"),
        ((np.arange(400), day, 3, 5000), "no outcome is ever known"),
        ((np.arange(400), np.zeros(400, dtype=int), 2, 0), "there is one day only"),
    ):
        refusal = refusal_of(module, wrong)
        assert refusal, f"{why}, and a fold was made"
        assert "fold" in refusal.lower(), f"the refusal {refusal!r} does not say which fold"
