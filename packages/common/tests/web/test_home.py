"""The home page's routes: roadmap, services, progress that is kept, guides, refusals in words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from common.learn.progress import Progress
from common.learn.roadmap import load_roadmap
from common.settings import Settings
from common.web.home import create_home_app
from fastapi.testclient import TestClient

A_LINE = "p1.evaluation"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Read me\n\nHello.")
    (tmp_path / "docs" / "map.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return tmp_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def home(settings: Settings, repository: Path) -> Iterator[TestClient]:
    with TestClient(create_home_app(settings, tuple, repository=repository)) as client:
        yield client


def test_the_front_page_loads_no_script_of_its_own_inline(home: TestClient) -> None:
    answer = home.get("/")
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert " style=" not in answer.text


def test_every_file_that_the_front_page_names_is_there(home: TestClient) -> None:
    text = home.get("/").text
    named = [part.split('"')[0] for part in text.replace("href=", "src=").split('src="')[1:]]
    assert len(named) >= 5
    for path in named:
        assert home.get(path).status_code == 200, path


def test_the_roadmap_comes_with_its_weeks_exercises_and_guides(home: TestClient) -> None:
    course = home.get("/api/roadmap").json()
    roadmap = load_roadmap()
    assert [phase["number"] for phase in course["roadmap"]["phases"]] == [0, 1, 2, 3, 4, 5]
    in_weeks = [line for week in course["weeks"] for line in week["lines"]]
    assert sorted(in_weeks) == sorted(line.id for line in roadmap.lines)
    assert course["guides"] == [{"page": "readme", "title": "Read me"}]


def test_a_tick_is_kept_in_the_data_directory_and_can_be_taken_back(
    home: TestClient, settings: Settings
) -> None:
    for _ in range(2):
        answer = home.put("/api/progress", json={"id": A_LINE, "is_done": True})
    assert answer.status_code == 200
    assert list(home.get("/api/progress").json()["done"]) == [A_LINE]
    assert set(Progress(settings.data_dir).done()) == {A_LINE}
    home.put("/api/progress", json={"id": A_LINE, "is_done": False})
    assert home.get("/api/progress").json()["done"] == {}


def test_a_tick_for_an_unknown_line_is_refused_and_the_nearest_is_named(home: TestClient) -> None:
    answer = home.put("/api/progress", json={"id": "p1.evaluaton", "is_done": True})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert "p1.evaluaton" in problem["detail"]
    assert A_LINE in problem["detail"]
    assert home.get(problem["type"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"is_done": True}, "id"),
        ({"id": A_LINE}, "is_done"),
        ({"id": A_LINE, "is_done": True, "more": 1}, "more"),
        ({"id": "x" * 121, "is_done": True}, "id"),
    ],
)
def test_a_malformed_tick_names_its_field(home: TestClient, body: object, field: str) -> None:
    answer = home.put("/api/progress", json=body)
    assert answer.status_code == 422
    assert [error["field"].split(".")[-1] for error in answer.json()["errors"]] == [field]


def test_a_data_directory_that_cannot_be_written_is_a_problem_in_words(
    tmp_path: Path, repository: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = Settings(data_dir=tmp_path / "file")
    with TestClient(create_home_app(settings, tuple, repository=repository)) as home:
        answer = home.put("/api/progress", json={"id": A_LINE, "is_done": True})
    assert answer.status_code == 503
    assert "progress.json" in answer.json()["detail"]


def test_every_service_of_the_house_is_listed(home: TestClient) -> None:
    services = home.get("/api/services").json()["services"]
    assert [service["phase"] for service in services] == [0, 1, 2, 3, 4, 5]
    assert {service["state"] for service in services} <= {"off", "planned"}


def test_guides_are_pages_and_their_pictures_are_served(home: TestClient) -> None:
    assert '<h1 id="read-me">Read me</h1>' in home.get("/guides/").text
    assert home.get("/guides", follow_redirects=False).headers["location"] == "/guides/"
    assert home.get("/guides/map.svg").headers["content-type"].startswith("image/svg+xml")


def test_a_guide_that_does_not_exist_is_not_found_in_words(home: TestClient) -> None:
    answer = home.get("/guides/nothing")
    assert answer.status_code == 404
    assert "no guide 'nothing'" in answer.json()["detail"]


def test_creating_the_app_touches_neither_disk_nor_network(tmp_path: Path) -> None:
    def refuse() -> tuple[()]:
        raise AssertionError("asked who runs before the start")

    create_home_app(Settings(data_dir=tmp_path / "never"), refuse)
    assert not (tmp_path / "never").exists()
