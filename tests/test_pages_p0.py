"""The lab's page as a person uses it: drop a table, read the verdict, look closer, compare two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from p0_foundations.api import PAGE_DIR, create_app
from p0_foundations.settings import Settings
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    HEIGHT,
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

__all__ = ["browser"]
pytestmark = pytest.mark.slow

MARCH, JUNE = PAGE_DIR / "example-march.csv", PAGE_DIR / "example-june.csv"
REFUSED = ("422", "413", "ERR_CONNECTION_REFUSED")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Site]:
    with served(create_app(Settings(data_dir=tmp_path / "data"))) as site:
        yield site


def drop(page: Page, *paths: Path, pane: str = "profile") -> None:
    page.locator(f"#pane-{pane} input[type=file]").first.set_input_files(list(paths))


def profiled(page: Page) -> None:
    drop(page, MARCH)
    expect(page.locator("#pane-profile #verdict")).to_contain_text("rows")


def compared(page: Page) -> None:
    page.get_by_role("tab", name="Compare two").click()
    drop(page, MARCH, JUNE, pane="compare")
    expect(page.locator("#pane-compare #verdict")).to_contain_text("moved")


def test_a_person_drops_a_table_and_reads_the_verdict_then_what_is_wrong(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, f"{lab.url}/?tab=profile") as page:
        profiled(page)
        expect(page.locator("#verdict")).to_contain_text("Usable with care")
        expect(page.get_by_text("'monthly_fee' holds -999")).to_be_visible()
        expect(page.locator(".column")).to_have_count(11)


def test_naming_the_target_finds_the_column_that_gives_it_away(browser: Browser, lab: Site) -> None:
    with open_page(browser, f"{lab.url}/?tab=profile") as page:
        profiled(page)
        page.get_by_label("Column to predict").select_option("left")
        expect(page.locator("#verdict")).to_contain_text("'exit_reason' alone predicts 'left'")
        expect(page.get_by_role("heading", name="exit_reason may give left away")).to_be_visible()


def test_a_column_opens_in_a_panel_that_is_an_address_and_closes_with_escape(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, f"{lab.url}/?tab=profile") as page:
        profiled(page)
        card = page.get_by_role("button", name="age, number: details")
        card.focus()
        page.keyboard.press("Enter")
        panel = page.get_by_role("dialog", name="age")
        expect(panel).to_contain_text("median")
        assert "column=age" in page.url
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(card).to_be_focused()


def test_missing_cells_are_drawn_down_the_rows_and_texts_are_told_by_their_words(
    browser: Browser, lab: Site, tmp_path: Path
) -> None:
    table = tmp_path / "gaps.csv"
    rows = (f"{'' if k > 60 else k / 7},{k / 3},a tram and Ærø {k % 97}\n" for k in range(120))
    table.write_text("heat,cold,remark\n" + "".join(rows))
    with open_page(browser, f"{lab.url}/?tab=profile") as page:
        drop(page, table)
        figure = page.locator("figure.chart").filter(has_text="Where heat is missing")
        expect(figure).to_be_visible()
        expect(figure.locator("title").last).to_have_text("heat, rows 119 to 120: 100% missing")
        page.get_by_role("button", name="remark, text: details").click()
        panel = page.get_by_role("dialog", name="remark")
        expect(panel).to_contain_text("Latin-1 Supplement (240)")
        expect(panel).to_contain_text("tram (120)")


def test_two_tables_are_compared_and_the_moved_columns_come_first(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, f"{lab.url}/?tab=profile") as page:
        compared(page)
        assert "tab=compare" in page.url
        first = page.locator(".drift tbody tr").first
        expect(first).to_contain_text("strong")
        expect(page.locator(".drift")).to_contain_text("new value 'family'")


def test_the_report_and_the_profile_can_be_taken_home(browser: Browser, lab: Site) -> None:
    with open_page(browser, f"{lab.url}/?tab=profile") as page:
        profiled(page)
        with page.expect_download() as report:
            page.locator("#pane-profile").get_by_role("button", name="Report").click()
        assert report.value.path().read_text().startswith("<!doctype html>")
        with page.expect_download() as stored:
            page.locator("#pane-profile").get_by_role("button", name="JSON").click()
        assert '"schema_version"' in stored.value.path().read_text()


def test_a_binary_file_is_refused_in_words_and_the_next_file_is_read(
    browser: Browser, lab: Site, tmp_path: Path
) -> None:
    picture = tmp_path / "photo.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    with open_page(browser, f"{lab.url}/?tab=profile", expected_errors=REFUSED) as page:
        drop(page, picture)
        trouble = page.get_by_role("alert")
        expect(trouble).to_contain_text("photo.csv is a PNG picture")
        expect(trouble).to_contain_text("Request")
        profiled(page)
        expect(trouble).to_be_hidden()


def test_when_the_service_goes_the_same_file_can_be_sent_again(
    browser: Browser, lab: Site, tmp_path: Path
) -> None:
    again = create_app(Settings(data_dir=tmp_path / "again"))
    with open_page(browser, f"{lab.url}/?tab=profile", expected_errors=REFUSED) as page:
        page.get_by_role("button", name="Try it with an example").wait_for()
        lab.stop()
        drop(page, MARCH)
        trouble = page.get_by_role("alert")
        expect(trouble).to_contain_text("does not answer")
        with served(again, port=lab.port):
            trouble.get_by_role("button", name="Try again").click()
            expect(page.locator("#verdict")).to_contain_text("rows")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("act", [profiled, compared])
def test_every_text_of_the_lab_is_legible(browser: Browser, lab: Site, theme: str, act) -> None:
    with open_page(browser, f"{lab.url}/?tab=profile", theme=theme) as page:
        act(page)
        texts = rendered_texts(page)
    assert len(texts) > 20
    assert [text for text in texts if not text.is_legible] == []


def with_target(page: Page) -> None:
    profiled(page)
    page.get_by_label("Column to predict").select_option("left")
    page.get_by_role("heading", name="may give").wait_for()


def with_panel(page: Page) -> None:
    profiled(page)
    page.get_by_role("button", name="age, number: details").click()
    page.get_by_role("dialog").wait_for()


PICTURES = {
    "lab-empty": lambda page: page.locator(".dropzone").first.wait_for(),
    "lab-profile": with_target,
    "lab-column": with_panel,
    "lab-compare": compared,
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_lab_is_pictured_in_both_themes_and_widths(
    browser: Browser, lab: Site, name: str
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        for theme in THEMES:
            with open_page(browser, f"{lab.url}/?tab=profile", width=width, theme=theme) as page:
                PICTURES[name](page)
                page.wait_for_load_state("networkidle")
                no_sideways_scroll(page)
                path = SCREENSHOTS / f"{name}-{width}-{theme}.png"
                page.screenshot(path=path, full_page=name != "lab-column")
                assert path.stat().st_size > 10_000


def test_the_report_stands_alone_and_fits_a_phone(
    browser: Browser, lab: Site, tmp_path: Path
) -> None:
    with open_page(browser, f"{lab.url}/?tab=profile") as page:
        answer = page.request.post(
            f"{lab.url}/v1/profile?target=left",
            multipart={
                "file": {"name": "m.csv", "mimeType": "text/csv", "buffer": MARCH.read_bytes()}
            },
            headers={"accept": "text/html"},
        )
        report = tmp_path / "report.html"
        report.write_bytes(answer.body())
    for width in WIDTHS:
        for theme in THEMES:
            with open_page(browser, report.as_uri(), width=width, theme=theme) as page:
                no_sideways_scroll(page)
                assert [text for text in rendered_texts(page) if not text.is_legible] == []
                page.set_viewport_size({"width": width, "height": HEIGHT})
                page.screenshot(path=SCREENSHOTS / f"lab-report-{width}-{theme}.png")
