"""The rooms on descent and losses over HTTP: the library's own figures, refusals in words."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from common.service.client import ServiceClient, connect_app
from p0_foundations import GradientDescent, minimise, parse_formula
from p0_foundations.api import create_app
from p0_foundations.lab_contracts import Descent, FittedLine, NamedFunction, Surface
from p0_foundations.settings import Settings
from pydantic import TypeAdapter

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncGenerator[ServiceClient]:
    async with connect_app(create_app(Settings(data_dir=tmp_path / "data"))) as client:
        yield client


async def test_a_search_over_http_is_the_librarys_own(lab: ServiceClient) -> None:
    asked = {"formula": "x^2 + 3*y^2", "start": [2, 1], "step_size": 0.1, "steps": 30}
    found = Descent.model_validate_json((await lab.http.post("/v1/descend", json=asked)).content)
    path = minimise(parse_formula("x^2 + 3*y^2").at, [2, 1], GradientDescent(0.1), steps=30)
    assert found.points == [tuple(one) for one in path.points.tolist()]
    assert found.losses == path.losses.tolist()
    assert (found.verdict, found.reason) == (path.verdict, path.reason)
    assert found.step_limit == pytest.approx(1 / 3)


async def test_a_search_that_diverges_is_an_answer_of_finite_numbers(lab: ServiceClient) -> None:
    asked = {"formula": "exp(x^2) + y^2", "start": [2, 1], "step_size": 5}
    found = Descent.model_validate_json((await lab.http.post("/v1/descend", json=asked)).content)
    assert found.verdict == "diverged"
    assert "step 1" in found.reason


async def test_a_surface_says_null_where_there_is_no_value(lab: ServiceClient) -> None:
    asked = {"formula": "log(x) + 1/y", "x": [-1, 1], "y": [-1, 1], "n": 5}
    answer = await lab.http.post("/v1/surface", json=asked)
    found = Surface.model_validate_json(answer.content)
    assert found.values[0][:3] == [None, None, None]
    assert found.values[2] == [None] * 5
    assert found.values[4][4] == 1.0
    assert (found.lowest, found.highest) == (pytest.approx(-2.693147), pytest.approx(2.0))


async def test_every_named_function_is_read_and_drawn(lab: ServiceClient) -> None:
    answer = await lab.http.get("/v1/functions")
    named = TypeAdapter(list[NamedFunction]).validate_json(answer.content)
    assert {"bowl", "valley", "rosenbrock", "himmelblau", "saddle"} <= {one.name for one in named}
    for one in named:
        asked = {"formula": one.formula, "x": one.x, "y": one.y, "n": 11}
        assert (await lab.http.post("/v1/surface", json=asked)).status_code == 200


async def test_lines_come_for_every_loss_of_the_task(lab: ServiceClient) -> None:
    asked = {"points": [[0, 0], [1, 1], [2, 2], [3, 9]]}
    answer = await lab.http.post("/v1/fit-line", json=asked)
    lines = {one.loss: one for one in TypeAdapter(list[FittedLine]).validate_json(answer.content)}
    assert list(lines) == ["squared", "absolute", "huber"]
    assert lines["squared"].slope == pytest.approx(2.8)
    assert lines["absolute"].slope == pytest.approx(1.0)
    labelled = {"points": [[0, -1], [1, 1], [2, -1], [3, 1]], "task": "labels"}
    answer = await lab.http.post("/v1/fit-line", json=labelled)
    assert [one["loss"] for one in answer.json()] == ["squared", "logistic", "hinge"]


REFUSED = {
    "a formula that ends early": ("descend", {"formula": "x^2 +", "start": [0, 0]}, "column"),
    "a formula that calls": ("surface", {"formula": "open(x)"}, "column 1: 'open' is not"),
    "a start without value": ("descend", {"formula": "log(x)", "start": [-1, 0]}, "no finite"),
    "too many steps": ("descend", {"formula": "x", "start": [0, 0], "steps": 9999}, "2000"),
    "a window inside out": ("surface", {"formula": "x", "x": [1, -1]}, "smaller to a larger"),
    "too fine a grid": ("surface", {"formula": "x", "n": 500}, "101"),
    "one x only": ("fit-line", {"points": [[1, 0], [1, 1]]}, "two different x"),
    "a loss of the other task": (
        "fit-line", {"points": [[0, 0], [1, 1]], "loss": "hinge"}, "use squared",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_done_is_a_problem_in_words(lab: ServiceClient, name: str) -> None:
    route, asked, words = REFUSED[name]
    answer = await lab.http.post(f"/v1/{route}", json=asked)
    assert answer.status_code == 422
    assert words in answer.text
    page = await lab.http.get(answer.json()["type"])
    assert page.status_code == 200


async def test_an_unreadable_formula_names_its_field_and_what_is_accepted(
    lab: ServiceClient,
) -> None:
    answer = await lab.http.post("/v1/surface", json={"formula": "x + z"})
    (field,) = answer.json()["errors"]
    assert field["field"] == "formula"
    assert field["message"] == "column 5: 'z' is not known"
    assert "sin" in field["accepted"]
