"""The prediction page as a person who runs a model uses it: watch it, read why it fails, move it.

States that no running service is quickly in (a strong drift, a better shadow) are told to the page
by the contracts' own objects; what a service can be brought to in a test is asked of a real one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
from p1_prediction_api.api import create_app
from p1_prediction_api.diagnosis import Diagnosis, diagnose
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.monitoring.contracts import Monitoring
from p1_prediction_api.publishing import publish
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun, train
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import (
    SCREENSHOTS,
    THEMES,
    WIDTHS,
    Site,
    browser,
    no_sideways_scroll,
    open_page,
    served,
)
from tests.support.contrast import rendered_texts
from tests.support.p1_told import drifted, history, nothing_seen, told

__all__ = ["browser"]
pytestmark = pytest.mark.slow

MONITORING, HISTORY = "/v1/monitoring", "/v1/history"
every_look = [(width, theme) for width in WIDTHS for theme in THEMES]


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    return train(example_table(), target=TARGET, minutes=0.02)


@pytest.fixture(scope="module")
def diagnosis(run: TrainingRun) -> Diagnosis:
    return diagnose(run, minutes=0.2)


@pytest.fixture
def site(run: TrainingRun, diagnosis: Diagnosis) -> Iterator[Site]:
    settings = Settings(poll_s=0.1, train_on_first_start=False)
    publish(run, model=settings.model, alias="champion", settings=settings, diagnosis=diagnosis)
    with served(create_app(settings)) as site:
        yield site


def pictured(page: Page, name: str, width: int, theme: str) -> None:
    """Hold the page to its width and its contrast, and keep a picture of it."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    no_sideways_scroll(page)
    page.screenshot(path=SCREENSHOTS / f"p1-{name}-{width}-{theme}.png", full_page=True)
    assert [text for text in rendered_texts(page) if not text.is_legible] == []


# ------------------------------------------------------------------------------- monitoring
def test_a_fresh_service_says_what_to_do_and_one_press_shows_the_watch_at_work(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?tab=monitoring") as page:
        expect(page.get_by_role("heading", name="No rows seen yet")).to_be_visible()
        page.get_by_role("button", name="Send example rows").click()
        expect(page.locator("#monitoring-verdict")).to_be_visible(timeout=60_000)
        expect(page.locator("figure.chart").first).to_contain_text("60 rows came")


def test_the_verdict_stands_first_and_each_alert_says_what_to_do(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        told(page, MONITORING, drifted())
        page.get_by_role("tab", name="Monitoring").click()
        expect(page.locator("#monitoring-verdict")).to_contain_text("3 of 6 features moved")
        expect(page.get_by_label("Alerts").get_by_role("listitem")).to_have_count(3)
        expect(page.get_by_label("Alerts")).to_contain_text("Ask the source for units and scale")
        expect(page.locator("#live-scores")).to_contain_text("0.96 (0.94 to 0.99)")
        expect(page.locator("#live-scores")).to_contain_text("0.994 (0.988 to 1.000)")
        expect(page.get_by_role("heading", name="The candidate is better")).to_be_visible()
        expect(page.locator("#pane-monitoring")).to_contain_text("stored 1,204 requests")


def test_a_feature_opens_beside_the_table_by_the_keyboard_and_is_an_address(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?tab=monitoring&hours=6") as page:
        told(page, MONITORING, drifted())
        page.reload()
        opener = page.get_by_role("button", name="mean radius")
        opener.focus()
        page.keyboard.press("Enter")
        panel = page.get_by_role("dialog", name="mean radius")
        expect(panel.locator(".plot svg")).to_be_visible()
        expect(panel).to_contain_text("0.410")
        assert "hours=6" in page.url
        assert "feature=mean+radius" in page.url
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)
        expect(opener).to_be_focused()


def test_a_range_is_asked_for_and_kept_in_the_address(browser: Browser, site: Site) -> None:
    with open_page(browser, f"{site.url}/?tab=monitoring") as page:
        told(page, MONITORING, drifted())
        with page.expect_request(lambda request: "hours=168&" in request.url):
            page.get_by_role("radio", name="7 days").check(force=True)
        assert "hours=168" in page.url


def test_it_refreshes_itself_and_says_when_the_service_is_gone(
    browser: Browser, site: Site
) -> None:
    n_rows = iter(range(1_000, 2_000))

    def growing() -> Monitoring:
        return drifted().model_copy(update={"n_rows": next(n_rows)})

    with open_page(browser, "about:blank", expected_errors=("ERR_",)) as page:
        told(page, MONITORING, growing)
        page.clock.install()
        page.goto(f"{site.url}/?tab=monitoring")
        title = page.locator("#pane-monitoring .chart-title").first
        expect(title).to_contain_text("1,000 rows came")
        page.clock.run_for(11_000)
        expect(title).to_contain_text("1,001 rows came")
        page.unroute_all()
        site.stop()
        page.clock.run_for(11_000)
        expect(page.locator(".frame-stale")).to_contain_text("stopped answering")
        expect(page.locator("#pane-monitoring")).to_contain_text("Last heard")
        expect(title).to_contain_text("1,001 rows came")


def test_a_refusal_of_the_watch_is_told_with_its_request_id_and_can_be_tried_again(
    browser: Browser, site: Site
) -> None:
    problem = {
        "title": "The database cannot be read or written now",
        "status": 503,
        "detail": "Try again; predictions are answered all the same.",
    }

    def refuse(route: Route) -> None:
        route.fulfill(
            status=503,
            body=json.dumps(problem),
            headers={"x-request-id": "4f0c2a9e"},
            content_type="application/problem+json",
        )

    with open_page(browser, site.url, expected_errors=("503",)) as page:
        page.route(lambda url: urlparse(url).path == MONITORING, refuse)
        page.get_by_role("tab", name="Monitoring").click()
        pane = page.locator("#pane-monitoring")
        expect(pane).to_contain_text("predictions are answered all the same")
        expect(pane).to_contain_text("4f0c2a9e")
        page.unroute_all()
        told(page, MONITORING, drifted())
        pane.get_by_role("button", name="Try again").click()
        expect(page.locator("#monitoring-verdict")).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"x,Rows,Out of")]
)
def test_the_timeline_can_be_taken_away(
    browser: Browser, site: Site, kind: str, start: bytes
) -> None:
    with open_page(browser, f"{site.url}/?tab=monitoring") as page:
        told(page, MONITORING, drifted())
        page.reload()
        chart = page.locator("figure.chart", has_text="1,204 rows came")
        with page.expect_download() as download:
            chart.get_by_role("button", name=f"Download {kind}").click()
        assert download.value.suggested_filename == f"timeline.{kind.lower()}"
        assert Path(download.value.path()).read_bytes().startswith(start)


