"""Known orders, ties, weights, doubles, and scales that must not matter."""

import math


def same(name, got, wanted):
    got = [tuple(one) for one in got]
    ids = [one for one, _ in got]
    assert ids == [one for one, _ in wanted], (
        f"{name}: order {ids}, wanted {[i for i, _ in wanted]}"
    )
    for (one, score), (_, right) in zip(got, wanted, strict=True):
        assert math.isclose(score, right, rel_tol=1e-9, abs_tol=1e-12), (
            f"{name}: {one!r} has the score {score:.6f}, wanted {right:.6f}"
        )


def refused(name, call):
    try:
        call()
    except ValueError:
        return
    raise AssertionError(f"{name} was taken")


def ranks(module):
    words, meaning = ["a", "b", "c"], ["c", "d", "a"]
    wanted = [("a", 1 / 61 + 1 / 63), ("c", 1 / 63 + 1 / 61), ("b", 1 / 62), ("d", 1 / 62)]
    same("two lists", module.by_ranks([words, meaning]), wanted)
    same("weights", module.by_ranks([["a"], ["b"]], weights=[1, 3], k=1), [("b", 1.5), ("a", 0.5)])
    doubled = [("a", 1 / 61), ("b", 1 / 62), ("c", 1 / 64)]
    same("an id that stands twice", module.by_ranks([["a", "b", "a", "c"]]), doubled)
    same("a weight of 0", module.by_ranks([["a"], ["b"]], weights=[0, 1], k=0),
         [("b", 1.0), ("a", 0.0)])  # fmt: skip
    same("nothing found", module.by_ranks([[], []]), [])


def scores(module):
    words = {"a": 17.0, "b": 12.0, "c": 7.0}
    meaning = {"d": 0.9, "b": 0.8, "a": 0.4}
    wanted = [("b", 0.5 + 0.8), ("a", 1.0), ("d", 1.0), ("c", 0.0)]
    same("two scales", module.by_scores([words, meaning]), wanted)
    grown = {one: 1000 * score - 40 for one, score in words.items()}
    same("a scale a thousand times as large", module.by_scores([grown, meaning]), wanted)
    same("all alike", module.by_scores([{"x": 3.0, "y": 3.0}]), [("x", 1.0), ("y", 1.0)])
    same("negative scores", module.by_scores([{"x": -9.0, "y": -1.0}]), [("y", 1.0), ("x", 0.0)])
    same("weights", module.by_scores([{"a": 2, "b": 1}, {"b": 2, "a": 1}], weights=[1, 4]),
         [("b", 4.0), ("a", 1.0)])  # fmt: skip
    same("an empty list", module.by_scores([{}, {"a": 1.0}]), [("a", 1.0)])


def check(module):
    ranks(module)
    scores(module)
    refused("one weight for two lists", lambda: module.by_ranks([["a"], ["b"]], weights=[1]))
    refused("a negative weight", lambda: module.by_scores([{"a": 1.0}], weights=[-1]))
    refused("NaN", lambda: module.by_scores([{"a": 1.0, "b": math.nan}]))
