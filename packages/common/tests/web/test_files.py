"""Static files: validators, compression, and nothing outside the directory."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from common.web import PageFiles, mount_design
from common.web.files import DESIGN_DIR, plotly_file
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response


@pytest.fixture
def design() -> Iterator[TestClient]:
    app = FastAPI()
    mount_design(app)
    with TestClient(app) as client:
        yield client


def page_app(directory: Path) -> FastAPI:
    app = FastAPI()
    files = PageFiles(directory)

    @app.get("/{path:path}")
    async def page(request: Request, path: str) -> Response:
        return await files.answer(request, path)

    return app


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("tokens.css", "text/css"), ("frame.js", "text/javascript"), ("mark.svg", "image/svg+xml")],
)
def test_a_design_file_is_served_with_its_type_and_asks_to_be_revalidated(
    design: TestClient, name: str, media_type: str
) -> None:
    answer = design.get(f"/design/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.content == (DESIGN_DIR / name).read_bytes()


def test_a_browser_that_has_the_file_is_told_so_without_a_body(design: TestClient) -> None:
    etag = design.get("/design/tokens.css").headers["etag"]
    again = design.get("/design/tokens.css", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    other = design.get("/design/tokens.css", headers={"if-none-match": '"something-else"'})
    assert other.status_code == 200


def test_text_is_compressed_only_for_those_who_ask(design: TestClient) -> None:
    plain = design.get("/design/components.css", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with design.stream("GET", "/design/components.css", headers={"accept-encoding": "gzip"}) as raw:
        assert raw.headers["content-encoding"] == "gzip"
        packed = b"".join(raw.iter_raw())
    assert gzip.decompress(packed) == plain.content
    assert len(packed) < len(plain.content) / 2


def test_plotly_comes_from_the_installed_wheel_and_may_be_kept_a_day(design: TestClient) -> None:
    wheel_file = plotly_file()
    assert wheel_file is not None
    answer = design.get("/design/plotly.min.js")
    assert answer.content == wheel_file.read_bytes()
    assert "max-age=86400" in answer.headers["cache-control"]


def test_a_head_request_has_the_headers_and_no_body(design: TestClient) -> None:
    answer = design.head("/design/tokens.css")
    assert answer.status_code == 200
    assert answer.headers["etag"]
    assert answer.content == b""


def test_a_file_that_changes_on_disk_is_served_anew(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("before")
    with TestClient(page_app(tmp_path)) as client:
        first = client.get("/")
        page.write_text("after!")
        os.utime(page, ns=(1, 1))
        second = client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (first.text, second.text) == ("before", "after!")


def test_a_missing_file_is_not_found(design: TestClient) -> None:
    assert design.get("/design/nothing.css").status_code == 404


@pytest.mark.parametrize(
    "path", ["../secret.txt", "a/../../secret.txt", "/etc/hostname", "..\\secret.txt", "link.txt"]
)
def test_no_path_leaves_the_directory(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    inside = tmp_path / "page"
    inside.mkdir()
    (inside / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert PageFiles(inside).find(path) is None


@given(st.lists(st.sampled_from(["..", ".", "a", "secret.txt", "", "/"]), max_size=8))
def test_what_is_found_lies_inside_whatever_is_asked(parts: list[str]) -> None:
    found = PageFiles(DESIGN_DIR).find("/".join(parts))
    assert found is None or found.is_relative_to(DESIGN_DIR)


@pytest.mark.parametrize("path", ["%00", "x" * 300, "a/" * 3000])
def test_a_name_that_no_file_can_have_is_not_found(design: TestClient, path: str) -> None:
    assert design.get(f"/design/{path}").status_code == 404


def test_mounting_the_design_twice_adds_its_route_once() -> None:
    app = FastAPI()
    mount_design(app)
    n_routes = len(app.routes)
    mount_design(app)
    assert len(app.routes) == n_routes


def test_the_stylesheets_name_no_foreign_host() -> None:
    for file in [*DESIGN_DIR.iterdir(), *(DESIGN_DIR.parent / "home").iterdir()]:
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, file.name
        assert "https://" not in text, file.name
