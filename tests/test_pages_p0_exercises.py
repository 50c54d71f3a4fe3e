"""The room of exercises as a person uses it: pick one, read it, take hints, pass it elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from common.learn.progress import Progress
from p0_foundations.api import create_app
from p0_foundations.settings import Settings
from playwright.sync_api import Browser, expect

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

__all__ = ["browser"]
pytestmark = pytest.mark.slow

ROOM = "?tab=exercises"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def lab(data: Path) -> Iterator[Site]:
    with served(create_app(Settings(data_dir=data))) as site:
        yield site


def test_a_person_picks_an_exercise_and_takes_hints_one_by_one(
    browser: Browser, lab: Site, data: Path
) -> None:
    with open_page(browser, f"{lab.url}/{ROOM}") as page:
        expect(page.get_by_role("heading", name="Before you run it: the loss")).to_be_visible()
        page.get_by_role("link", name="The largest step").press("Enter")
        expect(page.get_by_role("heading", name="The largest step")).to_be_visible()
        assert "exercise=the-largest-step" in page.url
        expect(page.get_by_text("exercises start p0/the-largest-step")).to_be_visible()
        expect(page.locator(".hint-text")).to_have_count(0)
        page.get_by_role("button", name="A hint").click()
        expect(page.locator(".hint-text")).to_have_count(1)
        page.get_by_role("button", name="One more hint").click()
        expect(page.locator(".hint-text")).to_have_count(2)
        expect(page.locator(".hint-text").last).to_be_focused()
        assert Progress(data).n_hints("p0/the-largest-step") == 2
        page.reload()
        expect(page.locator(".hint-text")).to_have_count(2)
        page.get_by_role("link", name="Six bugs in a loop").click()
        expect(page.get_by_role("heading", name="Six bugs in a loop")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="The largest step")).to_be_visible()


def test_what_passed_in_the_terminal_shows_on_coming_back(
    browser: Browser, lab: Site, data: Path
) -> None:
    with open_page(browser, f"{lab.url}/{ROOM}&exercise=the-largest-step") as page:
        expect(page.get_by_text("0 of 12 passed")).to_be_visible()
        Progress(data).mark("p0/the-largest-step")
        page.evaluate("dispatchEvent(new Event('focus'))")
        expect(page.get_by_text("1 of 12 passed")).to_be_visible()


def test_an_address_of_no_exercise_says_so(browser: Browser, lab: Site) -> None:
    address = f"{lab.url}/{ROOM}&exercise=the-largest-stepp"
    with open_page(browser, address, expected_errors=("404",)) as page:
        expect(page.get_by_role("alert")).to_contain_text("did you mean 'the-largest-step'")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_room_fits_and_reads(browser: Browser, lab: Site, width: int, theme: str) -> None:
    address = f"{lab.url}/{ROOM}&exercise=before-you-run-the-loss"
    with open_page(browser, address, width=width, theme=theme) as page:
        page.get_by_role("button", name="A hint").click()
        expect(page.locator(".hint-text")).to_have_count(1)
        no_sideways_scroll(page)
        page.evaluate("scrollTo(0, 0)")
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"p0-exercises-{width}-{theme}.png", full_page=True)
        assert [text for text in rendered_texts(page) if not text.is_legible] == []
