"""Rows without a region, regions without rows, regions without refunds, missing amounts."""

import numpy as np
import pandas as pd


def orders():
    rows = [
        ("north", 100.0, "paid"), ("north", 30.0, "refunded"), ("south", 500.0, "paid"),
        (None, 60.0, "paid"), (None, 10.0, "refunded"), ("east", 20.0, "paid"),
        ("east", None, "paid"), ("west", 7.0, "refunded"), ("south", None, "open"),
        ("coast", None, "refunded"), ("coast", 900.0, "paid"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["region", "amount", "status"])
    known = ["north", "south", "east", "west", "coast", "islands"]
    table["region"] = pd.Categorical(table["region"], categories=known)
    return table


def check(module):
    table = orders()
    before = table.copy(deep=True)
    found = module.revenue_by_region(table)
    pd.testing.assert_frame_equal(table, before)
    found.index = found.index.astype(str)
    found = found.astype(float)
    missing = {"(none)", "islands"} - set(found.index)
    assert not missing, f"no row for {sorted(missing)}: a group was dropped on the way"
    assert found["(none)"] == 50, f"orders without a region earn 50, not {found['(none)']}"
    assert found["south"] == 500, f"south has no refunds and earns 500, not {found['south']}"
    assert found["west"] == -7, f"west only gave money back: -7, not {found['west']}"
    assert found["islands"] == 0, f"islands has no orders: 0, not {found['islands']}"
    for region in ("east", "coast"):
        assert np.isnan(found[region]), (
            f"an amount of {region} is not known, so its revenue is not: {found[region]} is made up"
        )
    order = ["south", "north", "(none)", "islands", "west", "coast", "east"]
    assert list(found.index) == order, f"the order should be {order}, not {list(found.index)}"
    plain = orders().assign(region=lambda t: t["region"].astype(object).fillna("north"))
    plain["region"] = plain["region"].astype("category")
    assert "(none)" not in set(module.revenue_by_region(plain).index.astype(str)), (
        "every row has a region here: there is nothing to call (none)"
    )
