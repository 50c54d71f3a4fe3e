"""Movers, strangers, orders on the day of a move, odd indexes, random tables."""

import numpy as np
import pandas as pd


def slowly(orders, addresses):
    cities = []
    for _, order in orders.iterrows():
        own = addresses[addresses["customer"] == order["customer"]]
        lived = own[own["valid_from"] <= order["date"]]
        cities.append(lived.sort_values("valid_from")["city"].iloc[-1] if len(lived) else None)
    return cities


def tables(seed, n_orders=80):
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(40), "D")
    orders = pd.DataFrame(
        {
            "order_id": rng.permutation(n_orders),
            "customer": rng.choice(list("abcdefgh"), n_orders),
            "date": rng.choice(days, n_orders),
            "amount": rng.integers(1, 100, n_orders),
        },
        index=rng.permutation(n_orders) * 3,
    )
    pairs = [(c, d) for c in "abcdef" for d in rng.choice(days, 4, replace=False)]
    addresses = pd.DataFrame(pairs, columns=["customer", "valid_from"])
    addresses["city"] = [f"city {k}" for k in range(len(addresses))]
    return orders, addresses.sample(frac=1, random_state=seed)


def check(module):
    for seed in range(5):
        orders, addresses = tables(seed)
        kept = orders.copy(deep=True), addresses.copy(deep=True)
        found = module.bill(orders, addresses)
        assert len(found) == len(orders), f"{len(orders)} orders went in, {len(found)} came out"
        assert list(found.index) == list(orders.index), "the index or the order of rows changed"
        assert int(found["amount"].sum()) == int(orders["amount"].sum()), "the total changed"
        wanted = slowly(orders, addresses)
        got = [None if pd.isna(city) else city for city in found["city"]]
        wrong = [k for k, (a, b) in enumerate(zip(got, wanted, strict=True)) if a != b]
        assert not wrong, (
            f"{len(wrong)} orders have the wrong city, such as {orders.iloc[wrong[0]].to_dict()}"
        )
        pd.testing.assert_frame_equal(orders, kept[0])
        pd.testing.assert_frame_equal(addresses, kept[1])
    orders, addresses = tables(9)
    double = addresses.iloc[[0]].assign(customer="z", city="twice")
    message = ""
    try:
        module.bill(orders, pd.concat([addresses, double, double]))
    except ValueError as error:
        message = str(error)
    assert message, "two addresses of one customer on one day should raise ValueError"
    assert "z" in message, "the error should name the customer"
