"""Visits out of clicks."""

import pandas as pd

GAP = pd.Timedelta("30min")


def visits(clicks):
    """Return one row a visit."""
    table = clicks.sort_values(["user", "time"])
    begins = (table["time"].diff() >= GAP) | table["campaign"].notna()
    table["visit"] = begins.cumsum()
    found = table.groupby(["user", "visit"]).agg(
        start=("time", "min"),
        end=("time", "max"),
        n_clicks=("time", "size"),
        campaign=("campaign", "first"),
        pages=("page", "count"),
    )
    found["is_bounce"] = found["n_clicks"] == 1
    found["days_since"] = (found["start"] - found["end"].shift()).dt.days
    return found.reset_index().drop(columns="visit")
