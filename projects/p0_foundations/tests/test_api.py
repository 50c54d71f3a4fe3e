"""The lab over HTTP and MCP: the same figures as in Python, refusals in words, bounded work."""

import base64
import struct
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import anyio
import pandas as pd
import pytest
from common.service.client import ServiceClient, connect_app
from httpx2 import Response
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from p0_foundations import DriftReport, Profile, open_table, profile_frame
from p0_foundations.api import PAGE_DIR, create_app
from p0_foundations.errors import BusyError
from p0_foundations.settings import Settings
from p0_foundations.workbench import Workbench

pytestmark = pytest.mark.anyio

MARCH, JUNE = PAGE_DIR / "example-march.csv", PAGE_DIR / "example-june.csv"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", max_columns=50, max_inline_bytes=100_000)


@pytest.fixture
async def lab(settings: Settings) -> AsyncGenerator[ServiceClient]:
    async with connect_app(create_app(settings)) as client:
        yield client


async def post(lab: ServiceClient, path: str, **files: tuple[str, bytes]) -> Response:
    return await lab.http.post(path, files=files)


async def test_an_upload_is_profiled_as_python_would(lab: ServiceClient) -> None:
    answer = await post(lab, "/v1/profile?target=left", file=("m.csv", MARCH.read_bytes()))
    assert answer.status_code == 200
    table = open_table(MARCH)
    expected = profile_frame(table.frame, target="left", reading=table.reading)
    assert Profile.from_json(answer.content) == expected


async def test_two_uploads_are_compared(lab: ServiceClient) -> None:
    answer = await post(
        lab, "/v1/compare", before=("m", MARCH.read_bytes()), after=("j", JUNE.read_bytes())
    )
    report = DriftReport.model_validate_json(answer.content)
    assert set(report.drifted) == {"plan", "phone", "age", "monthly_fee", "exit_reason"}


async def test_a_browser_gets_the_report_as_a_page_that_may_only_be_shown(
    lab: ServiceClient,
) -> None:
    answer = await lab.http.post(
        "/v1/profile",
        files={"file": ("<b>.csv", b"a,b\n<script>alert(1)</script>,1\nx,2\n")},
        headers={"accept": "text/html"},
    )
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script>" not in answer.text
    assert "<b>" not in answer.text


REFUSED: dict[str, tuple[str, bytes, int, str]] = {
    "a picture": ("/v1/profile", b"\x89PNG\r\n\0", 422, "PNG picture"),
    "an unknown target": ("/v1/profile?target=c", b"a,b\n1,2\n", 422, "no column 'c'"),
    "an unknown encoding": ("/v1/profile?encoding=x", b"a,b\n1,2\n", 422, "no encoding 'x'"),
    "too wide": ("/v1/profile", b",".join([b"a"] * 60) + b"\n", 413, "at most 50"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_profiled_is_a_problem_in_words(lab: ServiceClient, name: str) -> None:
    path, content, status, reason = REFUSED[name]
    answer = await post(lab, path, file=("t.csv", content))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert reason in answer.json()["detail"]
    page = await lab.http.get(answer.json()["type"])
    assert page.status_code == 200


async def test_a_file_name_is_never_a_path(lab: ServiceClient) -> None:
    answer = await post(lab, "/v1/profile", file=("../../etc/passwd", b""))
    assert answer.json()["detail"] == "passwd is empty"


async def test_an_upload_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    small = Settings(data_dir=tmp_path / "data", max_body_bytes=10_000)
    async with connect_app(create_app(small)) as lab:
        answer = await post(lab, "/v1/profile", file=("t.csv", b"a,b\n" + b"1,2\n" * 10_000))
    assert answer.status_code == 413


async def test_so_many_run_so_many_wait_and_the_next_is_told_to_come_back(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, max_profiles_at_once=1, max_profiles_waiting=1)
    bench = Workbench(settings, does="experiments")
    started, release = threading.Event(), threading.Event()
    answers: list[str] = []

    def hold() -> str:
        started.set()
        release.wait(20)
        return "held"

    async def ask(work: Callable[[], str]) -> None:
        answers.append(await bench.run(work))

    async with anyio.create_task_group() as group:
        group.start_soon(ask, hold)
        while not started.is_set():
            await anyio.lowlevel.checkpoint()
        group.start_soon(ask, lambda: "waited")
        while not bench.n_waiting:
            await anyio.lowlevel.checkpoint()
        with pytest.raises(BusyError, match="every worker for experiments is busy"):
            await bench.run(lambda: "refused")
        release.set()
    assert answers == ["held", "waited"]


async def test_the_page_of_a_full_line_speaks_of_no_room_in_particular(lab: ServiceClient) -> None:
    page = (await lab.http.get("/problems/workers-busy")).text
    assert "Every worker is busy" in page
    assert "table" not in page


@pytest.fixture
async def tools(lab: ServiceClient) -> AsyncGenerator[Client]:
    transport = streamable_http_client("http://localhost/mcp", http_client=lab.http)
    async with Client(transport) as client:
        yield client


async def test_the_tools_profile_and_compare_tables_given_as_text(tools: Client) -> None:
    listed = await tools.list_tools()
    assert {tool.name for tool in listed.tools} == {
        "profile_table", "compare_tables", "minimise_function", "plot",
    }  # fmt: skip
    found = await tools.call_tool(
        "profile_table", {"csv_text": MARCH.read_text(), "target": "left"}
    )
    assert found.structured_content["verdict"].startswith("Not ready to use: 'exit_reason'")
    report = await tools.call_tool(
        "compare_tables", {"before_csv": MARCH.read_text(), "after_csv": JUNE.read_text()}
    )
    assert report.structured_content["has_drifted"] is True


@pytest.mark.parametrize(
    ("csv_text", "reason"),
    [
        ("", "csv_text is empty"),
        ("a\n" + "x" * 100_000, "at most 100,000"),
        ("a,b\n1,2,3\n", "names"),
    ],
)
async def test_a_tool_refuses_in_words(tools: Client, csv_text: str, reason: str) -> None:
    answer = await tools.call_tool("profile_table", {"csv_text": csv_text})
    assert answer.is_error
    assert reason in answer.content[0].text


async def test_parquet_is_taken_like_any_table(lab: ServiceClient, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1.5, 2.5]}).to_parquet(path)
    answer = await post(lab, "/v1/profile", file=("t.parquet", path.read_bytes()))
    assert Profile.from_json(answer.content).n_rows == 2


