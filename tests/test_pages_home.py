"""The home page as a person uses it: by keyboard, by address, on a phone, when the service goes."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from common.learn.progress import Progress
from common.learn.roadmap import Roadmap, load_roadmap
from common.platform.states import ServiceState, State
from common.settings import Settings
from common.web.home import create_home_app
from fastapi import FastAPI, Response
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import (
    THEMES,
    Site,
    browser,
    no_sideways_scroll,
    open_page,
    served,
    take_screenshots,
)
from tests.support.contrast import rendered_texts

__all__ = ["browser"]
pytestmark = pytest.mark.slow

EXERCISE = "p1/the-scaler-that-knew"
METRICS = '# TYPE model_info gauge\nmodel_info{model="diabetes",version="3"} 1.0\n'
REFUSED = ("ERR_CONNECTION_REFUSED",)


def mixed_roadmap() -> Roadmap:
    """The real roadmap as if phase 1 and a line of phase 0 were built, whatever is built today."""
    document = load_roadmap().model_dump(mode="json")
    for phase in document["phases"]:
        parts = phase["project"]["parts"] if phase["project"] else []
        for line in (*phase["topics"], *phase["tools"], *parts, *phase["criteria"]):
            is_built = phase["number"] == 1 or line["id"] == "p0.vectors"
            line.update(status="planned", file="", command="", exercises=[])
            if is_built:
                line.update(
                    status="built",
                    file="projects/p1_prediction_api/README.md",
                    command="uv run p1-prediction-api",
                    exercises=[EXERCISE],
                )
    return Roadmap.model_validate(document)


def prediction_api() -> FastAPI:
    """Stand in for the P1 service: what the home page asks of any service."""
    app = FastAPI()
    app.add_api_route("/readyz", lambda: {"status": "ready"})
    app.add_api_route("/version", lambda: {"version": "0.1.0"})
    app.add_api_route("/metrics", lambda: Response(METRICS, media_type="text/plain"))
    return app


@pytest.fixture(scope="module")
def p1() -> Iterator[Site]:
    with served(prediction_api()) as site:
        yield site


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def home_app(settings: Settings, p1: Site) -> FastAPI:
    state = ServiceState(
        name="p1",
        title="Prediction API",
        url=p1.url,
        state=State.READY,
        since=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return create_home_app(settings, lambda: [state], roadmap=mixed_roadmap())


@pytest.fixture
def home(home_app: FastAPI) -> Iterator[Site]:
    with served(home_app) as site:
        yield site


@pytest.fixture
def page(browser: Browser, home: Site) -> Iterator[Page]:
    with open_page(browser, home.url) as opened:
        opened.locator(".station").first.wait_for()
        yield opened


def tick(page: Page, label: str) -> None:
    page.locator("#week").get_by_label(label, exact=True).check()


def test_the_map_shows_six_stations_and_says_what_each_is(page: Page) -> None:
    labels = [s.get_attribute("aria-label") or "" for s in page.locator(".station").all()]
    assert [label.split(",")[0] for label in labels] == [f"Phase {n}" for n in range(6)]
    assert "running, 15 of 15 built" in labels[1]
    assert "built, 1 of 12 built" in labels[0]
    assert "planned" in labels[5]
    expect(page.locator("#intro")).to_contain_text("16 of 87 built")


def test_planned_built_running_and_learned_are_marks_of_different_shape(page: Page) -> None:
    def shape(line: str) -> str:
        mark = page.locator(f'.stop[data-id="{line}"] .mark')
        return str(mark.evaluate("m => [...m.children].map((e) => e.className.baseVal).join()"))

    tick(page, "Probability basics (mean, variance, distributions)")
    page.locator('.stop[data-id="p0.probability"] .mark[data-kind="learned"]').wait_for()
    shapes = [shape(line) for line in ("p0.vectors", "p1.trees", "p0.probability")]
    assert len(set(shapes)) == 3
    dashes = page.locator('.stop[data-id="p0.gradients"] .mark-ring')
    assert dashes.evaluate("e => getComputedStyle(e).strokeDasharray") != "none"


def test_a_person_tabs_to_a_station_opens_it_and_comes_back(page: Page) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.id") == "p1":
            break
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Machine Learning Fundamentals")
    expect(panel).to_be_focused()
    assert page.url.endswith("?at=p1")
    expect(panel).to_contain_text("uv run p1-prediction-api")
    page.keyboard.press("Escape")
    expect(page.locator('.station[data-id="p1"]')).to_be_focused()


def test_arrow_keys_walk_along_the_line_and_its_branches(page: Page) -> None:
    def focused() -> object:
        return page.evaluate("document.activeElement.dataset.id")

    page.locator('.station[data-id="p0"]').focus()
    page.keyboard.press("ArrowUp")
    assert focused() == "p0.vectors"
    page.keyboard.press("ArrowRight")
    assert focused() == "p1"
    page.keyboard.press("ArrowDown")
    assert focused() == "p1.supervised"


def test_a_built_topic_names_its_file_its_command_and_its_exercise(page: Page) -> None:
    page.get_by_role("link", name="Decision trees and ensembles: running").click()
    panel = page.get_by_role("dialog", name="Decision trees and ensembles")
    expect(panel).to_contain_text("projects/p1_prediction_api/README.md")
    expect(panel).to_contain_text("uv run p1-prediction-api")
    expect(panel).to_contain_text(f"uv run roadmap exercises start {EXERCISE}")
    page.reload()
    expect(page.get_by_role("dialog", name="Decision trees and ensembles")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_planned_topic_says_so_and_offers_nothing_to_run(page: Page) -> None:
    page.get_by_role("link", name="Embeddings: planned").click()
    panel = page.get_by_role("dialog", name="Embeddings")
    expect(panel).to_contain_text("This is planned.")
    expect(panel.locator(".code")).to_have_count(0)


def test_an_address_that_names_nothing_says_so_and_leads_back(page: Page) -> None:
    page.goto(page.url + "?at=p9.nothing")
    panel = page.get_by_role("dialog", name="Not on the map")
    panel.get_by_role("button", name="Back to the map").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_tick_is_kept_over_a_reload_and_in_the_data_directory(
    page: Page, settings: Settings
) -> None:
    with page.expect_response(lambda r: r.request.method == "PUT" and r.ok):
        tick(page, "Python for ML")
    page.reload()
    expect(page.locator("#week").get_by_label("Python for ML", exact=True)).to_be_checked()
    expect(page.locator("#intro")).to_contain_text("1 of 87 learned")
    assert set(Progress(settings.data_dir).done()) == {"p0.python"}


def test_the_checklist_moves_by_weeks_and_the_week_is_in_the_address(page: Page) -> None:
    page.get_by_role("button", name="Next week").click()
    expect(page.locator("#week-title")).to_have_text("Week 2 of 51")
    expect(page.get_by_role("button", name="Next week")).to_be_focused()
    page.reload()
    expect(page.locator("#week-title")).to_have_text("Week 2 of 51")
    page.get_by_role("link", name="back to your week").click()
    expect(page.locator("#week-title")).to_have_text("Week 1 of 51")


def test_the_services_show_what_runs_where_and_with_which_model(page: Page, p1: Site) -> None:
    services = page.locator("#services")
    expect(services.get_by_role("link", name="Prediction API")).to_have_attribute(
        "href", f"{p1.url}/"
    )
    expect(services).to_contain_text("diabetes v3")
    expect(services.get_by_role("link", name="API", exact=True)).to_have_attribute(
        "href", f"{p1.url}/docs"
    )


def test_when_the_service_goes_the_page_says_so_and_a_tick_waits_for_its_return(
    browser: Browser, home_app: FastAPI, settings: Settings
) -> None:
    site_again = create_home_app(settings, tuple, roadmap=mixed_roadmap())
    with (
        served(home_app) as home,
        open_page(browser, home.url, expected_errors=REFUSED) as page,
    ):
        page.locator("#week input").first.wait_for()
        home.stop()
        page.get_by_role("button", name="Service: Ready").click()
        expect(page.locator(".frame-stale")).to_contain_text("The service stopped answering at")
        tick(page, "Python for ML")
        expect(page.locator("#week")).to_contain_text("not saved")
        expect(page.locator("#week").get_by_label("Python for ML", exact=True)).to_be_checked()
        with served(site_again, port=home.port):
            page.locator(".frame-stale").get_by_role("button", name="Try again").click()
            expect(page.locator(".frame-stale")).to_be_hidden()
            expect(page.locator("#week")).not_to_contain_text("not saved")
            assert set(Progress(settings.data_dir).done()) == {"p0.python"}


def test_a_failure_shows_what_happened_and_a_request_id_and_can_be_tried_again(
    browser: Browser, home: Site
) -> None:
    def fail(route: Route) -> None:
        problem = {"title": "Something went wrong", "status": 500, "detail": "Try again."}
        route.fulfill(
            status=500,
            headers={"x-request-id": "abc123", "content-type": "application/problem+json"},
            body=json.dumps(problem),
        )

    with open_page(browser, "about:blank", expected_errors=("500",)) as page:
        page.route("**/api/roadmap", fail)
        page.goto(home.url)
        trouble = page.locator("#map").get_by_role("alert")
        expect(trouble).to_contain_text("Something went wrong")
        expect(trouble).to_contain_text("abc123")
        page.unroute("**/api/roadmap")
        trouble.get_by_role("button", name="Try again").click()
        expect(page.locator(".station")).to_have_count(6)


def test_a_service_with_keys_asks_for_one_and_remembers_it_in_this_tab(
    browser: Browser, tmp_path: Path
) -> None:
    digest = hashlib.sha256(b"sesame").hexdigest()
    settings = Settings(data_dir=tmp_path / "data", api_keys=(digest,))
    with (
        served(create_home_app(settings, tuple)) as home,
        open_page(browser, home.url, expected_errors=("401",)) as page,
    ):
        trouble = page.locator("#map").get_by_role("alert")
        trouble.get_by_label("API key").fill("wrong")
        trouble.get_by_role("button", name="Use this key").click()
        expect(trouble.get_by_label("API key")).to_have_value("")
        trouble.get_by_label("API key").fill("sesame")
        trouble.get_by_role("button", name="Use this key").click()
        expect(page.locator(".station")).to_have_count(6)
        page.reload()
        expect(page.locator(".station")).to_have_count(6)


def test_at_360_px_the_map_runs_down_and_nothing_scrolls_sideways(
    browser: Browser, home: Site
) -> None:
    with open_page(browser, home.url, width=360) as page:
        expect(page.locator('.map[data-layout="tall"]')).to_be_visible()
        tops = [(s.bounding_box() or {"y": 0})["y"] for s in page.locator(".station").all()]
        assert tops == sorted(tops)
        assert tops[-1] - tops[0] > 800
        no_sideways_scroll(page)
        page.get_by_role("link", name="Decision trees and ensembles: running").click()
        panel = page.get_by_role("dialog", name="Decision trees and ensembles")
        box = panel.bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, 360)
        no_sideways_scroll(page)


@pytest.mark.parametrize("width", [1440, 1000, 360])
def test_no_two_labels_of_the_map_overlap(browser: Browser, home: Site, width: int) -> None:
    with open_page(browser, home.url, width=width) as page:
        page.locator(".station").first.wait_for()
        boxes = page.locator(".map text:not(.station-number)").evaluate_all(
            "texts => texts.map((t) => [t.textContent, t.getBoundingClientRect().toJSON()])"
        )
    overlapping = [
        (one, other)
        for k, (one, a) in enumerate(boxes)
        for other, b in boxes[k + 1 :]
        if a["left"] < b["right"]
        and b["left"] < a["right"]
        and a["top"] < b["bottom"] - 1
        and b["top"] < a["bottom"] - 1
    ]
    assert len(boxes) > 40
    assert overlapping == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", ["/", "/?at=p1.trees", "/?at=p3", "/guides/"])
def test_every_text_of_the_page_is_legible(
    browser: Browser, home: Site, theme: str, path: str
) -> None:
    with open_page(browser, home.url + path, theme=theme) as page:
        page.wait_for_load_state("networkidle")
        texts = rendered_texts(page)
    assert len(texts) > 20
    assert [text for text in texts if not text.is_legible] == []


def test_a_guide_reads_like_a_page_and_its_commands_can_be_copied(page: Page, home: Site) -> None:
    page.goto(f"{home.url}/guides/")
    expect(page.get_by_role("navigation", name="Guides")).to_be_visible()
    page.locator(".prose pre").first.get_by_role("button", name="Copy").click()
    assert "uv run" in str(page.evaluate("navigator.clipboard.readText()"))


PICTURES = {
    "home": ("/", ".station"),
    "home-topic": ("/?at=p1.trees", ".panel"),
    "home-phase": ("/?at=p3", ".panel"),
    "guide": ("/guides/", ".prose h1"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_pages_are_pictured_in_both_themes_and_widths(
    browser: Browser, home: Site, settings: Settings, name: str
) -> None:
    for line in ("p0.vectors", "p0.gradients", "p0.python", "p1.trees"):
        Progress(settings.data_dir).mark(line)
    path, ready = PICTURES[name]
    is_full_page = name == "home"
    taken = take_screenshots(browser, home.url + path, name, ready=ready, is_full_page=is_full_page)
    assert [path.stat().st_size > 10_000 for path in taken] == [True] * 4
