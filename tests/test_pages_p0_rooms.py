"""The rooms on descent and on losses as a person uses them: type, drag, step, share, take home."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from p0_foundations.api import create_app
from p0_foundations.line_fits import fit_line
from p0_foundations.settings import Settings
from playwright.sync_api import Browser, Locator, Page, expect

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

MINUS = "\N{MINUS SIGN}"  # as the page writes it
REFUSED = ("422",)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Site]:
    with served(create_app(Settings(data_dir=tmp_path / "data"))) as site:
        yield site


def descent(lab: Site, **state: str) -> str:
    return f"{lab.url}/?{urlencode({f'd-{key}': value for key, value in state.items()})}"


def losses(lab: Site, **state: str) -> str:
    asked = {"tab": "losses"} | {f"l-{key}": value for key, value in state.items()}
    return f"{lab.url}/?{urlencode(asked)}"


def verdict(page: Page) -> Locator:
    return page.locator("#pane-descent .walk-verdict")


def handle(page: Page, name: str) -> Locator:
    return page.locator(f".handle.{name}:visible")


def drag(page: Page, what: Locator, dx: float, dy: float) -> None:
    what.scroll_into_view_if_needed()
    box = what.locator(".knob").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def saved(page: Page, chart: Locator, label: str) -> bytes:
    with page.expect_download() as download:
        chart.get_by_role("button", name=f"Download {label}").click()
    return download.value.path().read_bytes()


def test_a_typed_formula_is_drawn_and_searched(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url) as page:
        expect(verdict(page)).to_contain_text("Converged")
        page.get_by_label("f(x, y) =").fill("(x-1)^2 + 2*(y+1)^2")
        expect(verdict(page)).to_contain_text(f"to (1, {MINUS}1)")
        expect(page.locator("#pane-descent .plane image")).to_have_count(1)
        expect(page.locator(".formula-bar :checked")).to_have_count(0)


def test_an_unreadable_formula_is_said_at_the_field_and_what_was_typed_stays(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, lab.url, expected_errors=REFUSED) as page:
        expect(verdict(page)).to_contain_text("Converged")
        field = page.get_by_label("f(x, y) =")
        field.fill("x^2 + open(y)")
        expect(page.locator("#formula-error")).to_contain_text("column 7: 'open' is not")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_value("x^2 + open(y)")
        field.fill("x^2 + sin(y)")
        expect(page.locator("#formula-error")).to_be_empty()
        expect(field).not_to_have_attribute("aria-invalid", "true")


def test_an_address_with_a_bad_formula_says_so_and_can_be_mended(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, descent(lab, f="x +"), expected_errors=REFUSED) as page:
        expect(page.locator("#formula-error")).to_contain_text("column")
        expect(verdict(page)).to_be_hidden()
        page.get_by_label("Round bowl").check()
        expect(verdict(page)).to_contain_text("Converged")


def test_the_start_is_dragged_by_mouse_and_the_search_runs_anew(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, descent(lab, f="(x^2+y-11)^2 + (x+y^2-7)^2")) as page:
        expect(verdict(page)).to_contain_text(f"(3.584, {MINUS}1.848)")
        drag(page, handle(page, "start"), -120, -120)
        expect(verdict(page)).to_contain_text(f"({MINUS}2.805, 3.131)")
        assert "d-start=" in page.url
        assert page.evaluate("!document.body.innerHTML.includes('NaN')")


def test_the_start_is_moved_by_the_arrow_keys_and_keeps_the_focus(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, descent(lab, f="x^2 + y^2", start="1,1")) as page:
        expect(verdict(page)).to_contain_text("Converged")
        start = handle(page, "start")
        start.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowUp")
        expect(start).to_have_attribute("aria-valuetext", "x 1.1, y 1.5")
        expect(start).to_be_focused()
        assert "d-start=1.1%2C1.5" in page.url


def test_the_start_is_dragged_by_a_finger(browser: Browser, lab: Site) -> None:
    address = descent(lab, f="x^2 + y^2", start="1,1")
    with open_page(browser, address, width=360) as page:
        expect(verdict(page)).to_contain_text("Converged")
        start = handle(page, "start")
        start.scroll_into_view_if_needed()
        box = start.locator(".knob").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        finger = page.context.new_cdp_session(page)
        for kind, spots in [
            ("touchStart", [(x, y)]),
            ("touchMove", [(x - 40, y)]),
            ("touchMove", [(x - 80, y)]),
            ("touchEnd", []),
        ]:
            points = [{"x": a, "y": b} for a, b in spots]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        expect(start).to_have_attribute("aria-valuetext", re.compile(f"^x {MINUS}"))
        expect(verdict(page)).to_contain_text("Converged")


def test_a_step_beyond_the_limit_diverges_in_words_and_one_press_mends_it(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, descent(lab, f="x^2 + 20*y^2", start="-2,1", step="0.06")) as page:
        expect(verdict(page)).to_have_attribute("data-verdict", "diverged")
        expect(verdict(page)).to_contain_text("beyond the largest stable one here, 0.05")
        expect(page.locator("#step-limit")).to_contain_text("yours is beyond it and diverges")
        assert page.evaluate("!document.body.innerHTML.includes('NaN')")
        verdict(page).get_by_role("button", name="Use a step of 0.04").click()
        expect(verdict(page)).to_have_attribute("data-verdict", "converged")
        expect(page.locator("#step-limit")).to_contain_text("yours is 80 % of it")


def test_a_start_without_a_value_is_an_error_that_says_where(browser: Browser, lab: Site) -> None:
    with open_page(
        browser, descent(lab, f="log(x) + y^2", start="-1,1"), expected_errors=REFUSED
    ) as page:
        trouble = page.locator("#pane-descent").get_by_role("alert").filter(has_text="finite")
        expect(trouble).to_contain_text("no finite value at the start (-1, 1)")
        drag(page, handle(page, "start"), 250, 0)
        expect(trouble).to_be_hidden()
        expect(verdict(page)).to_be_visible()


MATHS = {
    "gradient-descent": (f"p ← p {MINUS} η g", "(0.8, 0)"),
    "momentum": ("v ← 0.9 (0, 0) + g", "(2, 0)"),
    "nesterov": ("g + μ v", "(3.8, 0)"),
    "rmsprop": ("s ← 0.99 s + 0.01 g²", "(0.04, 0)"),
    "adam": (f"m̂ = m / (1 {MINUS} 0.9^1)", "(2, 0)"),
    "newton": (f"p ← p {MINUS} η |H|⁻¹ g", "(0.9, 0)"),
}


@pytest.mark.parametrize("name", MATHS)
def test_every_optimiser_shows_the_maths_of_its_step(
    browser: Browser, lab: Site, name: str
) -> None:
    address = descent(lab, f="x^2 + y^2", start="1,0", step="0.1", by=name, k="0")
    with open_page(browser, address) as page:
        card = page.locator(".step-card")
        expect(card).to_contain_text("Step 1: from point 0 to 1")
        for part in MATHS[name]:
            expect(card).to_contain_text(part)


def test_pointing_at_the_loss_reads_that_step_and_marks_it_on_the_map(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, descent(lab, f="x^2 + y^2", start="2,0", step="0.1")) as page:
        expect(verdict(page)).to_contain_text("Converged")
        card, curve = page.locator(".step-card"), page.locator(".plot svg:not(.plane)").first
        before = page.locator(".walk-here").get_attribute("cx")
        curve.scroll_into_view_if_needed()
        box = curve.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 54, box["y"] + 60)
        expect(card).to_contain_text("Step 1: from point 0 to 1")
        assert page.locator(".walk-here").get_attribute("cx") != before
        page.mouse.move(5, 5)
        expect(card).to_contain_text("the last")


def test_pointing_at_the_path_reads_the_step_there(browser: Browser, lab: Site) -> None:
    with open_page(browser, descent(lab, f="x^2 + y^2", start="2,0", step="0.1")) as page:
        expect(verdict(page)).to_contain_text("Converged")
        second = page.locator(".walk-dot").nth(1)
        box = second.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 2, box["y"] + 2)
        expect(page.locator(".step-card")).to_contain_text("from point 1 to 2")


def test_a_shared_address_opens_the_same_state(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url) as page:
        page.get_by_label("Saddle").check()
        page.get_by_label("Adam", exact=True).check()
        page.get_by_label("Step size, exactly").fill("0.07")
        page.keyboard.press("Enter")
        expect(verdict(page)).to_contain_text("On its way")
        page.get_by_label("Step shown").fill("12")
        page.get_by_label("Even", exact=True).check()
        expect(page.locator(".scrub-at")).to_contain_text("12 /")
        page.get_by_role("button", name="Copy the link").click()
        shared = page.evaluate("navigator.clipboard.readText()")
        said, maths = verdict(page).inner_text(), page.locator(".step-card").inner_text()
    with open_page(browser, shared) as page:
        expect(page.locator(".scrub-at")).to_contain_text("12 /")
        assert verdict(page).inner_text() == said
        assert page.locator(".step-card").inner_text() == maths
        expect(page.get_by_label("Adam", exact=True)).to_be_checked()
        expect(page.get_by_label("Even", exact=True)).to_be_checked()
        expect(page.get_by_label("Step size, exactly")).to_have_value("0.07")


def test_back_returns_to_the_function_before(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url) as page:
        page.get_by_label("Round bowl").check()
        page.get_by_label("Ripples").check()
        expect(page.get_by_label("f(x, y) =")).to_have_value(re.compile("cos"))
        page.go_back()
        expect(page.get_by_label("f(x, y) =")).to_have_value("x^2 + y^2")


def test_playing_walks_from_the_start_to_the_end(browser: Browser, lab: Site) -> None:
    address = descent(lab, f="x^2 + y^2", start="1,0", step="0.4", k="1")
    with open_page(browser, address) as page:
        expect(page.locator(".scrub-at")).to_contain_text("1 /")
        page.get_by_role("button", name="Play the search").click()
        expect(page.locator(".scrub-at")).to_have_text(re.compile(r"^(\d+) / \1$"))
        expect(page.get_by_role("button", name="Play the search")).to_contain_text("Play")


def test_the_address_says_where_the_solid_is_seen_from(browser: Browser, lab: Site) -> None:
    seen = "(plot) => Object.values(plot._fullLayout.scene._scene.getCamera().eye)"
    is_turned = f"""(x) => {{ const plot = document.querySelector(".solid .chart-plot");
        return Math.abs(({seen})(plot)[0] - x) < 0.002; }}"""
    with open_page(browser, descent(lab, show="solid")) as page:
        plot = page.locator(".solid .chart-plot")
        expect(page.locator(".solid canvas").first).to_be_visible()
        plot.focus()
        for key in ("ArrowRight", "ArrowUp", "+"):
            page.keyboard.press(key)
        expect(page).to_have_url(re.compile("d-eye="))
        turned = eye_of(page.url)
        page.wait_for_function(is_turned, arg=turned[0])
        shared = page.url
    with open_page(browser, shared) as page:
        plot = page.locator(".solid .chart-plot")
        expect(page.locator(".solid canvas").first).to_be_visible()
        page.wait_for_function(is_turned, arg=turned[0])
        assert plot.evaluate(seen) == pytest.approx(turned[:3], abs=0.002)
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 90, y, steps=6)
        page.mouse.up()
        expect(page).not_to_have_url(shared)
        page.wait_for_function(is_turned, arg=eye_of(page.url)[0])


def eye_of(url: str) -> list[float]:
    """Read from an address where a solid view is seen from."""
    return [float(one) for one in parse_qs(urlsplit(url).query)["d-eye"][0].split(",")]


def test_the_solid_is_drawn_when_opened_and_its_address_opens_it(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, lab.url) as page:
        expect(verdict(page)).to_be_visible()
        assert page.evaluate("window.Plotly === undefined")
        page.get_by_text("three dimensions").click()
        expect(page.locator(".solid canvas").first).to_be_visible()
        shared = page.url
    with open_page(browser, shared) as page:
        expect(page.locator(".solid canvas").first).to_be_visible()


@pytest.mark.parametrize("address", [descent, losses])
def test_every_picture_is_taken_home_as_png_svg_and_table(
    browser: Browser, lab: Site, address
) -> None:
    with open_page(browser, address(lab)) as page:
        expect(page.locator(".walk-verdict:visible .verdict")).to_contain_text(re.compile(r"\d"))
        charts = page.locator("figure.chart:visible")
        expect(charts).to_have_count(2)
        for chart in charts.all():
            svg = saved(page, chart, "SVG").decode()
            assert svg.startswith("<svg")
            assert "NaN" not in svg
            assert saved(page, chart, "PNG").startswith(b"\x89PNG")
            assert len(saved(page, chart, "CSV").splitlines()) > 10


def line_card(page: Page, loss: str) -> Locator:
    return page.locator(f".loss-card[data-loss={loss}]")


def rows_of(page: Page) -> list[tuple[float, float]]:
    """The points on the screen, from the picture's own CSV."""
    text = saved(page, page.locator("figure.chart:visible").first, "CSV").decode()
    rows = [line.split(",") for line in text.splitlines()[1:]]
    return [(float(row[-4]), float(row[-3])) for row in rows]