async def test_a_tool_finds_a_minimum_and_one_draws_a_formula(tools: Client) -> None:
    valley = {"formula": "(1-x)^2 + 100*(y-x^2)^2", "start_x": -1, "start_y": 2}
    found = await tools.call_tool(
        "minimise_function", {**valley, "optimiser": "newton", "step_size": 1}
    )
    assert found.structured_content["verdict"] == "converged"
    assert found.structured_content["x"] == pytest.approx(1.0)
    wild = await tools.call_tool("minimise_function", {**valley, "step_size": 1.0})
    assert wild.structured_content["verdict"] == "diverged"
    drawn = await tools.call_tool("plot", {"formula": "x^2 + 3*sin(y)"})
    (image,) = drawn.content
    assert image.mime_type == "image/png"
    assert base64.b64decode(image.data).startswith(b"\x89PNG")


async def test_a_plot_with_a_start_shows_the_path_of_the_search(tools: Client) -> None:
    async def drawn(**arguments: object) -> bytes:
        answer = await tools.call_tool("plot", {"formula": "x^2 + 3*y^2", **arguments})
        return base64.b64decode(answer.content[0].data)

    def size(png: bytes) -> tuple[int, ...]:
        return struct.unpack(">II", png[16:24])

    start = {"start_x": 2, "start_y": 1}
    plain, searched = await drawn(), await drawn(**start)
    assert size(searched)[0] == 2 * size(plain)[0]  # the loss by step stands beside the contours
    assert searched != await drawn(**start, optimiser="adam")
    assert size(await drawn(**start, step_size=9, x_from=-4)) == size(searched)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("plot", {"formula": "x^2 + z"}, "column 7: 'z' is not known"),
        ("plot", {"formula": "x", "x_from": 1, "x_to": 1}, "left below right"),
        ("plot", {"formula": "x", "start_x": 1}, "give start_x and start_y"),
        ("plot", {"formula": "x", "start_x": 1, "start_y": 1, "optimiser": "magic"}, "not known"),
        ("minimise_function", {"formula": "log(x)", "start_x": -1, "start_y": 0}, "at the start"),
        (
            "minimise_function",
            {"formula": "x", "start_x": 1, "start_y": 0, "optimiser": "best"},
            "use gradient-descent, momentum",
        ),
        (
            "minimise_function",
            {"formula": "x", "start_x": 1, "start_y": 0, "steps": 10**9},
            "accepted: 0 to 5,000",
        ),
    ],
)
async def test_a_tool_of_formulas_refuses_in_words(
    tools: Client, tool: str, arguments: dict, words: str
) -> None:
    refused = await tools.call_tool(tool, arguments)
    assert refused.is_error
    assert words in refused.content[0].text
