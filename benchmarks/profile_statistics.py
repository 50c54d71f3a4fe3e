"""Which statistics and alerts a profile has, beside those of ydata-profiling on the same table.

    uv run --group dev python benchmarks/profile_statistics.py --ydata PYTHON

The peer describes a small table of every kind and lists each key of its description and each kind
of alert that it knows. Every one is printed with what ours calls it, or with why it has none. A key
that this file does not know ends the run, so that a newer peer is looked at again. PYTHON is the
interpreter of an environment that has ydata-profiling.
"""

import argparse
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from p0_foundations import ColumnProfile, Profile, findings, profiling, shape_findings
from pydantic import BaseModel

THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd
from ydata_profiling import ProfileReport
from ydata_profiling.model.alerts import AlertType
table = pd.read_csv(sys.argv[1], parse_dates=["when"])
found = ProfileReport(table, progress_bar=False).get_description()
of_columns = sorted({key for one in found.variables.values() for key in one})
print(json.dumps({
    "table": sorted(found.table), "column": of_columns, "missing": sorted(found.missing),
    "alert": [one.name for one in AlertType],
}))
"""
TABLE = {
    "n": "n_rows", "n_var": "n_columns", "memory_size": "overview.memory_bytes",
    "record_size": "overview.memory_bytes", "n_cells_missing": "overview.n_cells_missing",
    "n_vars_with_missing": "overview.n_columns_with_missing",
    "n_vars_all_missing": "overview.n_columns_empty", "p_cells_missing": "overview.n_cells_missing",
    "types": "overview.kinds", "n_duplicates": "n_duplicate_rows",
    "p_duplicates": "n_duplicate_rows",
}  # fmt: skip
COLUMN = {
    "type": "kind", "cast_type": "stored_as", "n": "n_rows", "count": "n_missing",
    "n_missing": "n_missing", "p_missing": "n_missing", "n_distinct": "n_unique",
    "p_distinct": "n_unique", "is_unique": "n_unique", "n_unique": "n_once", "p_unique": "n_once",
    "memory_size": "memory_bytes", "value_counts_without_nan": "top", "top": "top", "freq": "top",
    "value_counts_index_sorted": "lowest", "mean": "number.mean", "std": "number.std",
    "variance": "number.variance", "min": "number.minimum", "max": "number.maximum",
    "kurtosis": "number.excess_kurtosis", "skewness": "number.skew", "sum": "number.sum",
    "mad": "number.mad", "range": "number.range", "iqr": "number.iqr", "cv": "number.cv",
    "5%": "number.p5", "25%": "number.q1", "50%": "number.median", "75%": "number.q3",
    "95%": "number.p95", "n_zeros": "number.n_zero", "p_zeros": "number.n_zero",
    "n_negative": "number.n_negative", "p_negative": "number.n_negative",
    "n_infinite": "number.n_infinite", "p_infinite": "number.n_infinite",
    "histogram": "number.histogram", "monotonic": "order", "monotonic_increase": "order",
    "monotonic_decrease": "order", "monotonic_increase_strict": "order",
    "monotonic_decrease_strict": "order", "imbalance": "imbalance", "invalid_dates": "n_unparsed",
    "n_invalid_dates": "n_unparsed", "p_invalid_dates": "n_unparsed",
    "min_length": "text.minimum_length", "max_length": "text.maximum_length",
    "mean_length": "text.mean_length", "median_length": "text.median_length",
    "length_histogram": "number.histogram", "histogram_length": "number.histogram",
    "n_characters": "text.n_characters", "n_characters_distinct": "text.n_distinct_characters",
    "character_counts": "text.frequent_characters", "n_category": "text.character_categories",
    "category_alias_counts": "text.n_by_category", "n_scripts": "text.scripts",
    "script_counts": "text.n_by_script", "n_block_alias": "text.n_by_block",
    "block_alias_counts": "text.n_by_block", "word_counts": "text.frequent_words",
    "first_rows": "--show-rows",
}  # fmt: skip
MISSING = {"bar": "n_missing", "matrix": "gaps.n_missing", "heatmap": "gaps.pairs"}
ALERTS = {
    "CONSTANT": "constant, near-constant", "ZEROS": "zeros", "HIGH_CORRELATION": "redundant",
    "HIGH_CARDINALITY": "many-categories", "UNSUPPORTED": "mixed-types",
    "DUPLICATES": "duplicate-rows", "SKEWED": "skewed", "IMBALANCE": "imbalanced, rare-class",
    "MISSING": "missing, spelled-missing, sentinel", "INFINITE": "infinite",
    "UNIQUE": "unique, id-like", "CONSTANT_LENGTH": "constant-length", "UNIFORM": "uniform",
    "EMPTY": "no-rows, no-columns, empty",
}  # fmt: skip
WHOLE = "characters are counted over a column, not again within each group"
ITSELF = "how it works, no figure"
UNUSED = "the peer names it and never raises it"
WITHOUT = {
    "chi_squared": "its verdict is the finding `uniform`",
    "category_alias_char_counts": WHOLE, "script_char_counts": WHOLE,
    "block_alias_char_counts": WHOLE, "category_alias_values": ITSELF, "block_alias_values": ITSELF,
    "hashable": ITSELF, "ordering": ITSELF, "TYPE_DATE": "texts that are dates are read as dates",
    "NEAR_DUPLICATES": UNUSED, "DIRTY_CATEGORY": UNUSED,
    "REJECTED": "no column is rejected: lists are looked at as text",
    "NON_STATIONARY": "of its time-series mode", "SEASONAL": "of its time-series mode",
}  # fmt: skip


def make_table(n_rows: int = 400) -> pd.DataFrame:
    """Make a small table with a column of each kind that the peer tells apart."""
    rng = np.random.default_rng(0)
    gaps = rng.random(n_rows) < 0.2
    return pd.DataFrame(
        {
            "number": np.where(gaps, np.nan, rng.normal(size=n_rows)),
            "other": np.where(gaps, np.nan, rng.gamma(2, 1, n_rows)),
            "whole": rng.integers(0, 1000, n_rows),
            "named": rng.choice(["red", "green", "Ærø"], n_rows),
            "flag": rng.random(n_rows) < 0.3,
            "text": [f"remark number {k} of somebody" for k in range(n_rows)],
            "when": pd.date_range("2024-01-01", periods=n_rows, freq="h"),
        }
    )


def is_said(path: str) -> bool:
    """Whether a profile or a column of it has this figure."""
    return path.startswith("--") or any(_has(model, path) for model in (Profile, ColumnProfile))


def is_found(codes: str) -> bool:
    """Whether findings of these codes can be made."""
    sources = "".join(inspect.getsource(one) for one in (findings, profiling, shape_findings))
    return all(f'"{code}"' in sources for code in codes.split(", "))


def _has(model: type[BaseModel], path: str) -> bool:
    name, _, rest = path.partition(".")
    field = model.model_fields.get(name)
    if field is None:
        return False
    inner = (field.annotation, *getattr(field.annotation, "__args__", ()))
    models = [one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)]
    return not rest or any(_has(one, rest) for one in models)


def main() -> None:
    """Print the table; end with 1 when the peer says something that is not known here."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ydata", required=True, help="interpreter that has ydata-profiling")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        make_table().to_csv(path, index=False)
        done = subprocess.run(
            [given.ydata, "-c", THEIRS, str(path)],
            capture_output=True, text=True, check=True, env=os.environ | {"MPLBACKEND": "agg"},
        )  # fmt: skip
    theirs: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    ours = {"table": TABLE, "column": COLUMN, "missing": MISSING, "alert": ALERTS}
    n_said = 0
    unknown: list[str] = []
    print("| of | ydata-profiling | p0-foundations |\n| --- | --- | --- |")
    for part, names in theirs.items():
        for name in names:
            said = ours[part].get(name, "")
            is_known = (is_found if part == "alert" else is_said)(said) if said else name in WITHOUT
            unknown += [] if is_known else [name]
            n_said += bool(said)
            print(f"| {part} | {name} | {said or 'none: ' + WITHOUT.get(name, 'not known')} |")
    print(f"\n{n_said} of {sum(map(len, theirs.values()))} are said")
    if unknown:
        sys.exit(f"not known here: {', '.join(unknown)}")


if __name__ == "__main__":
    main()