@pytest.mark.parametrize("task", ["values", "labels"])
def test_the_best_lines_on_the_page_cost_what_the_library_says(
    browser: Browser, lab: Site, task: str
) -> None:
    with open_page(browser, losses(lab, task=task)) as page:
        expect(page.locator(".loss-card")).to_have_count(3)
        expect(page.get_by_role("button", name="Use its line")).to_have_count(3)
        points = rows_of(page)
        assert len(points) == 13
        for card in page.locator(".loss-card").all():
            fit = fit_line(
                points, card.get_attribute("data-loss") or "", is_labels=task == "labels"
            )
            card.get_by_role("button", name="Use its line").click()
            figures = card.locator(".loss-figure")
            expect(figures.nth(0)).to_have_text(f"{fit.mean_loss:.3g}")
            expect(figures.nth(1)).to_have_text(f"{fit.mean_loss:.3g}")


def test_dragging_the_outlier_moves_the_squared_line_most(browser: Browser, lab: Site) -> None:
    with open_page(browser, losses(lab)) as page:
        finding = page.locator("[data-finding]")
        expect(finding).to_contain_text("moves the squared line by 1.9")
        drag(page, handle(page, "outlier"), 0, -200)
        expect(finding).not_to_contain_text("by 1.9")
        assert "l-out=" in page.url


