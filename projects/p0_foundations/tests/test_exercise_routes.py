"""The exercises over HTTP: by criterion, hints counted with the command's, never a solution."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from common.learn.exercises import find_exercises
from common.learn.progress import Progress
from common.service.client import ServiceClient, connect_app
from p0_foundations.api import create_app
from p0_foundations.settings import Settings

pytestmark = pytest.mark.anyio
NAME = "the-number-that-costs-least"
ADDRESS = f"/v1/exercises/{NAME}"


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path / "data")


@pytest.fixture
async def lab(progress: Progress) -> AsyncGenerator[ServiceClient]:
    async with connect_app(create_app(Settings(data_dir=progress.path.parent))) as client:
        yield client


async def test_every_exercise_of_the_phase_is_listed_with_its_criterion(lab: ServiceClient) -> None:
    items = (await lab.http.get("/v1/exercises")).json()
    assert {f"p0/{item['name']}" for item in items} == {
        one.id for one in find_exercises() if one.phase == 0
    }
    criteria = [item["criterion"] for item in items]
    assert len(set(criteria)) == 3
    assert criteria == sorted(criteria, key=criteria.index), "those of a criterion stand together"
    assert all(item["done_at"] is None and item["n_hints"] >= 2 for item in items)


async def test_a_task_is_rendered_and_hints_come_one_by_one(lab: ServiceClient, progress) -> None:
    first = (await lab.http.get(ADDRESS)).json()
    assert "<code>best_constant(y, loss)</code>" in first["task_html"]
    assert first["title"] not in first["task_html"]
    assert first["hints_html"] == []
    for n in range(1, first["n_hints"] + 3):
        taken = (await lab.http.post(f"{ADDRESS}/hints")).json()
        assert len(taken["hints_html"]) == min(n, first["n_hints"])
    assert progress.n_hints(f"p0/{NAME}") == first["n_hints"]


async def test_what_the_command_marked_is_seen(lab: ServiceClient, progress: Progress) -> None:
    progress.mark(f"p0/{NAME}")
    progress.take_hint(f"p0/{NAME}")
    answer = (await lab.http.get(ADDRESS)).json()
    assert answer["done_at"].startswith("20")
    assert answer["n_hints_taken"] == 1
    assert answer["check_command"] == f"uv run roadmap exercises check p0/{NAME}"


@pytest.mark.parametrize("method", ["get", "post"])
async def test_an_unknown_exercise_is_a_problem_that_names_the_nearest(lab, method: str) -> None:
    address = "/v1/exercises/the-largest-stepp"
    answer = await (lab.http.get(address) if method == "get" else lab.http.post(f"{address}/hints"))
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (404, "/problems/unknown-exercise")
    assert "the-largest-step" in problem["detail"].removeprefix("there is no exercise 'the-large")


async def test_progress_that_cannot_be_kept_is_a_problem(lab, progress: Progress) -> None:
    progress.path.parent.mkdir(exist_ok=True)
    progress.path.mkdir()
    answer = await lab.http.post(f"{ADDRESS}/hints")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/progress-not-kept")
