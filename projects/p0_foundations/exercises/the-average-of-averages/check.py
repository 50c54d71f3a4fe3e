"""A small table by hand, then a large one in plain Python loops."""

from collections import defaultdict
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

COLUMNS = ["week", "device", "n_visitors", "rate", "rate_adjusted", "change"]


def visits(rows):
    table = pd.DataFrame(rows, columns=["time", "region", "device", "visitor", "bought"])
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return table


def monday(moment):
    local = moment.to_pydatetime().astimezone(ZoneInfo("Europe/Berlin"))
    return (local - timedelta(days=local.weekday())).date()


def by_hand(table):
    """The same by loops over rows."""
    people, regional, everyone = defaultdict(dict), defaultdict(dict), defaultdict(set)
    for row in table.itertuples():
        if pd.isna(row.visitor):
            continue
        key = monday(row.time), row.device
        people[key][row.visitor] = people[key].get(row.visitor, False) or row.bought
        part = regional[(*key, row.region)]
        part[row.visitor] = part.get(row.visitor, False) or row.bought
        everyone[row.region].add(row.visitor)
    weeks = sorted({week for week, _ in people})
    devices = sorted({device for _, device in people})
    found, last, week = [], {}, weeks[0]
    while week <= weeks[-1]:
        for device in devices:
            seen = people.get((week, device), {})
            rate = np.mean(list(seen.values())) if seen else np.nan
            total = weight = 0.0
            for region, ever in everyone.items():
                part = regional.get((week, device, region))
                if part:
                    total += len(ever) * np.mean(list(part.values()))
                    weight += len(ever)
            adjusted = total / weight if weight else np.nan
            found.append(
                (week, device, len(seen), rate, adjusted, adjusted - last.get(device, np.nan))
            )
            last[device] = adjusted
        week += timedelta(days=7)
    return found


def random_visits(seed):
    rng = np.random.default_rng(seed)
    n = 1500
    start = pd.Timestamp("2026-03-01", tz="UTC")
    times = start + pd.to_timedelta(rng.integers(0, 60 * 24 * 42, n), unit="min")
    table = pd.DataFrame({"time": times})
    table["region"] = rng.choice(["north", "south", "islands"], n, p=[0.6, 0.37, 0.03])
    table["device"] = rng.choice(["mobile", "desktop"], n)
    table["visitor"] = rng.choice([*(f"v{k}" for k in range(400)), None], n)
    table["bought"] = rng.random(n) < np.where(table["region"] == "north", 0.3, 0.1)
    quiet = (times >= start + pd.Timedelta("16D")) & (times < start + pd.Timedelta("27D"))
    return table[~(quiet & (table["device"] == "mobile"))].sample(frac=1, random_state=seed)


def compare(module, table, what):
    before = table.copy(deep=True)
    found = module.weekly(table)
    pd.testing.assert_frame_equal(table, before)
    missing = [name for name in COLUMNS if name not in found.columns]
    assert not missing, f"{what}: no column {', '.join(missing)}"
    assert list(found.index) == list(range(len(found))), f"{what}: the index is not 0, 1, 2, …"
    wanted = by_hand(table)
    keys = [
        (pd.Timestamp(w).date(), d) for w, d in zip(found["week"], found["device"], strict=True)
    ]
    assert keys == [row[:2] for row in wanted], (
        f"{what}: the rows are for {keys[:3]} …, not for {[row[:2] for row in wanted][:3]} …"
    )
    for k, name in enumerate(COLUMNS[2:], start=2):
        got = found[name].to_numpy(float)
        right = np.array([row[k] for row in wanted], float)
        bad = ~np.isclose(got, right, equal_nan=True)
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            raise AssertionError(
                f"{what}: {name} of {wanted[i][1]} in the week of {wanted[i][0]} is {got[i]:.4g}, "
                f"not {right[i]:.4g}"
            )


def check(module):
    small = visits(
        [
            ("2026-01-05 09:00", "north", "mobile", "a", False),
            ("2026-01-05 09:01", "north", "mobile", "a", True),
            ("2026-01-05 09:02", "north", "mobile", "a", False),
            ("2026-01-06 10:00", "north", "mobile", "b", False),
            ("2026-01-11 23:30", "south", "mobile", "c", True),
            ("2026-01-20 10:00", "south", "desktop", "d", False),
            ("2026-01-20 10:00", "south", "desktop", None, True),
        ]
    )
    compare(module, small, "seven views")
    for seed in range(3):
        compare(module, random_visits(seed), f"random views {seed}")