def test_the_line_is_fitted_by_keys_and_by_sliders(browser: Browser, lab: Site) -> None:
    with open_page(browser, losses(lab)) as page:
        card = line_card(page, "absolute").locator(".loss-figure").first
        before = card.inner_text()
        end = page.get_by_role("slider", name="Right end of your line")
        end.focus()
        for _ in range(4):
            page.keyboard.press("Shift+ArrowUp")
        expect(card).not_to_have_text(before)
        expect(end).to_be_focused()
        page.get_by_label("Slope").fill("0.5")
        expect(page.locator("output[for=line-slope]")).to_have_text("0.5")
        assert "l-line=" in page.url


def test_an_outlier_changes_its_label_by_key_and_a_shared_address_keeps_it(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, losses(lab, task="labels")) as page:
        finding = page.locator("[data-finding]")
        expect(finding).to_contain_text("squared boundary")
        handle(page, "outlier").focus()
        page.keyboard.press("ArrowDown")
        expect(handle(page, "outlier")).to_have_attribute("aria-valuetext", f"x 9.5, y {MINUS}1")
        expect(finding).to_contain_text(re.compile(r"hinge boundary by 0\.\d"))
        line_card(page, "logistic").get_by_role("button", name="Show its errors").click()
        shared, said = page.url, finding.inner_text()
    with open_page(browser, shared) as page:
        expect(page.locator("[data-finding]")).to_have_text(said, use_inner_text=True)
        expect(line_card(page, "logistic")).to_have_attribute("data-chosen", "true")


