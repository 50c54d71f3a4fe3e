"""Eight predictions about gradient descent."""

ANSWERS = {
    "a": None,
    "b": None,
    "c": None,
    "d": None,
    "e": None,
    "f": None,
    "g": None,
    "h": None,
}
