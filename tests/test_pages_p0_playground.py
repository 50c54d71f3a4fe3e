"""The playground and the probability bench as a person uses them: play, change, share, leave."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from p0_foundations.api import create_app
from p0_foundations.settings import Settings
from PIL import Image
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

__all__ = ["browser"]
pytestmark = pytest.mark.slow

Pixels: TypeAlias = npt.NDArray[np.int16]

PLAY, BENCH = "/?tab=playground", "/?tab=probability"
BENCHES = (
    "distributions", "large-numbers", "central-limit", "likelihood", "bayes", "bootstrap",
    "many-tests",
)  # fmt: skip
REFUSED = ("422", "503", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Site]:
    settings = Settings(data_dir=tmp_path / "data", max_trainings_at_once=1)
    with served(create_app(settings)) as site:
        yield site


def ready(page: Page) -> None:
    expect(page.locator(".play-said")).to_contain_text("Before the first step")


def played(page: Page, *, to: int = 100) -> None:
    ready(page)
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        """(to) => Number(document.querySelector('.play-rate').dataset.received) > to / 10""",
        arg=to,
    )
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".play-said")).to_contain_text("After")


def step_of(page: Page) -> str:
    return page.locator(".play-figures dd").first.inner_text()


def surface_of(page: Page) -> Pixels:
    """What is drawn, once it is of the step that is told: levels (row, column, RGB)."""
    step = step_of(page).replace(",", "")
    canvas = page.locator(f'canvas.surface[data-step="{step}"]')
    encoded = canvas.evaluate("(canvas) => canvas.toDataURL()").partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.int16)


def is_same(one: Pixels, other: Pixels) -> bool:
    """Whether two drawings show one thing: a browser may smooth an edge in more than one way."""
    return float(np.abs(one - other).mean()) < 0.5


def test_a_person_plays_pauses_steps_and_starts_again(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url + PLAY) as page:
        ready(page)
        untrained = surface_of(page)
        played(page)
        assert not is_same(surface_of(page), untrained)
        before = int(step_of(page).replace(",", ""))
        page.get_by_role("button", name="Step", exact=True).click()
        expect(page.locator(".play-figures dd").first).to_have_text(f"{before + 10:,}")
        page.get_by_role("button", name="Reset").click()
        ready(page)
        assert is_same(surface_of(page), untrained)


def test_an_address_opens_the_same_picture_at_the_same_step(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url + PLAY + "&pg-task=xor&pg-hidden=4-3&pg-seed=7") as page:
        played(page)
        address, step, surface = page.url, step_of(page), surface_of(page)
    assert "pg-step=" in address
    with open_page(browser, address) as page:
        expect(page.locator(".play-figures dd").first).to_have_text(step)
        assert is_same(surface_of(page), surface)
        expect(page.get_by_label("Network of layers 2, 4, 3, 2")).to_be_visible()


def test_settings_change_the_network_and_the_address(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url + PLAY) as page:
        ready(page)
        page.get_by_role("button", name="Add a layer").click()
        expect(page.get_by_label("Network of layers 2, 8, 8, 8, 2")).to_be_visible()
        page.get_by_role("button", name="One neuron less in layer 3").click()
        page.get_by_label("Activation").select_option("ReLU")
        page.get_by_role("radio", name="Two clouds").click()
        expect(page.get_by_label("Network of layers 2, 8, 8, 7, 2")).to_be_visible()
        for part in ("pg-hidden=8-8-7", "pg-activation=relu", "pg-task=clouds"):
            assert part in page.url
        for k in (3, 2, 1):
            page.get_by_role("button", name=f"Take layer {k} away").click()
        expect(page.get_by_label("Network of layers 2, 2 ")).to_be_visible()


def test_the_playground_works_from_the_keyboard(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url + PLAY) as page:
        ready(page)
        page.keyboard.press("s")
        expect(page.locator(".play-figures dd").first).to_have_text("10")
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        page.keyboard.press("r")
        ready(page)


def test_leaving_the_room_or_the_page_ends_the_training(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url + PLAY) as page:
        ready(page)
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.get_by_role("tab", name="Probability").click()
        page.get_by_role("tab", name="Playground").click()
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
    with open_page(browser, lab.url + PLAY, expected_errors=REFUSED) as page:
        # Only one training may run: this page gets its picture once the page before is gone.
        again = page.get_by_role("button", name="Try again")
        expect(page.locator(".play-said").or_(again).first).to_be_visible()
        for _ in range(5):
            if page.locator(".play-figures dd").count():
                break
            if again.is_visible():
                again.click()
            page.wait_for_timeout(200)
        ready(page)


def test_a_divergence_is_said_and_the_page_goes_on(browser: Browser, lab: Site) -> None:
    wild = "&pg-optimiser=gradient-descent&pg-step_size=10&pg-weight_decay=1&pg-noise=0.3"
    with open_page(browser, lab.url + PLAY + wild + "&pg-activation=relu") as page:
        ready(page)
        page.get_by_role("button", name="Play", exact=True).click()
        said = page.locator(".play-said")
        expect(said).to_contain_text("Diverged at step")
        expect(said).to_contain_text("take smaller steps")
        assert "NaN" not in page.locator("#pane-playground").inner_text()
        page.get_by_label("Step size").select_option("0.03")
        ready(page)


def test_play_begins_while_the_first_picture_is_still_awaited(browser: Browser, lab: Site) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    with open_page(browser, lab.url) as page:
        page.route("**/v1/playground/train", hold_the_first)
        page.get_by_role("tab", name="Playground").click()
        expect(page.locator(".play-said")).to_be_attached()
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.locator(".play-said")).to_contain_text("After")
        assert held, "the page asked for no picture before Play"
        page.get_by_role("button", name="Pause").click()


def test_a_bad_address_is_refused_in_words(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url + PLAY + "&pg-noise=7", expected_errors=REFUSED) as page:
        expect(page.get_by_role("alert")).to_contain_text("noise")


def test_when_the_service_goes_during_a_training_the_page_says_so(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, lab.url + PLAY, expected_errors=REFUSED) as page:
        ready(page)
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        lab.stop()
        expect(page.locator("#pane-playground").get_by_role("alert")).to_be_visible()
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("figure", "ending", "start"),
    [
        (".play-out", "PNG", b"\x89PNG"),
        (".play-out", "SVG", b"<svg"),
        (".play-out", "CSV", b"x,y,class"),
        (".play-net", "PNG", b"\x89PNG"),
        (".play-net", "SVG", b"<svg"),
        (".play-loss", "SVG", b"<svg"),
    ],
)
def test_every_picture_downloads(
    browser: Browser, lab: Site, figure: str, ending: str, start: bytes
) -> None:
    with open_page(browser, lab.url + PLAY) as page:
        ready(page)
        with page.expect_download() as taken:
            page.locator(figure).get_by_role("button", name=f"Download {ending}").click()
        content = taken.value.path().read_bytes()
    assert content.startswith(start)
    assert len(content) > 400


def test_two_spirals_are_drawn_at_a_living_rate(browser: Browser, lab: Site) -> None:
    # The rate depends on the machine: it is printed, and only a standstill fails.
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(lab.url + PLAY)
    ready(page)
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause").wait_for()
    received, drawn = page.evaluate(
        """async () => {
          const rate = document.querySelector('.play-rate').dataset;
          const count = () => [Number(rate.received), Number(rate.drawn)];
          const [first, start] = [count(), performance.now()];
          await new Promise((done) => setTimeout(done, 5000));
          const seconds = (performance.now() - start) / 1000;
          return count().map((now, k) => (now - first[k]) / seconds);
        }"""
    )
    context.close()
    print(f"\ntwo spirals: {received:.0f} pictures/s received, {drawn:.0f} drawn")  # noqa: T201 - the figure
    assert received > 5
    assert drawn > 5


def shown(page: Page) -> None:
    expect(page.locator(".bench-pictures svg.svg-chart").first).to_be_visible()


def test_a_bench_answers_each_change_and_its_address_opens_the_same(
    browser: Browser, lab: Site
) -> None:
    with open_page(browser, lab.url + BENCH) as page:
        shown(page)
        page.get_by_role("radio", name="Central limit").click()
        title = page.locator(".bench-pictures .chart-title").first
        expect(title).to_contain_text("Averages of 2")
        page.get_by_role("radio", name="Cauchy").click()
        expect(title).to_contain_text("no theorem")
        address = page.url
    assert "pb-source=cauchy" in address
    with open_page(browser, address) as page:
        expect(page.locator(".bench-pictures .chart-title").first).to_contain_text("no theorem")


def test_flips_move_the_belief(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url + BENCH + "&pb-bench=bayes") as page:
        shown(page)
        page.get_by_role("button", name="Flip ten").click()
        page.get_by_role("button", name="Flip one").click()
        title = page.locator(".bench-pictures .chart-title").first
        expect(title).to_contain_text(re.compile(r"heads in 11 flips"))


def test_the_likelihood_follows_a_press_in_the_curve(browser: Browser, lab: Site) -> None:
    with open_page(browser, lab.url + BENCH + "&pb-bench=likelihood") as page:
        shown(page)
        plot = page.locator(".bench-pictures .plot").first
        box = plot.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + 60)
        page.wait_for_url(re.compile("pb-at="))
        page.get_by_role("button", name="Go to the top").click()
        expect(page.locator(".bench-pictures .chart-note").first).to_contain_text("100 %")


def test_what_a_bench_cannot_compute_is_said_at_the_bench(browser: Browser, lab: Site) -> None:
    with open_page(
        browser, lab.url + BENCH + "&pb-bench=bootstrap", expected_errors=REFUSED
    ) as page:
        shown(page)
        sample = page.get_by_label("The sample")
        sample.fill("1, two, 3")
        sample.blur()
        alert = page.locator("#pane-probability").get_by_role("alert")
        expect(alert).to_contain_text("values.1")
        expect(sample).to_have_value("1, two, 3")
        sample.fill("1, 2, 3")
        sample.blur()
        expect(alert).to_be_hidden()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("room", ["playground", *BENCHES])
def test_every_text_of_a_room_is_legible(
    browser: Browser, lab: Site, theme: str, room: str
) -> None:
    is_play = room == "playground"
    path = PLAY if is_play else f"{BENCH}&pb-bench={room}"
    with open_page(browser, lab.url + path, theme=theme) as page:
        ready(page) if is_play else shown(page)
        texts = rendered_texts(page)
    assert len(texts) > 20
    assert [text for text in texts if not text.is_legible] == []


@pytest.mark.parametrize("room", ["playground", *BENCHES])
def test_the_rooms_are_pictured_in_both_themes_and_widths(
    browser: Browser, lab: Site, room: str
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    is_play = room == "playground"
    path = f"{PLAY}&pg-step=1500" if is_play else f"{BENCH}&pb-bench={room}"
    for width in WIDTHS:
        for theme in THEMES:
            with open_page(browser, lab.url + path, width=width, theme=theme) as page:
                if is_play:
                    expect(page.locator(".play-said")).to_contain_text("After")
                else:
                    shown(page)
                no_sideways_scroll(page)
                file = SCREENSHOTS / f"lab-{room}-{width}-{theme}.png"
                page.screenshot(path=file, full_page=True)
                assert file.stat().st_size > 10_000
