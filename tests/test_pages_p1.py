"""The prediction page as a person uses it: fill in, predict, be corrected, look on a phone."""

from collections.abc import Iterator

import pytest
from p1_prediction_api.api import create_app
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun, train
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import (
    SCREENSHOTS,
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


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    return train(example_table(), target=TARGET, minutes=0.05)


@pytest.fixture
def site(run: TrainingRun) -> Iterator[Site]:
    settings = Settings(poll_s=0.1)
    run.publish(settings=settings)
    with served(create_app(settings)) as site:
        yield site


def predict_a_typical_row(page: Page) -> None:
    page.get_by_role("button", name="Predict a typical row").click()
    expect(page.locator("#result")).to_have_text("benign")


def test_a_typical_row_is_one_click_away(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#verdict h1")).to_contain_text("ROC AUC")
        predict_a_typical_row(page)
        expect(page.locator("#answer")).to_contain_text("version 1")


def test_the_answer_says_why_and_how_sure_it_is(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        expect(page.locator("#sureness")).to_contain_text("90 times in 100: benign")
        expect(page.get_by_role("heading", name="What speaks for malignant")).to_be_visible()
        expect(page.locator("#why .bars .num")).to_have_count(8)
        expect(page.locator("#why")).to_contain_text("for the average row")


def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        field = page.get_by_label("mean radius", exact=True)
        field.fill("")
        page.get_by_label("mean texture", exact=True).fill("18.5")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(field).to_be_focused()
        expect(page.get_by_label("mean texture", exact=True)).to_have_value("18.5")


def test_a_value_unlike_training_is_answered_with_a_word_of_warning(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        page.get_by_label("mean radius", exact=True).fill("99")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.locator("#answer")).to_contain_text("outside what training saw")


def test_without_a_model_the_page_says_what_to_do(browser: Browser) -> None:
    settings = Settings(train_on_first_start=False)
    with (
        served(create_app(settings)) as site,
        open_page(browser, site.url, expected_errors=("503",)) as page,
    ):
        expect(page.locator("#form")).to_contain_text("p1-prediction-api train")


def test_the_page_fits_a_phone(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url, width=360) as page:
        predict_a_typical_row(page)
        no_sideways_scroll(page)


def test_a_swap_shows_on_the_page_by_itself(browser: Browser, site: Site, run: TrainingRun) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#verdict")).to_contain_text("version 1")
        run.publish(settings=Settings())
        expect(page.locator("#verdict")).to_contain_text("version 2", timeout=30_000)


def test_the_page_in_both_themes_and_widths(browser: Browser, site: Site) -> None:
    assert take_screenshots(browser, site.url, "p1-predict", ready="#figures")


@pytest.mark.parametrize("width", [1440, 360])
def test_an_answer_is_pictured(browser: Browser, site: Site, width: int) -> None:
    with open_page(browser, site.url, width=width) as page:
        predict_a_typical_row(page)
        page.screenshot(path=SCREENSHOTS / f"p1-answer-{width}.png", full_page=True)
        assert [text for text in rendered_texts(page) if not text.is_legible] == []
