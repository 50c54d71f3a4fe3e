"""The page of the networks as a person uses it: show an image, follow a training, compare, look.

The model is the one that comes with the service. Runs of every kind are written as training writes
them (`support/p2_runs.py`); the one that is followed live is a real training, killed in the middle.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from p2_nn_service.api import create_app
from p2_nn_service.first_model import publish_builtin
from p2_nn_service.settings import Settings
from PIL import Image
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
from tests.support.p2_runs import keep_runs

__all__ = ["browser"]
pytestmark = pytest.mark.slow

every_look = [(width, theme) for width in WIDTHS for theme in THEMES]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the built-in model, beside four runs; no test here changes what it holds."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("p2"))
    publish_builtin(settings)
    keep_runs(settings.data_dir)
    with served(create_app(settings)) as site:
        yield site


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Site]:
    """Serve the built-in model alone, from a data directory of the test's own."""
    settings = Settings(data_dir=tmp_path / "data", poll_s=0.1)
    publish_builtin(settings)
    with served(create_app(settings)) as site:
        yield site


def picture(kind: str = "PNG", side: int = 200) -> bytes:
    """A photograph of sorts: a light thing with a soft edge on a dark ground."""
    y, x = np.mgrid[:side, :side]
    inside = np.clip(1.2 - np.hypot((x - side / 2) / 60, (y - side / 2) / 80), 0, 1)
    file = BytesIO()
    Image.fromarray((30 + 200 * inside).astype(np.uint8)).convert("RGB").save(file, kind)
    return file.getvalue()


def give(page: Page, content: bytes, name: str, kind: str) -> None:
    page.locator("#ask input[type=file]").set_input_files(
        {"name": name, "mimeType": kind, "buffer": content}
    )


def said(page: Page) -> str:
    expect(page.locator(".said")).not_to_be_empty()
    return page.locator(".said").inner_text()


def answered(page: Page) -> None:
    expect(page.locator("#answer-body")).to_have_attribute("aria-busy", "false")


def draw_by_mouse(page: Page) -> None:
    page.locator(".stage .sketch").scroll_into_view_if_needed()
    box = page.locator(".stage .sketch").bounding_box()
    assert box is not None
    corners = [(0.4, 0.1), (0.6, 0.1), (0.65, 0.9), (0.52, 0.9), (0.5, 0.3), (0.48, 0.9)]
    for k, (x, y) in enumerate([*corners, (0.35, 0.9), (0.4, 0.1)]):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if k == 0:
            page.mouse.down()
    page.mouse.up()


