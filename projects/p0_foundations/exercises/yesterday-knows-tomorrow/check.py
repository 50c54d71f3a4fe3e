"""Against a slow loop; and nothing of the future may matter."""

import numpy as np
import pandas as pd

WEEK = pd.Timedelta(days=7)


def readings(seed, n=120):
    rng = np.random.default_rng(seed)
    hours = rng.integers(0, 24 * 30, n)
    hours[:20] = hours[20:40]  # several readings at one instant
    hours[40:50] = hours[50:60] + 24 * 7  # readings exactly a week apart
    table = pd.DataFrame(
        {
            "machine": rng.choice(["a", "b", "c"], n),
            "time": pd.Timestamp("2026-03-01") + pd.to_timedelta(hours, "h"),
            "load": np.where(rng.random(n) < 0.1, np.nan, rng.normal(50, 20, n)),
        },
        index=[f"r{k}" for k in rng.permutation(n)],
    )
    table.loc[table.index[40:50], "machine"] = table["machine"].iloc[50:60].to_numpy()
    return table


def slowly(table):
    found = []
    for _, row in table.iterrows():
        same = table[table["machine"] == row["machine"]]
        window = same[(same["time"] >= row["time"] - WEEK) & (same["time"] < row["time"])]
        found.append(window["load"].mean())
    return np.array(found, dtype=float)


def check(module):
    for seed in range(4):
        table = readings(seed)
        before = table.copy(deep=True)
        found = module.add_usual_load(table)
        pd.testing.assert_frame_equal(table, before)
        assert list(found.index) == list(table.index), "the index or the order of rows changed"
        got, wanted = found["usual_load"].to_numpy(float), slowly(table)
        cut = table["time"].median()
        past = module.add_usual_load(table[table["time"] <= cut])["usual_load"]
        whole = found.loc[past.index, "usual_load"]
        assert np.allclose(past, whole, equal_nan=True), (
            "a feature of the past changes when the future is taken away: it knew tomorrow"
        )
        wrong = np.flatnonzero(~np.isclose(got, wanted, equal_nan=True))
        assert not len(wrong), (
            f"{len(wrong)} of {len(table)} values are wrong; for {table.iloc[wrong[0]].to_dict()} "
            f"it should be {wanted[wrong[0]]:.4g}, not {got[wrong[0]]:.4g}"
        )
