"""How loaded a machine usually is."""


def add_usual_load(readings):
    """Return the readings with the machine's usual load."""
    table = readings.sort_values("time")
    usual = table.groupby("machine")["load"].rolling(7, center=True, min_periods=1).mean()
    table["usual_load"] = usual.reset_index(level=0, drop=True).bfill()
    return table
