"""The prediction page as a person uses it: fill in, predict, share, try what if, be corrected."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from p1_prediction_api.api import create_app
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun, train
from playwright.sync_api import Browser, Page, expect

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


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    return train(example_table(), target=TARGET, minutes=0.05)


@pytest.fixture(scope="module")
def rents() -> TrainingRun:
    """Train on a table with every kind of feature: a number, a label, a date, and a price."""
    rng = np.random.default_rng(0)
    size = rng.uniform(20, 120, 400).round(1)
    district = rng.choice(["north", "old town", "harbour"], 400)
    since = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, 400), unit="D")
    extra = pd.Series(district).map({"north": 0.0, "old town": 300.0, "harbour": 500.0})
    price = 200 + 9 * size + extra + rng.normal(0, 40, 400)
    table = pd.DataFrame(
        {"size": size, "district": district, "since": since, "price": price.round(0)}
    )
    return train(table, target="price", minutes=0.02, units={"size": "m²", "price": "EUR"})


@pytest.fixture
def site(run: TrainingRun) -> Iterator[Site]:
    settings = Settings(poll_s=0.1)
    run.publish(settings=settings)
    with served(create_app(settings)) as site:
        yield site


@pytest.fixture
def rent_site(rents: TrainingRun) -> Iterator[Site]:
    settings = Settings(model="rents", train_on_first_start=False)
    rents.publish(settings=settings)
    with served(create_app(settings)) as site:
        yield site


def predict_a_typical_row(page: Page) -> None:
    page.get_by_role("button", name="Predict a typical row").click()
    expect(page.locator("#result")).to_be_visible()


def what_if(page: Page, feature: str) -> None:
    page.get_by_label("…one value were another:").select_option(feature)
    expect(page.locator("#what-if .plot svg")).to_be_visible()


def test_a_typical_row_is_one_click_away(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#head")).to_contain_text("ROC AUC")
        predict_a_typical_row(page)
        expect(page.locator("#result")).to_have_text("benign")
        expect(page.locator("#answer")).to_contain_text("version 1")


def test_the_answer_says_why_and_how_sure_it_is(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        expect(page.locator("#sureness")).to_contain_text("90 times in 100: benign")
        expect(page.get_by_role("heading", name="What speaks for malignant")).to_be_visible()
        expect(page.locator("#why .attribution .num")).to_have_count(8)
        expect(page.locator("#why")).to_contain_text("for the average row")


def test_a_prediction_can_be_shared_by_its_address_and_is_not_asked_as_traffic_again(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        page.get_by_label("mean radius", exact=True).fill("20.5")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.locator("#answer")).to_contain_text("Logged as")
        expect(page).to_have_url(re.compile(r"mean\+radius=20\.5"))
        said, shared = page.locator("#answer .bars").inner_text(), page.url
    asked: list[str] = []
    with open_page(browser, "about:blank") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(shared)
        expect(page.locator("#answer .bars")).to_have_text(said, use_inner_text=True)
        expect(page.get_by_role("spinbutton", name="mean radius")).to_have_value("20.5")
    assert [url for url in asked if url.endswith("/v1/explain")]
    assert not [url for url in asked if url.endswith("/v1/predict")]


def test_back_returns_to_the_row_asked_before(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        page.get_by_label("worst area", exact=True).fill("3000")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.locator("#why")).to_contain_text("3,000")
        page.go_back()
        expect(page.get_by_label("worst area", exact=True)).to_have_value("686.5")
        expect(page.locator("#why")).to_contain_text("686.5")


def test_a_what_if_moves_the_answer_and_its_reasons_by_the_keyboard_and_comes_back(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        what_if(page, "worst area")
        asked = page.locator("#answer .bars").inner_text()
        slider = page.get_by_role("slider", name="worst area")
        slider.focus()
        page.keyboard.press("End")
        expect(slider).to_have_attribute("aria-valuetext", "4,254")
        expect(page.locator("#answer")).to_contain_text("What if worst area were 4,254 instead of")
        expect(page.locator("#why .attribution")).to_contain_text("4,254")
        expect(page.locator("#answer .bars")).not_to_have_text(asked, use_inner_text=True)
        expect(page.get_by_role("spinbutton", name="worst area")).to_have_value("686.5")
        assert "whatif=worst+area&at=4254" in page.url
        page.get_by_role("button", name="Back to the row asked").click()
        expect(page.locator("#answer .bars")).to_have_text(asked, use_inner_text=True)


def test_a_what_if_is_in_the_address(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        what_if(page, "worst texture")
        page.get_by_role("slider", name="worst texture").press("Home")
        tried = page.locator("#answer .bars").inner_text()
        page.reload()
        expect(page.locator("#answer")).to_contain_text("What if worst texture were 12.02")
        expect(page.locator("#answer .bars")).to_have_text(tried, use_inner_text=True)


def test_the_curve_is_drawn_where_few_rows_are_explained_at_once(
    browser: Browser, run: TrainingRun
) -> None:
    settings = Settings(max_explained_rows=20)
    run.publish(settings=settings)
    with (
        served(create_app(settings)) as site,
        open_page(browser, site.url, expected_errors=("413",)) as page,
    ):
        predict_a_typical_row(page)
        what_if(page, "worst area")
        page.locator("#what-if").get_by_role("button", name="Show as a table").click()
        assert 8 <= page.locator("#what-if tbody tr").count() <= 20


def test_a_press_on_the_curve_moves_the_slider(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        predict_a_typical_row(page)
        what_if(page, "worst area")
        page.locator("#what-if .plot svg").scroll_into_view_if_needed()
        curve = page.locator("#what-if .plot svg").bounding_box()
        assert curve
        page.mouse.click(curve["x"] + 0.9 * curve["width"], curve["y"] + 80)
        expect(page.locator("#answer")).to_contain_text("What if worst area were")
        assert float(page.get_by_role("slider").input_value()) > 2000


def test_a_label_is_tried_by_chips_a_date_by_a_slider_and_a_number_has_its_band(
    browser: Browser, rent_site: Site
) -> None:
    with open_page(browser, rent_site.url) as page:
        predict_a_typical_row(page)
        expect(page.locator("#result")).to_contain_text("EUR")
        expect(page.locator("#sureness")).to_contain_text("90 times in 100")
        what_if(page, "district")
        page.get_by_role("radio", name="harbour").check()
        expect(page.locator("#answer")).to_contain_text("What if district were harbour")
        what_if(page, "since")
        expect(page.get_by_role("slider", name="since")).to_be_visible()
        what_if(page, "size")
        expect(page.locator("#what-if .area")).to_have_count(1)
        expect(page.locator("#what-if .chart-title")).to_contain_text("price lies between")


def test_a_label_never_seen_can_be_asked_and_is_answered_with_a_word_of_warning(
    browser: Browser, rent_site: Site
) -> None:
    with open_page(browser, rent_site.url) as page:
        predict_a_typical_row(page)
        page.get_by_label("district", exact=True).select_option("Another value…")
        page.get_by_label("district: another value").fill("on the moon")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.locator("#answer")).to_contain_text("'on the moon' was not seen in training")
        shared = page.url
        assert quote("on the moon").replace("%20", "+") in shared


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
        expect(page.locator("#ask")).to_contain_text("p1-prediction-api train")


def test_the_page_fits_a_phone(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url, width=360) as page:
        predict_a_typical_row(page)
        no_sideways_scroll(page)


def test_a_swap_shows_on_the_page_by_itself(browser: Browser, site: Site, run: TrainingRun) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#head")).to_contain_text("version 1")
        run.publish(settings=Settings())
        expect(page.locator("#head")).to_contain_text("version 2", timeout=30_000)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_an_answer_is_legible_and_pictured(
    browser: Browser, site: Site, width: int, theme: str
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_page(browser, site.url, width=width, theme=theme) as page:
        predict_a_typical_row(page)
        what_if(page, "worst area")
        no_sideways_scroll(page)
        page.screenshot(path=SCREENSHOTS / f"p1-predict-{width}-{theme}.png", full_page=True)
        assert [text for text in rendered_texts(page) if not text.is_legible] == []
