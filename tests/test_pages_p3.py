"""The page of the document chat as a person uses it: ask, follow a citation, bring documents, look.

The service is whole but for what reads and writes answers, which is known here
(`support/p3_service.py`); the rooms that look inside show the real embedder and the real generator.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.support.browser import (
    SCREENSHOTS,
    THEMES,
    WIDTHS,
    Site,
    browser,
    no_sideways_scroll,
    open_page,
)
from tests.support.contrast import rendered_texts
from tests.support.p3_service import BROKEN, CELLAR, INVENTED, SLOW, chat_service

__all__ = ["browser"]
pytestmark = pytest.mark.slow

every_look = [(width, theme) for width in WIDTHS for theme in THEMES]
LOADING_MS = 120_000
"""An upper bound for models that load on first use, on a loaded machine."""
WINE = "How long does young wine rest in oak barrels?"
ROSES = "When are roses pruned?"
UNKNOWN = "Who invented the telephone?"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("p3")


@pytest.fixture(scope="module")
def site(data_dir: Path) -> Iterator[Site]:
    """Serve a chatbot over two documents; a test that changes some makes its own collection."""
    with chat_service(data_dir) as site:
        yield site


def collection(site: Site, name: str, *documents: tuple[str, str]) -> str:
    """Make a collection for one test; returns its name."""
    with httpx2.Client(base_url=site.url, timeout=120) as client:
        client.post("/v1/collections", json={"name": name}).raise_for_status()
        for title, text in documents:
            files = {"files": (title, text.encode())}
            client.post(f"/v1/collections/{name}/documents", files=files).raise_for_status()
    return name


def ask(page: Page, question: str) -> Locator:
    """Type a question as a person does; returns the turn that answers it."""
    n = page.locator(".turn").count()
    page.get_by_role("textbox", name="Question").fill(question)
    page.get_by_role("textbox", name="Question").press("Enter")
    turn = page.locator(".turn").nth(n)
    expect(turn).to_contain_text(question)
    return turn


def answered(turn: Locator) -> None:
    expect(turn.locator(".answer[aria-busy=true]")).to_have_count(0)


# ------------------------------------------------------------------------------------- asking
def test_a_question_is_answered_with_a_citation_that_opens_the_very_passage(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        expect(page.get_by_role("heading", name="Ask house: 2 documents")).to_be_visible()
        turn = ask(page, WINE)
        expect(turn).to_contain_text("Young wine rests in oak barrels for two winters")
        expect(turn).to_contain_text("sure")
        turn.get_by_role("link", name="Source 1: The cellar").click()
        panel = page.get_by_role("dialog", name=re.compile("The cellar"))
        mark = panel.locator("mark")
        expect(mark).to_have_text(
            "Young wine rests in oak barrels for two winters before it is bottled."
        )
        expect(mark).to_be_in_viewport()
        expect(panel).to_contain_text("eleven degrees")
        assert "passage=" in page.url
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)


def test_a_shared_question_waits_until_the_collections_are_known(
    browser: Browser, site: Site
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with open_page(browser, site.url) as page:
        page.route("**/v1/collections", hold)
        page.goto(f"{site.url}/?q={quote(WINE)}")
        expect(page.get_by_role("textbox", name="Question")).to_be_visible()
        assert held, "the page did not ask for the collections"
        for route in held:
            route.continue_()
        expect(page.locator(".turn")).to_contain_text("Young wine rests in oak barrels")


def test_a_long_document_opens_at_its_passage_and_the_rest_comes_when_asked(
    browser: Browser, site: Site
) -> None:
    before, after = (
        "\n\n".join(f"{place} {k} holds nothing but dust 🕸." for k in range(900))
        for place in ("Shelf", "Drawer")
    )
    needle = "The silver key hangs behind the portrait of grandmother."
    long = collection(site, "long", ("long.md", f"# Attic\n\n{before}\n\n{needle}\n\n{after}"))
    with open_page(browser, f"{site.url}/?collection={long}") as page:
        turn = ask(page, "Where hangs the silver key behind the portrait?")
        turn.get_by_role("link", name="Source 1").click()
        panel = page.get_by_role("dialog")
        expect(panel.locator("mark")).to_have_text(needle)
        expect(panel.locator("mark")).to_be_in_viewport()
        expect(panel).not_to_contain_text("Shelf 0 holds")
        for _ in range(3):
            panel.get_by_role("button", name="Earlier text").click()
        expect(panel).to_contain_text("Shelf 0 holds")
        expect(panel.get_by_role("button", name="Earlier text")).to_have_count(0)
        expect(panel.locator("mark")).to_have_text(needle)


def test_why_this_answer_shows_what_was_found_with_its_scores(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        turn = ask(page, WINE)
        turn.get_by_text("Why this answer").click()
        found = turn.get_by_role("region", name="What was found")
        first = found.locator("tbody tr").first
        expect(first).to_contain_text("cited as [1]")
        expect(first.locator("td.num")).to_have_text([re.compile(r"\d")] * 5)
        expect(turn).to_contain_text("Where the time went")


def test_what_the_documents_do_not_say_is_refused_with_the_nearest_passages(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        turn = ask(page, UNKNOWN)
        expect(turn.locator(".badge", has_text="The documents do not say")).to_be_visible()
        expect(turn).to_contain_text("Nearest passages")
        turn.locator(".sources").get_by_role("link").first.click()
        expect(page.get_by_role("dialog").locator("mark")).to_be_visible()


def test_a_written_sentence_that_nothing_supports_is_marked_in_the_text(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?depth=generate") as page:
        turn = ask(page, WINE)
        answered(turn)
        marked = [INVENTED.removesuffix(" [1]."), "."]  # the citation between them is none of it
        expect(turn.locator("mark.unsupported")).to_have_text(marked)
        expect(turn).to_contain_text("1 of 2 sentences supported")
        turn.get_by_text("Why this answer").click()
        checks = turn.get_by_role("region", name="Checks").locator("tbody tr")
        expect(checks.nth(0)).to_contain_text("supported")
        expect(checks.nth(1)).to_contain_text("not supported")


def test_the_three_depths_stand_side_by_side_and_the_way_is_in_the_address(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, site.url) as page:
        expect(page.locator(".composer")).to_be_visible()
        page.get_by_role("radio", name="Side by side").check(force=True)
        assert "depth=all" in page.url
        turn = ask(page, WINE)
        answered(turn)
        for name, words in (
            ("Extract", "Young wine"), ("Generate", "Dragons"), ("Free", "freely")
        ):  # fmt: skip
            expect(turn.get_by_role("article", name=f"Answer, {name}")).to_contain_text(words)
        shared = page.url
    with open_page(browser, shared) as page:
        expect(page.locator(".turn .answer")).to_have_count(3)
        expect(page.get_by_role("radio", name="Side by side")).to_be_checked()


def test_a_follow_up_is_searched_as_it_was_meant(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        answered(ask(page, ROSES))
        with page.expect_request("**/v1/chat/completions") as sent:
            turn = ask(page, "And when are apples picked?")
        said = json.loads(sent.value.post_data or "")["messages"]
        assert [one["role"] for one in said] == ["user", "assistant", "user"]
        assert said[0]["content"] == ROSES
        expect(turn).to_contain_text("Apples are picked in")


def test_an_answer_is_stopped_in_its_middle_and_asked_again(browser: Browser, site: Site) -> None:
    with open_page(browser, f"{site.url}/?depth=generate") as page:
        turn = ask(page, f"How does wine rest {SLOW} in oak barrels?")
        expect(turn.locator(".answer-text")).to_contain_text("Young")
        page.locator(".composer").get_by_role("button", name="Stop").click()
        expect(turn).to_contain_text("stopped")
        expect(turn.locator(".answer-text")).to_contain_text("Young")
        expect(page.locator(".composer").get_by_role("button", name="Ask")).to_be_visible()
        turn.get_by_role("button", name="Ask again").click()
        expect(turn.locator(".answer[aria-busy=true]")).to_be_visible()
        turn.get_by_role("button", name="Stop").click()
        expect(turn).to_contain_text("stopped")


def test_an_answer_that_breaks_off_keeps_what_came_and_says_what_happened(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?depth=generate") as page:
        turn = ask(page, f"What {BROKEN} the wine in oak barrels?")
        trouble = turn.get_by_role("alert")
        expect(trouble).to_contain_text("The model failed in its answer")
        expect(trouble.get_by_role("button", name="Copy the request id")).to_be_visible()
        expect(trouble.get_by_role("button", name="Try again")).to_be_visible()
        expect(turn.locator(".answer-text")).to_contain_text("Young")


def test_a_reload_and_a_draft_lose_nothing(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        answered(ask(page, WINE))
        page.get_by_role("textbox", name="Question").fill("A thought half wr")
        page.reload()
        expect(page.locator(".turn")).to_contain_text("two winters")
        expect(page.get_by_role("textbox", name="Question")).to_have_value("A thought half wr")
        page.get_by_role("button", name="New chat").click()
        expect(page.locator(".turn")).to_have_count(0)
        assert "q=" not in page.url


def test_thumbs_and_words_about_an_answer_are_kept(browser: Browser, site: Site) -> None:
    with open_page(browser, site.url) as page:
        turn = ask(page, WINE)
        turn.get_by_role("button", name="This answer does not help").click()
        turn.get_by_role("textbox", name="What is wrong with it?").fill("It quotes too little")
        turn.get_by_role("button", name="Send").click()
        expect(turn).to_contain_text("your words were kept")
    latest = httpx2.get(f"{site.url}/v1/feedback").json()[0]
    assert (latest["rating"], latest["comment"]) == ("down", "It quotes too little")
    assert latest["answer_id"].startswith("chatcmpl-")
    assert latest["passages"]


@pytest.mark.parametrize(("kind", "words"), [("Markdown", "## How long"), ("JSON", '"turns"')])
def test_a_conversation_can_be_taken_away(
    browser: Browser, site: Site, kind: str, words: str
) -> None:
    with open_page(browser, site.url) as page:
        answered(ask(page, WINE))
        with page.expect_download() as download:
            page.get_by_role("button", name=kind).click()
        text = Path(download.value.path()).read_text(encoding="utf-8")
    assert words in text
    assert "two winters" in text
    assert "cellar.md" in text


def test_what_a_document_says_cannot_become_markup(browser: Browser, site: Site) -> None:
    hostile = (
        "The gate opens with <img src=x onerror=\"document.title='owned'\"> and "
        "[a link](javascript:alert(1)) when the bell rings twice."
    )
    name = collection(site, "hostile", ("gate.txt", hostile))
    with open_page(browser, f"{site.url}/?collection={name}") as page:
        turn = ask(page, "When the bell rings twice the gate opens with?")
        expect(turn.locator(".answer-text")).to_contain_text("<img src=x onerror")
        assert turn.locator("img, a[href^=javascript]").count() == 0
        assert "owned" not in page.title()


def test_an_unknown_and_an_empty_collection_say_what_to_do(browser: Browser, site: Site) -> None:
    with open_page(browser, f"{site.url}/?collection=nowhere") as page:
        expect(page.get_by_role("heading", name="There is no collection nowhere")).to_be_visible()
        page.get_by_role("combobox", name="Collection").first.select_option("attic")
        expect(page.get_by_role("heading", name="attic has no documents yet")).to_be_visible()
        page.get_by_role("button", name="Add documents").click()
        expect(page.get_by_role("tab", name="Documents")).to_have_attribute("aria-selected", "true")


def test_a_service_that_is_gone_is_told_and_the_question_is_not_lost(
    browser: Browser, site: Site, data_dir: Path, tmp_path: Path
) -> None:
    (generator,) = (data_dir / "generator").glob("*.gguf")
    with (
        chat_service(tmp_path, generator=generator) as fleeting,
        open_page(browser, fleeting.url, expected_errors=("ERR_",)) as page,
    ):
        answered(ask(page, WINE))
        fleeting.stop()
        page.get_by_role("button", name="Check now").click()
        expect(page.locator(".frame-stale")).to_contain_text("stopped answering")
        turn = ask(page, ROSES)
        expect(turn.get_by_role("alert")).to_contain_text("The service does not answer")
        expect(turn.get_by_role("button", name="Try again")).to_be_visible()


# ---------------------------------------------------------------------------------- documents
def test_files_are_dropped_and_each_tells_what_became_of_it(browser: Browser, site: Site) -> None:
    name = collection(site, "dropped")
    with open_page(browser, f"{site.url}/?tab=documents&collection={name}") as page:
        expect(page.get_by_role("heading", name="No documents yet")).to_be_visible()
        page.locator(".dropzone").evaluate(
            """(zone, text) => {
              const dataTransfer = new DataTransfer();
              dataTransfer.items.add(new File([text], 'cellar.md', { type: 'text/markdown' }));
              const broken = ['%PDF-1.4 broken'];
              dataTransfer.items.add(new File(broken, 'broken.pdf', { type: 'application/pdf' }));
              zone.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
            }""",
            CELLAR,
        )
        uploads = page.get_by_role("list", name="Uploads").get_by_role("listitem")
        expect(uploads).to_have_count(2)
        expect(uploads.nth(0)).to_contain_text("1 document indexed", timeout=LOADING_MS)
        expect(uploads.nth(1)).to_contain_text("failed", timeout=LOADING_MS)
        expect(uploads.nth(1)).to_contain_text("broken.pdf")
        expect(uploads.nth(1).get_by_role("button", name="Try again")).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("The cellar"))).to_be_visible()


def test_a_document_is_chosen_read_and_removed(browser: Browser, site: Site) -> None:
    name = collection(site, "chosen")
    with open_page(browser, f"{site.url}/?tab=documents&collection={name}") as page:
        page.locator("input[type=file]").set_input_files(
            {"name": "cellar.md", "mimeType": "text/markdown", "buffer": CELLAR.encode()}
        )
        link = page.get_by_role("link", name=re.compile("The cellar"))
        link.click(timeout=LOADING_MS)
        expect(page.get_by_role("dialog")).to_contain_text("eleven degrees")
        page.get_by_role("button", name="Close the panel").click()
        page.get_by_role("button", name=re.compile("^Remove ")).click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(page.get_by_role("heading", name="No documents yet")).to_be_visible()


def test_web_addresses_are_checked_where_they_are_typed_and_refusals_say_why(
    browser: Browser, site: Site
) -> None:
    name = collection(site, "web")
    with open_page(browser, f"{site.url}/?tab=documents&collection={name}") as page:
        box = page.get_by_label("Web pages and sitemaps")
        box.fill("ftp://example.org/a")
        page.get_by_role("button", name="Fetch and index").click()
        expect(page.locator("#web-error")).to_contain_text("has to begin with https://")
        expect(box).to_be_focused()
        box.fill("https://example.org/a")
        page.get_by_role("button", name="Fetch and index").click()
        upload = page.get_by_role("list", name="Uploads").get_by_role("listitem")
        expect(upload).to_contain_text("failed", timeout=LOADING_MS)
        expect(upload).to_contain_text("P3_WEB_HOSTS")


def test_a_collection_is_made_refused_twice_and_deleted(browser: Browser, site: Site) -> None:
    errors = ("409",)
    with open_page(browser, f"{site.url}/?tab=documents", expected_errors=errors) as page:
        page.get_by_role("button", name="New collection").click()
        form = page.get_by_role("form", name="New collection")
        form.get_by_role("button", name="Create").click()
        expect(page.locator("#collection-error")).to_have_text("Write a name.")
        form.get_by_label("Name").fill("house")
        form.get_by_role("button", name="Create").click()
        expect(page.locator("#collection-error")).to_contain_text("already")
        form.get_by_label("Name").fill("brief")
        form.get_by_role("button", name="Create").click()
        expect(page.get_by_role("heading", name="No documents yet")).to_be_visible()
        assert "collection=brief" in page.url
        page.get_by_role("button", name="Delete collection").click()
        page.get_by_role("dialog", name="Delete brief?").get_by_role(
            "button", name="Delete"
        ).click()
        expect(page).not_to_have_url(re.compile("collection=brief"))
        expect(page.get_by_role("heading", name="2 documents")).to_be_visible()


# ------------------------------------------------------------------------------------- inside
def test_a_text_is_cut_as_it_is_typed_by_both_tokenizers(browser: Browser, site: Site) -> None:
    with open_page(browser, f"{site.url}/?tab=inside&text=Unhappiness") as page:
        pieces = page.get_by_role("region", name="Tokens of all-MiniLM-L6-v2")
        expect(pieces.locator(".piece")).to_have_text(["un", "##ha", "##pp", "##iness"])
        expect(
            page.get_by_role("region", name="Tokens of smollm2").locator("li")
        ).not_to_have_count(0)
        page.get_by_label("A text").fill("The cat")
        expect(pieces.locator(".piece")).to_have_text(["the", "cat"])
        generator = page.get_by_role("region", name="Tokens of smollm2")
        expect(generator.locator(".piece")).to_have_text(["The", "·cat"])
        assert "text=The+cat" in page.url


def test_a_head_and_a_token_are_chosen_and_shared_by_the_address(
    browser: Browser, site: Site
) -> None:
    sentence = quote("The cat sat because it was tired.")
    address = f"{site.url}/?tab=inside&look=attention&sentence={sentence}"
    with open_page(browser, address) as page:
        room = page.locator("#attention")
        expect(room.locator(".head")).to_have_count(12, timeout=LOADING_MS)
        page.get_by_role("radio", name="Layer 3").check(force=True)
        expect(room).to_contain_text("Layer 3, head 1")
        room.locator(".head").nth(8).press("Enter")
        expect(room).to_contain_text("Layer 3, head 9")
        room.get_by_role("button", name="cat", exact=True).click()
        expect(room).to_contain_text("What “cat” looks at")
        shares = room.locator(".share").all_inner_texts()
        total = sum(float(one.removesuffix(" %").removeprefix("<")) for one in shares)
        assert total == pytest.approx(100, abs=3)
        shared = page.url
    with open_page(browser, shared) as page:
        expect(page.locator("#attention")).to_contain_text("Layer 3, head 9")
        expect(page.locator("#attention .share")).to_have_text(shares)


def test_a_passage_is_read_on_the_map_by_mouse_and_keys_and_a_text_is_placed(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?tab=inside&look=map") as page:
        room = page.locator("#map")
        dots = room.locator(".map-dot")
        expect(dots.first).to_be_visible()
        dots.first.hover(force=True)
        expect(page.locator("#map-passage")).to_be_visible()
        room.locator(".map-picture").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("point="))
        page.get_by_role("textbox", name="A text to place").fill("roses pruned in march")
        page.get_by_role("button", name="Place it").click()
        expect(page.locator("#map-nearest li").first).to_contain_text("The garden")
        expect(room.locator(".map-place")).to_be_visible()
        shared = page.url
    with open_page(browser, shared) as page:
        expect(page.locator("#map-nearest li").first).to_contain_text("The garden")
        expect(page.locator("#map-passage")).to_be_visible()


def test_a_collection_without_passages_has_no_map(browser: Browser, site: Site) -> None:
    address = f"{site.url}/?tab=inside&look=map&collection=attic"
    with open_page(browser, address, expected_errors=("422", "400")) as page:
        expect(page.locator("#map")).to_contain_text("Too little to draw a map of")


def test_the_next_token_is_told_and_its_chances_follow_the_sliders(
    browser: Browser, site: Site
) -> None:
    with open_page(browser, f"{site.url}/?tab=inside&look=next") as page:
        room = page.locator("#next")
        expect(room.locator(".verdict")).to_contain_text("“·Paris” comes next", timeout=LOADING_MS)
        expect(room.locator(".verdict")).to_contain_text("200 tokens are in play")
        sharp = first_share(room)
        room.get_by_label("Temperature").fill("2")
        expect(room.locator(".chance .num").first).not_to_have_text(f"{sharp} %")
        assert first_share(room) < sharp
        room.get_by_label("Top-p").fill("0.5")
        expect(room.locator(".verdict")).to_contain_text("1 token of 200 is left")
        expect(room.locator(".chance").nth(1)).to_contain_text("cut")
        room.locator(".chance").first.click()
        expect(room.get_by_label("Answer so far")).to_have_value("The capital of France is Paris")
        expect(page).to_have_url(re.compile("answer=The.capital.of.France.is.Paris"))


def first_share(room: Locator) -> float:
    return float(room.locator(".chance .num").first.inner_text().removesuffix(" %"))


# ---------------------------------------------------------------------------------- exercises
def test_the_exercises_have_their_room(browser: Browser, site: Site) -> None:
    with open_page(browser, f"{site.url}/?tab=exercises") as page:
        expect(page.locator("#pane-exercises")).to_contain_text(
            "uv run roadmap exercises start p3/pieces-of-words"
        )


# ------------------------------------------------------------------------------------- looks
ROOMS = {
    "chat": ("?depth=all&q=" + quote(WINE), ".sources"),
    "refusal": ("?q=" + quote(UNKNOWN), ".sources"),
    "empty": ("", ".welcome"),
    "documents": ("?tab=documents", ".document-table"),
    "tokens": ("?tab=inside", ".pieces li"),
    "attention": ("?tab=inside&look=attention&layer=3&head=9&token=3", ".head"),
    "map": ("?tab=inside&look=map&place=roses", "#map-nearest"),
    "next": ("?tab=inside&look=next&t=0.7&p=0.9", ".chance"),
}


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize(("width", "theme"), every_look)
def test_every_room_is_legible_and_pictured(
    browser: Browser, site: Site, width: int, theme: str, room: str
) -> None:
    address, shown = ROOMS[room]
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with open_page(browser, f"{site.url}/{address}", width=width, theme=theme) as page:
        expect(page.locator(shown).first).to_be_visible(timeout=LOADING_MS)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        for summary in page.locator("summary").all()[:1]:
            summary.click()
        page.wait_for_load_state("networkidle")
        no_sideways_scroll(page)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=SCREENSHOTS / f"p3-{room}-{width}-{theme}.png", full_page=True)
        assert [text for text in rendered_texts(page) if not text.is_legible] == []