ROOMS = {
    "descent": lambda lab: descent(lab, f="(1-x)^2 + 100*(y-x^2)^2", by="momentum", k="9"),
    "diverged": lambda lab: descent(lab, f="x^2 + 20*y^2", start="-2,1", step="0.06"),
    "losses": losses,
    "labels": lambda lab: losses(lab, task="labels"),
}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ROOMS)
def test_every_text_of_the_rooms_is_legible(
    browser: Browser, lab: Site, theme: str, name: str
) -> None:
    with open_page(browser, ROOMS[name](lab), theme=theme) as page:
        expect(page.locator(".walk-verdict:visible .verdict")).to_contain_text(re.compile(r"\d"))
        texts = rendered_texts(page)
    assert len(texts) > 40
    assert [text for text in texts if not text.is_legible] == []


@pytest.mark.parametrize("name", ROOMS)
def test_the_rooms_are_pictured_in_both_themes_and_widths(
    browser: Browser, lab: Site, name: str
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width in WIDTHS:
        for theme in THEMES:
            with open_page(browser, ROOMS[name](lab), width=width, theme=theme) as page:
                said = page.locator(".walk-verdict:visible .verdict")
                expect(said).to_contain_text(re.compile(r"\d"))
                no_sideways_scroll(page)
                path = SCREENSHOTS / f"lab-{name}-{width}-{theme}.png"
                page.screenshot(path=path, full_page=True)
                assert path.stat().st_size > 10_000
