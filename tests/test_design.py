"""The design system in a real browser: contrast, form, chart, panel, tabs, health, theme."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from common.service import create_service
from common.settings import Settings
from common.web import mount_design
from fastapi import FastAPI, Response
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    THEMES,
    browser,
    no_sideways_scroll,
    open_page,
    served,
    take_screenshots,
)
from tests.support.contrast import (
    GRAPHICS_MINIMUM,
    TEXT_MINIMUM,
    ratio,
    rendered_texts,
    token_colours,
)

__all__ = ["browser"]
pytestmark = pytest.mark.slow
EN_DASH = "\N{EN DASH}"

GROUNDS = ("--ground", "--surface", "--sunken", "--raised")
TEXT_PAIRS = [
    *((text, ground) for text in ("--ink", "--ink-2", "--ink-3") for ground in GROUNDS),
    *((text, ground) for text in ("--accent", "--good", "--warn", "--bad") for ground in GROUNDS),
    *((f"--{tone}", f"--{tone}-wash") for tone in ("accent", "good", "warn", "bad")),
    *(
        (ink, f"--{tone}-wash")
        for ink in ("--ink", "--ink-2")
        for tone in ("accent", "warn", "bad")
    ),
    ("--on-accent", "--accent-fill"),
    ("--on-accent", "--accent-fill-hover"),
]
GRAPHICS = (
    "--edge",
    "--accent",
    "--good",
    "--warn",
    "--bad",
    *(f"--series-{n}" for n in range(1, 9)),
)
GRAPHIC_PAIRS = [(graphic, ground) for graphic in GRAPHICS for ground in ("--ground", "--surface")]


PLAIN_PAGE = '<!doctype html><title>page</title><link rel="icon" href="/design/mark.svg">'


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    service = create_service("gallery", settings, title="Gallery", summary="", version="0")
    page_dir = Path(tmp_path_factory.mktemp("page"))
    (page_dir / "index.html").write_text(PLAIN_PAGE)
    service.pages(page_dir)
    with served(service.app) as site:
        yield f"{site.url}/design/gallery.html"


@pytest.fixture
def page(browser: Browser, gallery: str) -> Iterator[Page]:
    with open_page(browser, gallery) as opened:
        yield opened


@pytest.mark.parametrize("theme", THEMES)
def test_every_pair_of_tokens_has_the_contrast_that_its_use_needs_under_every_accent(
    browser: Browser, gallery: str, theme: str
) -> None:
    names = sorted({name for pair in (*TEXT_PAIRS, *GRAPHIC_PAIRS) for name in pair})
    with open_page(browser, gallery, theme=theme) as page:
        themes = {phase: token_colours(page, names, phase) for phase in (None, *range(6))}
    weak = [
        (phase, text, ground, round(ratio(colours[text], colours[ground]), 2))
        for phase, colours in themes.items()
        for pairs, minimum in ((TEXT_PAIRS, TEXT_MINIMUM), (GRAPHIC_PAIRS, GRAPHICS_MINIMUM))
        for text, ground in pairs
        if ratio(colours[text], colours[ground]) < minimum
    ]
    assert weak == []


@pytest.mark.parametrize("theme", THEMES)
def test_every_text_of_every_component_is_legible(
    browser: Browser, gallery: str, theme: str
) -> None:
    with open_page(browser, gallery, theme=theme) as page:
        expect(page.get_by_role("heading", name="Code, files, tabs")).to_be_visible()
        texts = rendered_texts(page)
    assert len(texts) > 80
    assert [text for text in texts if not text.is_legible] == []


def test_the_six_accents_differ_in_hue_alone(page: Page) -> None:
    accents = [token_colours(page, ["--accent"], phase)["--accent"] for phase in range(6)]
    assert len(set(accents)) == 6
    on_white = [ratio(accent, (255, 255, 255)) for accent in accents]
    assert max(on_white) / min(on_white) < 1.15


def test_the_theme_follows_the_system_until_a_person_chooses_and_the_choice_stays(
    browser: Browser, gallery: str
) -> None:
    with open_page(browser, gallery, theme="dark") as page:
        dark = token_colours(page, ["--ground"], None)["--ground"]
        page.get_by_role("button", name="Theme: system").click()
        light = token_colours(page, ["--ground"], None)["--ground"]
        page.reload()
        assert token_colours(page, ["--ground"], None)["--ground"] == light
        expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
    assert sum(dark[:3]) < 150
    assert sum(light[:3]) > 600


def test_a_form_shows_type_unit_range_and_example_from_its_schema(page: Page) -> None:
    age = page.get_by_role("spinbutton", name="Age")
    expect(age).to_have_attribute("type", "number")
    expect(age).to_have_attribute("placeholder", "e.g. 61")
    field = page.locator(".field", has=age)
    expect(field).to_contain_text("years")
    expect(field).to_contain_text(f"0 {EN_DASH} 120")
    assert page.get_by_role("combobox", name="Contract").locator("option").all_inner_texts() == [
        "Choose…",
        "month to month",
        "one year",
        "two years",
    ]


def test_a_wrong_value_is_explained_at_its_field_and_the_focus_goes_there(page: Page) -> None:
    page.get_by_role("spinbutton", name="Age").fill("200")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#f-age-error")).to_have_text(
        f"200 is too large; accepted: 0 {EN_DASH} 120."
    )
    expect(page.locator("#f-contract-error")).to_have_text("Please choose one.")
    expect(page.get_by_role("spinbutton", name="Age")).to_be_focused()
    page.get_by_role("spinbutton", name="Age").fill("61")
    expect(page.locator("#f-age-error")).to_be_hidden()


def test_a_refusal_lands_at_the_field_it_names_and_nothing_typed_is_lost(page: Page) -> None:
    page.get_by_role("button", name="Fill with the example").click()
    page.get_by_label("Monthly charge").fill("7035")
    page.get_by_label("Note").fill("my own words")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#f-monthly-error")).to_contain_text("Accepted: 18.25 to 118.75")
    trouble = page.locator("form [role=alert].state")
    expect(trouble).to_contain_text("4f0c2a9e")
    expect(page.get_by_label("Monthly charge")).to_have_value("7035")
    expect(page.get_by_label("Note")).to_have_value("my own words")
    page.reload()
    expect(page.get_by_label("Note")).to_have_value("my own words")


def test_a_valid_form_sends_typed_values_and_leaves_out_what_is_empty(page: Page) -> None:
    page.get_by_role("spinbutton", name="Age").fill("61")
    page.get_by_label("Monthly charge").fill("70.5")
    page.get_by_role("combobox", name="Contract").select_option(label="one year")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#sent")).to_have_text('{"age":61,"monthly":70.5,"contract":"one year"}')


def test_a_chart_says_its_finding_and_offers_table_and_downloads(page: Page) -> None:
    chart = page.locator("figure.chart", has_text="Validation loss stops falling")
    expect(chart.locator(".js-plotly-plot")).to_be_visible()
    expect(chart).to_contain_text("Loss")
    expect(chart).to_contain_text("Step (thousand)")
    expect(chart.locator(".annotation-text", has_text="narrow")).to_be_visible()
    chart.get_by_role("button", name="Show as a table").click()
    header = chart.locator("th").all_inner_texts()
    assert header == ["Series", "Step (thousand)", "Loss"]
    assert chart.locator("tbody tr").count() == 48


@pytest.mark.parametrize(
    ("kind", "start"),
    [("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"Series,Step (thousand),Loss")],
)
def test_each_download_of_a_chart_is_what_it_says(page: Page, kind: str, start: bytes) -> None:
    chart = page.locator("figure.chart", has_text="Validation loss stops falling")
    chart.locator(".js-plotly-plot").wait_for()
    with page.expect_download() as download:
        chart.get_by_role("button", name=f"Download {kind}").click()
    assert download.value.suggested_filename == f"loss.{kind.lower()}"
    assert Path(download.value.path()).read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("kind", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"x,Rows,Missing")]
)
def test_a_plot_without_plotly_has_the_same_downloads(page: Page, kind: str, start: bytes) -> None:
    figure = page.locator("figure.chart", has_text="Rows doubled on the 15th")
    figure.locator(".plot svg").wait_for()
    with page.expect_download() as download:
        figure.get_by_role("button", name=f"Download {kind}").click()
    assert Path(download.value.path()).read_bytes().startswith(start)


def test_a_plot_reads_its_figures_under_the_pointer_in_every_panel(page: Page) -> None:
    picture = page.locator("figure.chart", has_text="Rows doubled on the 15th").locator(".plot")
    picture.hover(position={"x": 60, "y": 60})
    expect(picture.locator(".readout").first).to_have_text("20")
    picture.hover(position={"x": 300, "y": 60})
    expect(picture.locator(".readout").first).to_have_text("41")
    assert picture.locator(".readout").count() == 3


def test_one_of_a_few_is_chosen_by_the_arrow_keys(page: Page) -> None:
    page.get_by_role("radio", name="24 hours").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="1 hour")).to_be_checked()
    expect(page.locator(".toasts")).to_contain_text("1 hours")


def test_a_decision_is_asked_and_left_by_escape_with_the_focus_back(page: Page) -> None:
    opener = page.get_by_role("button", name="Promote version 2")
    opener.click()
    expect(page.get_by_role("dialog", name="Serve version 2?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".toasts")).to_contain_text("Left as it was")
    expect(opener).to_be_focused()
    opener.click()
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(page.locator(".toasts")).to_contain_text("Promoted")


def test_a_label_that_is_not_listed_can_be_written(page: Page) -> None:
    page.get_by_role("button", name="Fill with the example").click()
    page.get_by_role("combobox", name="Region").select_option("Another value…")
    page.get_by_label("Region: another value").fill("west")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#sent")).to_contain_text('"region":"west"')
    page.reload()
    expect(page.get_by_label("Region: another value")).to_have_value("west")


def test_plotly_is_loaded_by_pages_that_draw_and_by_no_other(
    browser: Browser, gallery: str
) -> None:
    asked: list[str] = []
    with open_page(browser, "about:blank") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(gallery.replace("/design/gallery.html", "/"))
        assert not [url for url in asked if "plotly" in url]
        page.goto(gallery)
        page.locator(".js-plotly-plot").first.wait_for()
        assert len([url for url in asked if "plotly" in url]) == 1


def test_a_panel_is_a_url_and_gives_the_focus_back(page: Page) -> None:
    opener = page.get_by_role("button", name="Open the panel")
    opener.click()
    expect(page.get_by_role("dialog", name="A detail")).to_be_focused()
    assert "detail=one" in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    page.go_back()
    expect(page.get_by_role("dialog", name="A detail")).to_be_visible()


def test_tabs_move_with_arrows_and_are_in_the_url(page: Page) -> None:
    page.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tabpanel")).to_have_text("The second pane.")
    assert "tab=b" in page.url
    page.reload()
    expect(page.get_by_role("tab", name="Data")).to_have_attribute("aria-selected", "true")


def test_a_command_can_be_copied(page: Page) -> None:
    page.get_by_role("button", name="Copy the command").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "uv run p1-prediction-api train data.csv --target churn"


class Weather:
    """A readiness answer that the test changes."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.reason: str | None = None
        self.app.add_api_route("/health-of-test", self.answer)

    async def answer(self) -> Response:
        if self.reason is None:
            return Response(status_code=200)
        body = f'{{"title": "Not ready", "detail": "{self.reason}"}}'
        return Response(body, 503, media_type="application/json")


def test_the_health_dot_shows_ready_waiting_and_gone_in_words(browser: Browser) -> None:
    weather = Weather()
    url = "/design/gallery.html?health=/health-of-test"
    expected = ("503", "ERR_CONNECTION_REFUSED")
    mount_design(weather.app)
    with (
        served(weather.app) as site,
        open_page(browser, site.url + url, expected_errors=expected) as page,
    ):
        expect(page.get_by_role("button", name="Service: Ready")).to_be_visible()
        weather.reason = "no model yet"
        page.get_by_role("button", name="Service: Ready").click()
        waiting = page.get_by_role("button", name="Service: Not ready")
        expect(waiting).to_have_attribute("title", "no model yet")
        site.stop()
        waiting.click()
        expect(page.locator(".frame-stale")).to_contain_text("stopped answering at")
        expect(page.locator("html")).to_have_attribute("data-service", "gone")


def test_the_gallery_fits_360_px_and_is_pictured(browser: Browser, gallery: str) -> None:
    taken = take_screenshots(browser, gallery, "design", ready=".js-plotly-plot")
    assert len(taken) == 4
    with open_page(browser, gallery, width=360) as page:
        no_sideways_scroll(page)
