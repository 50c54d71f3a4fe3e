"""A real Chromium for the pages' tests: launch it, serve an app, watch its console, take pictures.

Use, in a test module:

    from tests.support.browser import browser, open_page, served, take_screenshots

    def test_the_page_answers(browser):
        with served(create_app(settings)) as site, open_page(browser, site.url) as page:
            page.get_by_role("button", name="Predict").click()

`browser` is a module-scoped fixture: importing the name is what makes it one of the module's. It is
not session-scoped because Playwright's sync interface keeps an event loop running in the thread,
and async tests of other modules need theirs.
"""

import os
import shutil
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
# Read at import: tests run with the ROADMAP_ variables of the shell hidden.
SCREENSHOTS = Path(os.environ.get("ROADMAP_SCREENSHOTS") or ROOT / "screenshots")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW_TO_GET_ONE = (
    "no Chromium found: `apt-get install --no-install-recommends chromium fonts-liberation` "
    "(or put Chrome on the PATH)"
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-default-browser-check",
)
WIDTHS = (1440, 360)
THEMES = ("light", "dark")
HEIGHT = 900
PATIENCE_MS = 20_000  # an upper bound for a loaded machine; an expectation ends as soon as it holds

expect.set_options(timeout=PATIENCE_MS)


def find_chromium() -> str:
    """Find the machine's Chromium, or skip the test with how to get one."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    pytest.skip(HOW_TO_GET_ONE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests; each test opens pages of its own."""
    path = find_chromium()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@dataclass
class Site:
    """An app that answers on a real socket; `stop` ends it and frees the port."""

    url: str
    port: int
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        """Stop answering; connections are refused afterwards."""
        self._server.should_exit = True
        self._thread.join(20)


@contextmanager
def served(app: Any, *, port: int = 0) -> Iterator[Site]:
    """Serve an ASGI app from this process on a free port (or on `port`, to bring a site back)."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    bound = listener.getsockname()[1]
    site = Site(f"http://127.0.0.1:{bound}", bound, server, thread)
    try:
        yield site
    finally:
        site.stop()
        listener.close()


@contextmanager
def open_page(
    browser: Browser,
    url: str,
    *,
    width: int = 1440,
    theme: str = "light",
    expected_errors: Sequence[str] = (),
) -> Iterator[Page]:
    """Open `url` in a fresh profile; at the end no console error may be left unexplained.

    `expected_errors` are parts of messages that the test provokes.
    """
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = context.new_page()
    errors: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto(url)
        yield page
    finally:
        context.close()
    unexplained = [e for e in errors if not any(part in e for part in expected_errors)]
    assert not unexplained, f"the console of {url} has errors: {unexplained}"


def no_sideways_scroll(page: Page) -> None:
    """Hold a page to its width: nothing may stick out to the right."""
    wide = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.querySelectorAll('body *')]
            .filter((e) => e.getBoundingClientRect().right > width + 1)
            .slice(0, 5).map((e) => e.tagName + '.' + e.className);
        }"""
    )
    assert not wide, f"sticks out at {page.viewport_size}: {wide}"


def take_screenshots(
    browser: Browser, url: str, name: str, *, ready: str, is_full_page: bool = True
) -> list[Path]:
    """Take `url` at 1440 and 360 px, light and dark, once `ready` (a selector) is visible."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    taken = []
    for width in WIDTHS:
        for theme in THEMES:
            with open_page(browser, url, width=width, theme=theme) as page:
                page.locator(ready).first.wait_for()
                page.wait_for_load_state("networkidle")
                no_sideways_scroll(page)
                path = SCREENSHOTS / f"{name}-{width}-{theme}.png"
                page.screenshot(path=path, full_page=is_full_page)
                taken.append(path)
    return taken
