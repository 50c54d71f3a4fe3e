"""Conversion by week and device, of visitors, with the mix of regions held still."""

import pandas as pd

ZONE = "Europe/Berlin"


def weekly(visits):
    """Return the rate, the adjusted rate and its change for each week and device."""
    table = visits.dropna(subset="visitor")
    local = table["time"].dt.tz_convert(ZONE).dt.tz_localize(None)
    table = table.assign(week=local.dt.to_period("W").dt.start_time)
    weeks = pd.date_range(table["week"].min(), table["week"].max(), freq="7D", name="week")
    devices = pd.Index(sorted(table["device"].unique()), name="device")
    grid = pd.MultiIndex.from_product([weeks, devices])

    keys = ["week", "device"]
    people = table.groupby([*keys, "visitor"])["bought"].any()
    by_pair = people.groupby(keys)
    found = pd.DataFrame({"n_visitors": by_pair.size(), "rate": by_pair.mean()}).reindex(grid)
    found["n_visitors"] = found["n_visitors"].fillna(0).astype(int)

    in_region = table.groupby([*keys, "region", "visitor"])["bought"].any()
    rates = in_region.groupby([*keys, "region"]).mean().unstack("region")
    weights = table.groupby("region")["visitor"].nunique()
    known = rates.notna() * weights
    adjusted = (rates.fillna(0) * weights).sum(axis=1) / known.sum(axis=1)
    found["rate_adjusted"] = adjusted.reindex(grid)
    found["change"] = found.groupby("device")["rate_adjusted"].diff()
    return found.reset_index()
