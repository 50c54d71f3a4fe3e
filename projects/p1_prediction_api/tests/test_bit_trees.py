"""Trees as bits give the scores of the walk to the last bit, wherever a value falls."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.serving import OnnxModel
from p1_prediction_api.bit_trees import MAX_TABLE_BYTES, BitTrees
from p1_prediction_api.candidates import Candidate, candidates
from p1_prediction_api.column_model import (
    AFTER_TREES_FILE,
    COLUMNS_FILE,
    EXPLAINER_FILE,
    MANY_ROWS,
    ByBits,
    ColumnModel,
)
from p1_prediction_api.encoding import COLUMNS, Encoder
from p1_prediction_api.explaining import Explainer
from p1_prediction_api.export import (
    Fitted,
    explainer,
    export_after_trees,
    export_columns,
    prove_bits,
    tensors,
    with_strangers,
)
from p1_prediction_api.fitted_trees import tree_ensemble
from p1_prediction_api.prepared import Prepared, prepare
from p1_prediction_api.trees import TreeEnsemble
from sklearn.ensemble import RandomForestClassifier

from tests.support.fitted import TASKS, fit, table, unlike_training


@pytest.fixture(scope="module", params=TASKS)
def data(request: pytest.FixtureRequest) -> Prepared:
    return prepare(table(request.param), "t")


def boosted(data: Prepared, n_leaves: int) -> Candidate:
    """A candidate whose trees may have so many leaves."""
    found = [one for one in candidates(data, seed=0) if one.family == "boosted"]
    return next(one for one in found if one.pipeline["model"].max_leaf_nodes == n_leaves)


def published(fitted: Fitted, folder: Path) -> Path:
    explainer(fitted).save(folder / EXPLAINER_FILE)
    export_columns(fitted, folder / COLUMNS_FILE)
    export_after_trees(fitted, folder / AFTER_TREES_FILE)
    return folder


def at_every_split(data: Prepared, fitted: Fitted) -> pd.DataFrame:
    """Values exactly at, just below and just above each split of the first column."""
    trees = explainer(fitted).model.trees
    at = np.unique(np.concatenate([tree.threshold[tree.feature == 0] for tree in trees]))
    with np.errstate(over="ignore"):  # "is it there at all" is a split at the largest number
        up, down = (np.nextafter(at, np.float32(end)) for end in ("inf", "-inf"))
    rows = pd.DataFrame({"a": np.concatenate([at, up, down, [np.inf, -np.inf]])})
    return rows.assign(b=np.float32(4.5), c="x", when=np.float32(2e4))[data.X.columns]


@pytest.mark.parametrize("n_leaves", [15, 31, 63])
def test_bits_and_walk_give_the_same_answers_to_the_last_bit(
    data: Prepared, n_leaves: int, tmp_path: Path
) -> None:
    fitted = fit(data, boosted(data, n_leaves))
    folder = published(fitted, tmp_path)
    rows = [with_strangers(data, data.X, n_rows=5), unlike_training(data)]
    rows = pd.concat([*rows, at_every_split(data, fitted)])
    encoder = explainer(fitted).encoder
    columns = encoder.encode(tensors(data, rows))
    by_bits = ByBits.load(folder)
    assert by_bits is not None
    answers = by_bits.answers(columns, encoder.codes(columns))
    (walked,) = OnnxModel.load(folder / COLUMNS_FILE).run({COLUMNS: columns}).values()
    assert np.array_equal(answers, walked)
    assert prove_bits(fitted, folder, rows[np.isfinite(rows["a"]) | rows["a"].isna()]) < 1e-4


def test_the_same_row_is_answered_alike_alone_and_among_many(tmp_path: Path) -> None:
    data = prepare(table("binary"), "t")
    fitted = fit(data, boosted(data, 31))
    model = ColumnModel.load(published(fitted, tmp_path))
    encoder = explainer(fitted).encoder
    columns = encoder.encode(tensors(data, data.X))[: 9 * MANY_ROWS]
    codes = encoder.codes(columns)
    alone = [model.answers(columns[k : k + 1], codes[:, k : k + 1]) for k in range(len(columns))]
    assert np.array_equal(model.answers(columns, codes), np.concatenate(alone))


def test_a_version_published_before_there_were_bits_is_answered_by_the_walk(
    tmp_path: Path,
) -> None:
    data = prepare(table("number"), "t")
    fitted = fit(data, boosted(data, 31))
    folder = published(fitted, tmp_path)
    columns = explainer(fitted).encoder.encode(tensors(data, data.X))
    codes = explainer(fitted).encoder.codes(columns)
    with_bits = ColumnModel.load(folder).answers(columns, codes)
    (folder / AFTER_TREES_FILE).unlink()
    assert ByBits.load(folder) is None
    assert np.array_equal(ColumnModel.load(folder).answers(columns, codes), with_bits)


def test_linear_models_and_trees_with_many_leaves_have_no_bits(tmp_path: Path) -> None:
    data = prepare(table("binary"), "t")
    for family in ("linear", "dummy"):
        fitted = fit(data, next(one for one in candidates(data, seed=0) if one.family == family))
        export_after_trees(fitted, tmp_path / AFTER_TREES_FILE)
        assert not (tmp_path / AFTER_TREES_FILE).exists()
    encoder = Encoder(("a", "b"), (), {})
    rng = np.random.default_rng(0)
    rows, said = rng.normal(size=(900, 2)), rng.integers(0, 2, 900)
    forest = RandomForestClassifier(3, random_state=0).fit(rows, said)
    assert BitTrees.of(tree_ensemble(forest), encoder) is None


def test_trees_whose_tables_would_be_too_large_have_no_bits() -> None:
    rng = np.random.default_rng(0)
    rows, said = rng.normal(size=(900, 2)), rng.integers(0, 2, 900)
    encoder = Encoder(("a", "b"), (), {})
    few = tree_ensemble(RandomForestClassifier(9, max_leaf_nodes=20).fit(rows, said))
    assert BitTrees.of(few, encoder) is not None
    n_times = int(np.sqrt(MAX_TABLE_BYTES / (9 * 9 * 19 * 4))) * 2
    trees = tuple(
        tree._replace(threshold=tree.threshold + np.float32(k))
        for k in range(n_times)
        for tree in few.trees
    )
    assert BitTrees.of(TreeEnsemble(trees, few.base, few.n_columns), encoder) is None


def test_what_was_saved_is_what_is_turned_into_bits(tmp_path: Path) -> None:
    data = prepare(table("three"), "t")
    fitted = fit(data, boosted(data, 31))
    known = explainer(fitted)
    known.save(tmp_path / EXPLAINER_FILE)
    columns = known.encoder.encode(tensors(data, data.X))
    codes = known.encoder.codes(columns)
    found = [
        BitTrees.of(one.model, one.encoder).scores(columns, codes)
        for one in (known, Explainer.load(tmp_path / EXPLAINER_FILE))
    ]
    assert np.array_equal(*found)
    assert np.allclose(found[0], known.model.scores(columns), atol=1e-5)
