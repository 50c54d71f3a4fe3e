"""The report as a person opens it: from a file, on a desk and a phone, light and dark."""

from pathlib import Path

import pytest
from p1_prediction_api.diagnosis import diagnose, render_html
from p1_prediction_api.training import TrainingRun
from playwright.sync_api import Browser, expect

from tests.support.browser import (
    SCREENSHOTS,
    THEMES,
    WIDTHS,
    browser,
    no_sideways_scroll,
    open_page,
)
from tests.support.contrast import rendered_texts

__all__ = ["browser"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(cancer_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("diagnosis") / "report.html"
    path.write_text(render_html(diagnose(cancer_run)), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_the_report_is_legible_and_keeps_to_its_width(
    browser: Browser, report: Path, width: int, theme: str
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_page(browser, report.as_uri(), width=width, theme=theme) as page:
        expect(page.get_by_role("heading", level=1)).to_contain_text("ROC AUC")
        no_sideways_scroll(page)
        assert [text for text in rendered_texts(page) if not text.is_legible] == []
        page.screenshot(path=SCREENSHOTS / f"diagnosis-{width}-{theme}.png", full_page=True)


def test_every_chart_has_its_figures_as_a_table(browser: Browser, report: Path) -> None:
    with open_page(browser, report.as_uri()) as page:
        pictured = page.locator("figure:has(svg)")
        assert pictured.count() >= 8
        assert pictured.locator("table").count() >= pictured.count() - 1
        page.get_by_text("As a table").first.click()
        expect(page.get_by_role("table").first).to_be_visible()
        page.get_by_role("link", name="What it uses").click()
        expect(page.get_by_role("heading", name="What it uses")).to_be_in_viewport()
