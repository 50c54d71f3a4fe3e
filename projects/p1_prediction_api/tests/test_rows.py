import numpy as np
import pytest
from p1_prediction_api.contracts import MISSING, Feature, Signature
from p1_prediction_api.errors import RowError, TooManyRowsError
from p1_prediction_api.rows import RowReader

SIGNATURE = Signature(
    task="regression",
    target="price",
    features=(
        Feature(name="living area", kind="number", unit="m²", low=20, high=300, example=80.0),
        Feature(name="rooms", kind="number", low=1, high=9, example=3.0, may_be_missing=True),
        Feature(
            name="class", kind="category", categories=("flat", "house"), example="flat",
            may_be_missing=True,
        ),
    ),
)  # fmt: skip
ROW = {"living area": 80, "rooms": None, "class": "flat"}


@pytest.fixture
def reader() -> RowReader:
    return RowReader(SIGNATURE, max_rows=3)


def test_rows_become_one_tensor_a_feature(reader: RowReader) -> None:
    tensors = reader.read([ROW, {"living area": 90.5}])
    assert tensors["living area"].tolist() == [[80.0], [90.5]]
    assert np.isnan(tensors["rooms"]).all()
    assert tensors["class"].tolist() == [["flat"], [MISSING]]


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ({**ROW, "living area": "80"}, "rows.0.living area", "number"),
        ({**ROW, "living area": True}, "rows.0.living area", "number"),
        ({**ROW, "living area": None}, "rows.0.living area", "number"),
        ({**ROW, "class": 3}, "rows.0.class", "string"),
        ({**ROW, "garden": 1}, "rows.0.garden", "is not a known field"),
        ({**ROW, "living aera": 1}, "rows.0.living aera", "did you mean 'living area'?"),
        ({"rooms": 1}, "rows.0.living area", "required"),
        ("not a row", "rows.0", "object"),
    ],
)
def test_a_row_that_does_not_fit_names_row_and_field(
    reader: RowReader, row: object, field: str, words: str
) -> None:
    with pytest.raises(RowError) as caught:
        reader.read([row])
    assert caught.value.fields[0].field == field
    assert words in (caught.value.fields[0].message + caught.value.fields[0].accepted)


@pytest.mark.parametrize("rows", [None, {}, [], "rows"])
def test_what_is_no_list_of_rows_is_refused(reader: RowReader, rows: object) -> None:
    with pytest.raises(RowError, match="rows"):
        reader.read(rows)


def test_more_rows_than_the_limit_are_refused_before_any_is_read(reader: RowReader) -> None:
    with pytest.raises(TooManyRowsError, match="at most 3"):
        reader.read(["not even rows"] * 4)


def test_values_unlike_training_are_answered_with_a_warning(reader: RowReader) -> None:
    tensors = reader.read([{"living area": 900, "rooms": 2, "class": "castle"}, ROW])
    strange, usual = reader.warnings(tensors)
    assert strange == [
        "living area = 900 is outside what training saw (20 to 300 m²)",
        "class = 'castle' was not seen in training",
    ]
    assert usual == []


def test_a_missing_value_is_not_unusual_and_a_huge_one_is(reader: RowReader) -> None:
    tensors = reader.read([{"living area": 1e30, "rooms": None}])
    assert len(reader.warnings(tensors)[0]) == 1
