"""Measurements made for each rule, so that a slip in one of them chooses another model."""

import numpy as np


def model(right, median, *, n_bytes=1000, tail=0.0, n=1000, warm=500.0):
    """Latencies around a median; the given share of them takes 90 ms."""
    times = np.full(n, float(median))
    times[: round(tail * n)] = 90.0
    return {
        "latencies_ms": np.concatenate([np.full(10, warm), np.roll(times, 7)]),
        "right": right,
        "n_bytes": n_bytes,
    }


def answers(n, n_right, *, also=(), but=()):
    right = np.arange(n) < n_right
    right[list(also)] = True
    right[list(but)] = False
    return right


def chosen(module, what, models, budget, wanted):
    name, reason = module.choose(models, budget)
    assert name == wanted, f"{what}: {name} was chosen, not {wanted}"
    assert isinstance(reason, str), f"{what}: the reason is no text"
    assert reason, f"{what}: the reason is empty"


def refused(module, what, models, budget, kind, named):
    try:
        told = f"{module.choose(models, budget)} was chosen"
        is_refused = False
    except kind as error:
        told, is_refused = f"the message does not name {named}: {error}", True
    assert is_refused, f"{what}: {told}; {kind.__name__} was due"
    assert named in told.partition(": ")[2], f"{what}: {told}"


def check(module):
    base = answers(2000, 1800)
    lucky = answers(2000, 1800, also=range(1900, 1904))
    better = answers(2000, 1860)
    # 9 against 1 is significant (p 0.021), 8 against 2 is not (p 0.109)
    nine = answers(2000, 1800, also=range(1900, 1909), but=[5])
    eight = answers(2000, 1800, also=range(1900, 1908), but=[5, 6])
    half, more = answers(20_000, 10_000), answers(20_000, 10_200)
    cases = {
        "a lucky lead is no lead": ({"slow": model(lucky, 9), "quick": model(base, 2)}, "quick"),
        "a real lead is": ({"slow": model(better, 9), "quick": model(base, 2)}, "slow"),
        "nine to one is real": ({"slow": model(nine, 9), "quick": model(base, 2)}, "slow"),
        "eight to two is chance": ({"slow": model(eight, 9), "quick": model(base, 2)}, "quick"),
        "every fiftieth request takes 90 ms": (
            {"tailed": model(better, 2, tail=0.02), "steady": model(base, 9)}, "steady",
        ),
        "every two-hundredth may": (
            {"tailed": model(better, 2, tail=0.005), "steady": model(base, 9)}, "tailed",
        ),
        "medians within 2 % are the same": (
            {"large": model(base, 5.0, n_bytes=9000), "small": model(base, 5.09, n_bytes=1000)},
            "small",
        ),
        "beyond 2 % they are not": (
            {"large": model(base, 5.0, n_bytes=9000), "small": model(base, 5.2, n_bytes=1000)},
            "large",
        ),
        "same pace, same size: the more accurate": (
            {"one": model(base, 5.0), "other": model(lucky, 5.0)}, "other",
        ),
        "10,000 to 10,000 is chance": ({"slow": model(half, 9), "quick": model(~half, 2)}, "quick"),
        "10,200 to 9,800 is not": ({"slow": model(more, 9), "quick": model(~more, 2)}, "slow"),
        "the fastest is out of the budget's question when it is worse": (
            {"best": model(better, 8), "tiny": model(answers(2000, 1500), 0.5),
             "near": model(answers(2000, 1860, also=[1990], but=[3, 4]), 6)}, "near",
        ),
    }  # fmt: skip
    for what, (models, wanted) in cases.items():
        chosen(module, what, models, 10.0, wanted)
    late = {"far": model(base, 40), "near": model(base, 12)}
    refused(module, "nobody keeps to the budget", late, 10.0, LookupError, "near")
    short = {"whole": model(base, 2), "short": model(base[:50], 2)}
    refused(module, "fewer images", short, 10.0, ValueError, "short")
    cold = {"whole": model(base, 2), "cold": model(base, 2, n=0)}
    refused(module, "no latency after the warm-up", cold, 10.0, ValueError, "cold")