@pytest.mark.parametrize(("width", "theme"), every_look)
def test_monitoring_is_legible_and_pictured(
    browser: Browser, site: Site, width: int, theme: str
) -> None:
    with open_page(browser, "about:blank", width=width, theme=theme) as page:
        told(page, MONITORING, drifted())
        page.goto(f"{site.url}/?tab=monitoring")
        expect(page.locator("#features")).to_be_visible()
        pictured(page, "monitoring", width, theme)


def test_a_watch_that_saw_nothing_still_says_how_the_log_is(browser: Browser, site: Site) -> None:
    with open_page(browser, "about:blank") as page:
        told(page, MONITORING, nothing_seen())
        page.goto(f"{site.url}/?tab=monitoring")
        expect(page.locator("#pane-monitoring")).to_contain_text("3 wait")


# ----------------------------------------------------------------------------------- report
def test_the_report_says_its_verdict_and_draws_what_it_rests_on(
    browser: Browser, site: Site, diagnosis: Diagnosis
) -> None:
    with open_page(browser, site.url) as page:
        page.get_by_role("tab", name="Report").click()
        expect(page.locator("#report-verdict")).to_have_text(diagnosis.verdict)
        expect(page.locator("#figures")).to_contain_text("ROC AUC")
        expect(page.locator("#pane-report .js-plotly-plot").nth(5)).to_be_visible()
        assert len(diagnosis.roc) == 1
        area = diagnosis.roc[0].area.value
        roc = page.locator("figure.chart", has_text="ROC area")
        expect(roc).to_contain_text(f"{area:.2f}"[:4])
        page.get_by_role("button", name="What it uses").click()
        expect(page.get_by_role("heading", name="What it uses")).to_be_in_viewport()
        assert "section=use" in page.url


def test_the_diagnosis_can_be_taken_away_as_data(
    browser: Browser, site: Site, diagnosis: Diagnosis
) -> None:
    with open_page(browser, f"{site.url}/?tab=report") as page:
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the diagnosis as JSON").click()
        assert Diagnosis.model_validate_json(Path(download.value.path()).read_text()) == diagnosis
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the diagnosis as HTML").click()
        assert Path(download.value.path()).read_text().startswith("<!doctype html>")


