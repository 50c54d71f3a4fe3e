"""What monitoring finds in real tables, and how often it cries wolf over unchanged rows.

Run: `python benchmarks/monitoring.py [--splits 50]`. Each split takes 60 % of a table's rows to
learn a reference from, 20 % to hold out and 20 % as traffic that did not change; answers are a
fixed function of the columns. Prints in how many splits anything moved or alerted (1 in 100 is
stated) and which share of rows is strange: expected, new, and with planted faults. The example
table is always there; others are looked for in the folder that `ROADMAP_DATASETS` names.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from common.settings import Settings as CommonSettings
from numpy.typing import NDArray
from p1_prediction_api.contracts import Signature
from p1_prediction_api.encoding import Encoder
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.export import tensors
from p1_prediction_api.monitoring.alerting import drift_alerts, share_alerts
from p1_prediction_api.monitoring.assessing import Thresholds, assess
from p1_prediction_api.monitoring.counting import Counter
from p1_prediction_api.monitoring.learning import learn_reference
from p1_prediction_api.prepared import Prepared, prepare
from p1_prediction_api.settings import Settings

Matrix = NDArray[np.float32]
TABLES = {
    "california_housing.csv": "",
    "telco_churn.csv": "",
    "credit_default.csv": "",
    "german_credit.csv": "",
    "titanic.csv": "",
}
"""Files and their targets; without one, the last column."""
Fault = Callable[[Matrix, Encoder, np.random.Generator], Matrix]


def shuffled(share: float) -> Fault:
    """Make a fault that shuffles some features, each by itself: every distribution stays."""

    def plant(rows: Matrix, encoder: Encoder, rng: np.random.Generator) -> Matrix:
        owners, changed = encoder.owners(), rows.copy()
        n_features = len(encoder.features)
        for feature in rng.permutation(n_features)[: max(1, round(share * n_features))]:
            of_feature = owners == feature
            changed[:, of_feature] = rows[rng.permutation(len(rows))][:, of_feature]
        return changed

    return plant


def scaled(factor: float, *, only_first: bool = False) -> Fault:
    """Make a fault in the numbers' unit."""

    def plant(rows: Matrix, encoder: Encoder, _rng: np.random.Generator) -> Matrix:
        changed = rows.copy()
        changed[:, : 1 if only_first else len(encoder.numbers)] *= factor
        return changed

    return plant


def mixed_up(rows: Matrix, encoder: Encoder, _rng: np.random.Generator) -> Matrix:
    """Put every number into the next one's column."""
    n, changed = len(encoder.numbers), rows.copy()
    changed[:, :n] = np.roll(rows[:, :n], 1, axis=1)
    return changed


FAULTS: dict[str, Fault] = {
    "all shuffled": shuffled(1.0),
    "a third shuffled": shuffled(1 / 3),
    "numbers x 1.5": scaled(1.5),
    "one number x 10": scaled(10, only_first=True),
    "wrong columns": mixed_up,
}


def tables() -> Iterator[tuple[str, pd.DataFrame, str]]:
    """Yield the tables that are there: name, rows, target."""
    yield "breast cancer", example_table(), TARGET
    folder = CommonSettings().datasets_dir
    for name, target in TABLES.items():
        path = Path(folder or "") / "tabular" / name
        if folder and path.is_file():
            frame = pd.read_csv(path)
            yield path.stem, frame, target or str(frame.columns[-1])


def encoded(data: Prepared) -> tuple[Encoder, Matrix]:
    """Encode every row of a table."""
    levels = {name: tuple(sorted(map(str, data.X[name].unique()))) for name in data.labels}
    encoder = Encoder(data.numbers, data.dates, levels)
    return encoder, encoder.encode(tensors(data, data.X))


def answered(rows: Matrix) -> NDArray[np.float32]:
    """Give a number a row: the same function of the columns whatever the split."""
    weights = np.random.default_rng(0).normal(size=rows.shape[1]).astype(np.float32)
    return np.tanh(np.nan_to_num(rows)) @ weights


def one_split(
    encoder: Encoder, rows: Matrix, signature: Signature, rng: np.random.Generator
) -> tuple[bool, bool, list[float]]:
    """Learn, watch unchanged rows, plant faults: did anything move, or alert; strange shares."""
    order = rng.permutation(len(rows))
    first, second = round(0.6 * len(rows)), round(0.8 * len(rows))
    train, held_out, new = rows[order[:first]], rows[order[first:second]], rows[order[second:]]
    reference = learn_reference(signature, encoder, train, held_out, answered(held_out))
    counts = Counter(signature, encoder, reference).count(new, answered(new))
    thresholds = Thresholds.of(Settings())
    found = assess(reference, counts, thresholds)
    movements = {one.movement for one in (*found.features, found.prediction)}
    alerts = [
        *drift_alerts(found),
        *share_alerts(reference, counts, thresholds, set(), "now"),
    ]
    strange = reference.strangeness
    shares = [strange.expected_share, float(strange.is_strange(new).mean())]
    shares += [
        float(strange.is_strange(plant(new, encoder, rng)).mean()) for plant in FAULTS.values()
    ]
    return bool(movements - {"none", "too few"}), bool(alerts), shares


def main() -> int:
    """Print one line a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--splits", type=int, default=50, help="random splits of each table")
    n_splits = parser.parse_args().splits
    columns = ["table", "rows", "moved", "alerted", "expected", "new", *FAULTS]
    _print(columns)
    _print(["---"] * len(columns))
    for name, frame, target in tables():
        data = prepare(frame, target)
        encoder, rows = encoded(data)
        signature = data.signature().model_copy(
            update={"task": "regression", "classes": (), "positive": ""}
        )
        rng = np.random.default_rng(0)
        done = [one_split(encoder, rows, signature, rng) for _ in range(n_splits)]
        moved, alerted = (np.mean([one[k] for one in done]) for k in (0, 1))
        shares = np.mean([one[2] for one in done], axis=0)
        figures = [f"{share:.1%}" for share in (moved, alerted, *shares)]
        _print([name, f"{len(rows):,}", *figures])
    return 0


def _print(cells: list[str]) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
