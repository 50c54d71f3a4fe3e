"""Visits out of clicks."""

import pandas as pd

GAP = pd.Timedelta("30min")


def visits(clicks):
    """Return one row a visit."""
    table = clicks.drop_duplicates().sort_values(["user", "time"], kind="stable")
    before = table.groupby("user")["time"].shift()
    is_gap = before.isna() | (table["time"] - before > GAP)
    table = table.assign(stretch=is_gap.cumsum())
    carried = table.groupby("stretch")["campaign"].ffill()
    current = carried.groupby(table["stretch"]).shift()
    is_new = table["campaign"].notna() & (table["campaign"] != current).fillna(value=True)
    table["visit"] = (is_gap | is_new).cumsum()
    by_visit = table.groupby("visit")
    found = by_visit.agg(
        user=("user", "first"),
        start=("time", "first"),
        end=("time", "last"),
        n_clicks=("time", "size"),
        pages=("page", "nunique"),
    )
    found["campaign"] = by_visit["campaign"].nth(0).to_numpy()
    found["is_bounce"] = found["n_clicks"] == 1
    found["days_since"] = (found["start"] - found.groupby("user")["end"].shift()).dt.days
    return found.reset_index(drop=True)
