"""Orders with the city that the customer lived in on that day."""

import pandas as pd


def bill(orders, addresses):
    """Return the orders with the customer's city; one row an order."""
    twice = addresses[addresses.duplicated(["customer", "valid_from"], keep=False)]
    if len(twice):
        raise ValueError(f"two addresses on one day: {sorted(set(twice['customer']))}")
    numbered = orders.assign(row_=range(len(orders))).sort_values("date", kind="stable")
    joined = pd.merge_asof(
        numbered,
        addresses.sort_values("valid_from"),
        left_on="date",
        right_on="valid_from",
        by="customer",
    )
    joined = joined.sort_values("row_").drop(columns=["row_", "valid_from"])
    return joined.set_axis(orders.index, axis=0)