def test_a_version_without_a_diagnosis_says_how_to_get_one_and_how_good_it_is(
    browser: Browser, run: TrainingRun
) -> None:
    settings = Settings(train_on_first_start=False)
    run.publish(settings=settings)
    with (
        served(create_app(settings)) as site,
        open_page(browser, f"{site.url}/?tab=report") as page,
    ):
        expect(page.locator("#pane-report")).to_contain_text("This version has no diagnosis")
        expect(page.locator("#pane-report .code")).to_contain_text("p1-prediction-api train TABLE")
        expect(page.locator("#figures")).to_contain_text("ROC AUC")


@pytest.mark.parametrize(("width", "theme"), every_look)
def test_the_report_is_legible_and_pictured(
    browser: Browser, site: Site, width: int, theme: str
) -> None:
    with open_page(browser, f"{site.url}/?tab=report", width=width, theme=theme) as page:
        page.locator("#pane-report .js-plotly-plot").nth(5).wait_for()
        page.wait_for_load_state("networkidle")
        pictured(page, "report", width, theme)


# ---------------------------------------------------------------------------------- history
def test_the_history_names_who_answers_and_opens_a_version(browser: Browser, site: Site) -> None:
    with open_page(browser, "about:blank") as page:
        told(page, HISTORY, history(serving=2, stands_on=2))
        page.goto(f"{site.url}/?tab=history")
        expect(page.get_by_role("heading", name="Version 2 answers")).to_be_visible()
        expect(page.locator("#versions tbody tr")).to_have_count(3)
        expect(page.locator("#moves li")).to_have_count(2)
        page.get_by_role("button", name="Version 3", exact=True).click()
        panel = page.get_by_role("dialog", name="Version 3")
        expect(panel).to_contain_text("+0.001 better")
        assert "version=3" in page.url


def test_nothing_can_be_moved_where_the_service_does_not_allow_it_and_it_says_why(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, "about:blank") as page:
        told(page, HISTORY, history(serving=2, stands_on=2, may_change=False))
        page.goto(f"{site.url}/?tab=history")
        expect(page.locator("#pane-history")).to_contain_text("P1_ALLOW_PROMOTION=true")
        expect(page.get_by_role("button", name="Promote version 3")).to_be_disabled()
        expect(page.get_by_role("button", name="Roll back")).to_be_disabled()


def test_a_version_is_promoted_after_a_question_and_rolled_back_and_each_answers(
    browser: Browser, site: Site, run: TrainingRun
) -> None:
    publish(run, model=Settings().model, alias=None, settings=Settings())
    with open_page(browser, f"{site.url}/?tab=history") as page:
        page.get_by_role("button", name="Promote version 2").click()
        question = page.get_by_role("dialog", name="Serve version 2?")
        expect(question).to_contain_text("Champion moves from version 1 to version 2")
        question.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("heading", name="Version 1 answers")).to_be_visible()
        page.get_by_role("button", name="Promote version 2").click()
        question.get_by_role("button", name="Promote").click()
        expect(page.get_by_text("Version 2 answers now")).to_be_visible()
        expect(page.get_by_role("heading", name="Version 2 answers")).to_be_visible()
        expect(page.locator("#head")).to_contain_text("version 2")
        page.get_by_role("button", name="Roll back to 1").click()
        page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
        expect(page.get_by_role("heading", name="Version 1 answers")).to_be_visible()
        expect(page.locator("#moves")).to_contain_text("Rolled back to version 1")


def test_a_version_that_cannot_answer_is_refused_in_words_and_the_old_one_goes_on(
    browser: Browser, site: Site
) -> None:
    other = example_table().drop(columns="worst area")
    publish(
        train(other, target=TARGET, minutes=0.0),
        model=Settings().model,
        alias=None,
        settings=Settings(),
    )
    with open_page(browser, f"{site.url}/?tab=history", expected_errors=("409",)) as page:
        page.get_by_role("button", name="Promote version 2").click()
        page.get_by_role("dialog").get_by_role("button", name="Promote").click()
        trouble = page.get_by_role("alert")
        expect(trouble).to_contain_text("This version cannot answer")
        expect(trouble).to_contain_text("worst area")
        expect(page.get_by_role("heading", name="Version 1 answers")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), every_look)
def test_history_and_its_question_are_legible_and_pictured(
    browser: Browser, site: Site, width: int, theme: str
) -> None:
    with open_page(browser, "about:blank", width=width, theme=theme) as page:
        told(page, HISTORY, history())
        page.goto(f"{site.url}/?tab=history")
        expect(page.locator("#versions")).to_be_visible()
        pictured(page, "history", width, theme)
        page.get_by_role("button", name="Promote version 3").click()
        expect(page.get_by_role("dialog", name="Serve version 3?")).to_contain_text("better")
        page.screenshot(path=SCREENSHOTS / f"p1-promote-{width}-{theme}.png")
