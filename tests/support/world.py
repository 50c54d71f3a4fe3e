"""A world to draw rows from at will: what changed in them, and how, is known."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from p1_prediction_api.contracts import MISSING, Feature, Signature
from p1_prediction_api.encoding import Encoder, iso_of
from p1_prediction_api.monitoring.counting import Counter, Counts
from p1_prediction_api.monitoring.learning import learn_reference
from p1_prediction_api.monitoring.reference import Reference

Tensors = dict[str, NDArray]
Change = Callable[[NDArray], NDArray]
CITIES = ("Bonn", "Köln", "Ulm", "Wien", "Graz", "Jena")
SHARES = (0.4, 0.3, 0.2, 0.07, 0.02, 0.01)


def draw(rng: np.random.Generator, n: int) -> Tensors:
    """Correlated, skewed, zero-inflated and gappy numbers, dates, labels of which some are rare."""
    age = rng.normal(40, 10, n)
    income = np.exp(rng.normal(10, 0.5, n) + (age - 40) / 40)
    spent = np.where(rng.random(n) < 0.6, 0.0, rng.exponential(50, n))
    score = np.where(rng.random(n) < 0.1, np.nan, age / 10 + 0.3 * rng.normal(size=n))
    return {
        "age": age.astype(np.float32),
        "income": income.astype(np.float32),
        "spent": spent.astype(np.float32),
        "score": score.astype(np.float32),
        "rooms": rng.poisson(3, n).astype(np.float32),
        "seen_at": (20_000 + 300 * rng.random(n)).astype(np.float32),
        "city": rng.choice(np.array([*CITIES[:5], MISSING], dtype=object), n, p=SHARES),
        "is_new": rng.choice(np.array(["no", "yes"], dtype=object), n, p=[0.7, 0.3]),
    }


def answers(rng: np.random.Generator, rows: Tensors) -> NDArray[np.float32]:
    """Probabilities of no and yes, of a world where age and city tell."""
    z = (rows["age"] - 40) / 10 + (rows["city"] == "Bonn") + 0.2 * rng.normal(size=len(rows["age"]))
    yes = 1 / (1 + np.exp(-z))
    return np.stack([1 - yes, yes], axis=1).astype(np.float32)


NUMBERS = ("age", "income", "spent", "score", "rooms")
ENCODER = Encoder(NUMBERS, ("seen_at",), {"city": (*CITIES[:5], MISSING), "is_new": ("no", "yes")})


@dataclass
class World:
    """A reference learned from one sample, ready to count others."""

    reference: Reference
    counter: Counter

    def see(self, rng: np.random.Generator, n: int, **changed: Change) -> Counts:
        """Draw new rows, change some features, answer and count them."""
        rows = draw(rng, n)
        for name, change in changed.items():
            rows[name] = np.asarray(change(rows[name]), dtype=rows[name].dtype)
        found = self.counter.count(ENCODER.encode(rows), answers(rng, rows))
        found.n_requests = n
        return found


def make_world(rng: np.random.Generator, n: int) -> World:
    """Learn a reference of n training rows and a quarter as many held-out ones."""
    train, held_out = draw(rng, n), draw(rng, n // 4)
    signature = Signature(
        task="classification",
        target="buys",
        classes=("no", "yes"),
        positive="yes",
        features=tuple(_feature(name, train[name]) for name in train),
    )
    reference = learn_reference(
        signature,
        ENCODER,
        ENCODER.encode(train),
        ENCODER.encode(held_out),
        answers(rng, held_out),
    )
    return World(reference, Counter(signature, ENCODER, reference))


def _feature(name: str, values: NDArray) -> Feature:
    if name in ENCODER.levels:
        return Feature(name=name, kind="category", categories=CITIES, example="Bonn")
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    kind = "date" if name == "seen_at" else "number"
    return Feature(name=name, kind=kind, low=low, high=high, example=low)


def as_json(rows: Tensors) -> list[dict[str, object]]:
    """Return rows as a caller would send them: null is missing, dates are spelled."""
    names = list(rows)
    columns = [[_value(name, value) for value in rows[name].tolist()] for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _value(name: str, value: object) -> object:
    if value == MISSING or (isinstance(value, float) and math.isnan(value)):
        return None
    return iso_of(float(str(value))) if name in ENCODER.dates else value


def table(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return rows with their target, `buys`, as a person's table."""
    rows = draw(rng, n)
    buys = rng.random(n) < answers(rng, rows)[:, 1]
    return pd.DataFrame(as_json(rows)).assign(buys=np.where(buys, "yes", "no"))
