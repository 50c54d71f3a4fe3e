"""Random clicks beside a loop that follows the prompt word for word."""

import numpy as np
import pandas as pd

GAP = pd.Timedelta("30min")
COLUMNS = ["user", "start", "end", "n_clicks", "campaign", "pages", "is_bounce", "days_since"]


def clicks(seed, n=400):
    rng = np.random.default_rng(seed)
    minutes = np.cumsum(
        rng.choice([0, 1, 10, 15, 30, 31, 2000], n, p=[0.1, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1])
    )
    table = pd.DataFrame(
        {
            "user": rng.choice(["ada", "bob", "eve", "kim"], n, p=[0.4, 0.4, 0.19, 0.01]),
            "time": pd.Timestamp("2026-05-01") + pd.to_timedelta(minutes, unit="min"),
            "campaign": rng.choice(["mail", "ad", None], n, p=[0.15, 0.15, 0.7]),
            "page": rng.choice(["home", "cart", "item", "help"], n),
        }
    )
    copies = table.sample(20, random_state=seed)
    table = pd.concat([table, copies])
    return table.sort_values("time", kind="stable") if seed % 2 else table


def by_hand(table):
    found = []
    for user, rows in table.drop_duplicates().groupby("user", sort=True):
        current = None
        for row in rows.sort_values("time", kind="stable").itertuples():
            campaign = None if pd.isna(row.campaign) else row.campaign
            is_gap = current is None or row.time - current["end"] > GAP
            if is_gap or (campaign is not None and campaign != current["campaign"]):
                since = None if current is None else (row.time - current["end"]).days
                current = {"user": user, "start": row.time, "n_clicks": 0, "campaign": campaign,
                           "seen": set(), "days_since": since}  # fmt: skip
                found.append(current)
            current["end"] = row.time
            current["n_clicks"] += 1
            current["seen"].add(row.page)
    for one in found:
        one["pages"] = len(one.pop("seen"))
        one["is_bounce"] = one["n_clicks"] == 1
    return found


def same(got, wanted):
    return bool(pd.isna(got) and pd.isna(wanted)) or bool(got == wanted)


def check(module):
    for seed in range(6):
        table = clicks(seed)
        before = table.copy(deep=True)
        found = module.visits(table)
        pd.testing.assert_frame_equal(table, before)
        missing = [name for name in COLUMNS if name not in found.columns]
        assert not missing, f"there is no column {', '.join(missing)}"
        assert list(found.index) == list(range(len(found))), "the index is not 0, 1, 2, …"
        wanted = by_hand(table)
        assert len(found) == len(wanted), f"{len(found)} visits were found; there are {len(wanted)}"
        for k, one in enumerate(wanted):
            for name in COLUMNS:
                got = found[name].iloc[k]
                assert same(got, one[name]), (
                    f"visit {k}, of {one['user']} from {one['start']}: {name} is {got!r}, "
                    f"not {one[name]!r}"
                )