# --------------------------------------------------------------------------------- classify
def test_a_first_visit_says_what_to_do_and_one_press_draws_and_is_answered(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        expect(page.get_by_role("heading", name="Nothing shown yet")).to_be_visible()
        page.get_by_role("button", name="Draw a T-shirt/top for me").click()
        assert said(page) == "T-shirt/top"
        answer = page.locator("#answer")
        expect(answer.get_by_role("img", name="What the network saw, 28 × 28")).to_be_visible()
        expect(answer).to_contain_text("inverted: the model learned from light things on dark")
        expect(answer).to_contain_text("version 1, int8")
        expect(page.locator(".class-bars .bar-track")).to_have_count(10)


def test_a_drawing_is_answered_while_it_grows_and_is_taken_back_stroke_by_stroke(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#answer .state")).to_be_visible()
        draw_by_mouse(page)
        answered(page)
        assert said(page) == "Trouser"
        assert "#drawing=p4" in page.url
        page.get_by_role("radio", name="Fill").check(force=True)
        page.locator(".stage .sketch").click(position={"x": 5, "y": 5})
        expect(page).to_have_url(re.compile(r"\.f4:"))
        page.get_by_role("button", name="Undo").click()
        assert ".f4:" not in page.url
        page.locator(".stage .sketch").press("Control+z")
        expect(page.get_by_role("heading", name="Nothing shown yet")).to_be_visible()
        expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_drawing_is_made_by_keys_alone_and_shared_by_its_address(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#answer .state")).to_be_visible()
        page.locator(".stage .sketch").focus()
        for key in ["Space", *["Shift+ArrowDown"] * 3, *["ArrowRight"] * 4, "Space"]:
            page.keyboard.press(key)
        expect(page.get_by_text("Pen is up")).to_have_count(1)
        answered(page)
        before, shared = said(page), page.url
        shares = page.locator(".class-bars").inner_text()
    with open_page(browser, shared) as page:
        expect(page.locator(".class-bars")).to_have_text(shares, use_inner_text=True)
        assert said(page) == before


@pytest.mark.parametrize(("kind", "name"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_a_picture_is_answered_and_what_was_done_to_it_is_told(
    browser: Browser, site: Site, kind: str, name: str
) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#answer .state")).to_be_visible()
        give(page, picture(kind), f"thing.{kind.lower()}", name)
        said(page)
        expect(page.locator("#answer")).to_contain_text("resized from 200 x 200 to 28 x 28")
        expect(page.get_by_role("img", name=f"thing.{kind.lower()}")).to_be_visible()


def test_back_returns_from_a_picture_to_the_drawing_before_it(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        page.get_by_role("button", name="Draw: Trouser").click()
        answered(page)
        assert said(page) == "Trouser"
        give(page, picture(), "thing.png", "image/png")
        expect(page.locator("#answer")).to_contain_text("resized from 200 x 200")
        page.go_back()
        expect(page.locator(".stage-picture")).to_be_hidden()
        expect(page.locator(".said")).to_have_text("Trouser")


def test_a_picture_can_be_pasted(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#answer .state")).to_be_visible()
        page.evaluate(
            """(bytes) => {
              const clipboardData = new DataTransfer();
              const content = [new Uint8Array(bytes)];
              clipboardData.items.add(new File(content, 'p.png', { type: 'image/png' }));
              dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
            }""",
            list(picture()),
        )
        said(page)
        expect(page.get_by_role("img", name="pasted picture")).to_be_visible()


def test_what_cannot_be_read_is_refused_in_words_and_the_next_picture_is_answered(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url, expected_errors=("422",)) as page:
        expect(page.locator("#answer .state")).to_be_visible()
        give(page, picture("JPEG")[:900], "half.jpg", "image/jpeg")
        trouble = page.locator("#answer").get_by_role("alert")
        expect(trouble).to_contain_text("An image cannot be read")
        expect(trouble.get_by_role("button", name="Copy the request id")).to_be_visible()
        give(page, picture(), "whole.png", "image/png")
        said(page)
        expect(trouble).to_have_count(0)


def test_noise_is_called_strange(browser: Browser, site: Site) -> None:
    file = BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (28, 28)).astype(np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    with open_page(browser, site.url) as page:
        expect(page.locator("#answer .state")).to_be_visible()
        give(page, file.getvalue(), "noise.png", "image/png")
        expect(page.locator(".strange")).to_contain_text("Unlike what it learned from")
        expect(page.locator("#answer")).to_contain_text("it came in the model's own size")


def test_the_evidence_lies_over_the_picture_and_is_in_the_address(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        page.get_by_role("button", name="Held-out image:").first.click()
        label = said(page)
        assert "example=" in page.url
        expect(page.locator(".evidence")).to_have_count(0)
        page.get_by_label("Show the evidence").check()
        expect(page.get_by_role("img", name=f"Where the evidence for {label} lies")).to_be_visible()
        page.reload()
        expect(page.locator(".evidence")).to_be_visible()
        assert said(page) == label


def test_the_card_says_how_good_it_is_and_what_it_was_not_made_for(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator("#head")).to_contain_text("of held-out images right")
        expect(page.locator("#figures")).to_contain_text(re.compile(r"Accuracy9\d\.\d %"))
        expect(page.locator("#card")).to_contain_text("Learned from 54,000 grey images")
        page.get_by_text("What its graphs cost").click()
        expect(page.locator("#card")).to_contain_text("int8")


def test_without_a_model_every_room_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", publish_builtin=False)
    with (
        served(create_app(settings)) as site,
        open_page(browser, site.url, expected_errors=("503",)) as page,
    ):
        expect(page.locator("#answer")).to_contain_text("p2-nn-service train")
        page.get_by_role("tab", name="Mistakes").click()
        expect(page.locator("#pane-mistakes")).to_contain_text("No model is served yet")
        page.get_by_role("tab", name="Training").click()
        expect(page.locator("#pane-training")).to_contain_text("No run yet")
        page.get_by_role("tab", name="Compare").click()
        expect(page.locator("#pane-compare")).to_contain_text("Nothing to compare yet")


# --------------------------------------------------------------------------------- training
def test_a_training_is_followed_while_it_goes_and_told_as_interrupted_when_it_is_killed(
    browser: Browser, fresh: Site, tmp_path: Path
) -> None:
    folder = labelled_folder(tmp_path / "bars")
    command = [sys.executable, "-m", "p2_nn_service.cli", "--data-dir", str(tmp_path / "data")]
    order = ["train", "--dataset", str(folder), "--model", "perceptron", "--epochs", "100000"]
    with open_page(browser, f"{fresh.url}/?tab=training") as page:
        room = page.locator("#pane-training")
        expect(room.get_by_role("heading", name="No run yet")).to_be_visible()
        expect(room).to_contain_text("p2-nn-service train --dataset fashion-mnist --model cnn")
        trainer = subprocess.Popen(
            [*command, *order], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            running = room.locator("header", has_text="perceptron on bars")
            expect(running).to_contain_text("running", timeout=120_000)
            expect(page.locator("#run-verdict")).to_contain_text("right after", timeout=60_000)
            first = page.locator("#run-verdict").inner_text()
            expect(page.locator("#run-verdict")).not_to_have_text(first)
            expect(room.locator("svg.svg-chart")).to_be_visible()
            expect(room).to_contain_text("of 100000")
        finally:
            trainer.kill()
            trainer.wait()
        expect(page.locator("#run-verdict")).to_contain_text("Interrupted")
        expect(room).to_contain_text(re.compile(r"p2-nn-service train --resume \d+-\d+-perceptron"))
        expect(room.get_by_role("navigation")).to_contain_text("interrupted")


def test_a_training_is_stopped_by_a_button_and_says_how_to_go_on(
    browser: Browser, fresh: Site, tmp_path: Path
) -> None:
    folder = labelled_folder(tmp_path / "bars")
    command = [sys.executable, "-m", "p2_nn_service.cli", "--data-dir", str(tmp_path / "data")]
    order = ["train", "--dataset", str(folder), "--model", "perceptron", "--epochs", "100000"]
    trainer = subprocess.Popen(
        [*command, *order, "--track="], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with open_page(browser, f"{fresh.url}/?tab=training") as page:
            stop = page.get_by_role("button", name="Stop training")
            expect(page.locator("#run-verdict")).to_contain_text("right after", timeout=120_000)
            stop.press("Enter")
            expect(page.locator("#pane-training")).to_contain_text("Asked to stop")
            expect(page.locator("#run-verdict")).to_contain_text("Asked to stop", timeout=60_000)
            expect(stop).to_be_hidden()
            expect(page.locator("#pane-training")).to_contain_text("p2-nn-service train --resume")
        assert trainer.wait(60) == 0
    finally:
        trainer.kill()
        trainer.wait()


def labelled_folder(folder: Path) -> Path:
    chance = np.random.default_rng(0)
    for k, name in enumerate(("left", "right")):
        (folder / name).mkdir(parents=True)
        for n in range(20):
            image = chance.integers(0, 90, (8, 8))
            image[:, 1 + 4 * k : 3 + 4 * k] += 130
            Image.fromarray(image.astype(np.uint8)).save(folder / name / f"{n}.png")
    return folder


def test_runs_are_listed_opened_by_their_address_and_say_what_to_do_next(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?tab=training") as page:
        room = page.locator("#pane-training")
        expect(room.get_by_role("navigation").get_by_role("link")).to_have_count(4)
        expect(page.locator("#run-verdict")).to_contain_text("93.10 % of held-out examples right")
        expect(room).to_contain_text("p2-nn-service publish 20261124-0900-cnn")
        room.get_by_role("link", name="rnn").press("Enter")
        expect(page.locator("#run-verdict")).to_contain_text("Failed: the loss is nan")
        assert "run=20261124-0500-rnn" in page.url
        page.goto(f"{site.url}/?tab=training&run=20261124-0600-lstm")
        expect(room).to_contain_text("p2-nn-service train --resume 20261124-0600-lstm")
        page.goto(f"{site.url}/?tab=training&run=never")
        expect(room).to_contain_text("There is no run never")


@pytest.mark.parametrize(
    ("kind", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"Step,")]
)
def test_the_numbers_of_a_run_can_be_taken_away(
    browser: Browser, site: Site, kind: str, start: bytes
) -> None:
    with open_page(browser, f"{site.url}/?tab=training") as page:
        expect(page.locator("figure.chart .chart-title").first).to_contain_text("93.10 %")
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Download {kind}").click()
        assert Path(download.value.path()).read_bytes().startswith(start)


def test_a_service_that_is_gone_leaves_the_run_on_the_page_and_says_so(
    browser: Browser, fresh: Site, tmp_path: Path
) -> None:
    keep_runs(tmp_path / "data")
    with open_page(browser, f"{fresh.url}/?tab=training", expected_errors=("ERR_",)) as page:
        expect(page.locator("#run-verdict")).to_contain_text("93.10 %")
        fresh.stop()
        page.get_by_role("button", name="Check now").click()
        expect(page.locator(".frame-stale")).to_contain_text("stopped answering")
        expect(page.locator("#run-verdict")).to_contain_text("93.10 %")


# ---------------------------------------------------------------------------------- compare
def test_networks_are_compared_by_the_cost_that_is_chosen(browser: Browser, site: Site) -> None:
    with open_page(browser, f"{site.url}/?tab=compare") as page:
        expect(page.locator("#comparison-verdict")).to_contain_text("cnn (fp32) answers 93.10%")
        figure = page.locator("#pane-compare figure.chart")
        expect(figure).to_contain_text("2 of 2 are efficient by latency: cnn int8, cnn")
        expect(figure).to_contain_text("2 rows without this cost")
        expect(figure.locator(".js-plotly-plot")).to_be_visible()
        page.get_by_role("radio", name="Parameters").check(force=True)
        expect(figure).to_contain_text("efficient by parameters: lstm, mlp, cnn")
        assert "cost=n_parameters" in page.url
        page.get_by_role("button", name="Training time").click()
        expect(page.locator("#compared tbody tr").first).to_contain_text("62 s")
        assert "sort=train_s" in page.url
        figure.get_by_role("button", name="Show as a table").click()
        expect(figure.locator("tbody tr")).to_have_count(4)


def test_without_runs_the_served_model_is_compared_with_itself(
    browser: Browser, fresh: Site
) -> None:
    with open_page(browser, f"{fresh.url}/?tab=compare") as page:
        expect(page.locator("#comparison-verdict")).to_contain_text(
            "The served model in 2 variants"
        )
        expect(page.locator("#pane-compare")).to_contain_text("p2-nn-service train")
        expect(page.locator("#compared tbody tr")).to_have_count(2)


# --------------------------------------------------------------------------------- mistakes
def test_a_cell_of_the_confusion_matrix_shows_its_mistakes_by_mouse_and_by_keys(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?tab=mistakes") as page:
        expect(page.locator("#mistakes .wrong li")).to_have_count(24)
        expect(page.locator("#pane-mistakes figure")).to_contain_text("its most frequent mistake")
        page.locator('[data-cell="6-0"]').click()
        title = page.locator("#mistakes-title")
        expect(title).to_contain_text("of Shirt")
        assert "cell=6-0" in page.url
        wrong = page.locator("#mistakes .wrong li")
        assert 0 < wrong.count() < 24
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(title).to_contain_text("taken for Pullover")
        assert "cell=6-2" in page.url
        page.get_by_role("button", name="All mistakes").click()
        expect(wrong).to_have_count(24)
        wrong.first.get_by_role("link").click()
        expect(page.get_by_role("tab", name="Classify")).to_have_attribute("aria-selected", "true")
        expect(page.locator(".stage-picture")).to_be_visible()
        said(page)


# --------------------------------------------------------------------------------- backprop
def test_gradients_are_revealed_backwards_by_keys_and_each_node_tells_its_arithmetic(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?tab=backprop") as page:
        expect(page.locator("#backprop-verdict")).to_contain_text("agree to the twelfth digit")
        n = page.locator(".node").count()
        expect(page.locator(".node-gradient.unknown")).to_have_count(n)
        page.get_by_role("button", name="Begin at the loss").click()
        expect(page.locator("#chain")).to_contain_text("This is the loss itself")
        page.get_by_role("button", name=re.compile("^loss: value")).focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#chain-rule")).to_contain_text("through loss")
        expect(page.locator(".node-gradient.unknown")).to_have_count(n - 2)
        page.keyboard.press("ArrowRight")
        expect(page.locator(".node-gradient.unknown")).to_have_count(n - 1)
        page.get_by_role("button", name=re.compile("^x1: value")).hover()
        expect(page.locator("#chain")).to_contain_text("It waits for the gradient of")
        page.get_by_role("button", name="All", exact=True).click()
        expect(page.locator(".node-gradient.unknown")).to_have_count(0)
        page.get_by_role("button", name=re.compile("^x1: value")).focus()
        expect(page.locator("#chain-rule li")).to_have_count(2)
        expect(page.locator("#chain")).to_contain_text("it is used 2 times")
        assert f"back={n}&node=x0" in page.url
        page.get_by_role("radio", name="Squared error").check(force=True)
        expect(page.get_by_role("button", name=re.compile("^squared: value")).first).to_be_visible()
        assert "loss=squared_error" in page.url


# ---------------------------------------------------------------------------------- history
def test_a_version_is_promoted_and_rolled_back_and_each_answers(
    browser: Browser, fresh: Site, tmp_path: Path
) -> None:
    publish_builtin(Settings(data_dir=tmp_path / "data", alias="candidate"))
    with open_page(browser, f"{fresh.url}/?tab=history") as page:
        page.get_by_role("button", name="Promote version 2").click()
        question = page.get_by_role("dialog", name="Serve version 2?")
        expect(question).to_contain_text("Champion moves from version 1 to version 2")
        question.get_by_role("button", name="Promote").click()
        expect(page.get_by_role("heading", name="Version 2 answers")).to_be_visible()
        expect(page.locator("#head")).to_contain_text("version 2")
        page.get_by_role("button", name="Roll back to 1").click()
        page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
        expect(page.get_by_role("heading", name="Version 1 answers")).to_be_visible()


# ------------------------------------------------------------------------------------ looks
ROOMS = {
    "classify": ("?saliency=1", ".said"),
    "training": ("?tab=training", "#pane-training svg.svg-chart"),
    "compare": ("?tab=compare&cost=n_parameters", "#pane-compare .js-plotly-plot"),
    "mistakes": ("?tab=mistakes&cell=6-0", "#mistakes .wrong li"),
    "backprop": ("?tab=backprop&back=14", "#chain-rule"),
    "history": ("?tab=history", "#versions"),
}


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize(("width", "theme"), every_look)
def test_every_room_is_legible_and_pictured(
    browser: Browser, site: Site, width: int, theme: str, room: str
) -> None:
    address, ready = ROOMS[room]
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_page(browser, f"{site.url}/{address}", width=width, theme=theme) as page:
        if room == "classify":
            page.get_by_role("button", name="Draw: Ankle boot").click()
        expect(page.locator(ready).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        no_sideways_scroll(page)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=SCREENSHOTS / f"p2-{room}-{width}-{theme}.png", full_page=True)
        assert [text for text in rendered_texts(page) if not text.is_legible] == []
