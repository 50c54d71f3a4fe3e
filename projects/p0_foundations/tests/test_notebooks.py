"""The notebooks run from top to bottom, their claims hold, and one command opens them."""

import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import jupytext
import pytest
from nbclient import NotebookClient
from p0_foundations import FoundationsError
from p0_foundations.cli import app
from p0_foundations.jupyter import check_installed, copy_notebooks
from typer.testing import CliRunner

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.py"))
TOPICS = {
    "a_network_by_hand",
    "chance",
    "gradients_and_descent",
    "profiling_and_drift",
    "python_for_ml",
    "vectors_and_matrices",
    "what_a_loss_asks_for",
}
TOKEN = "for-this-test"


@pytest.mark.slow
@pytest.mark.criterion("p0.pandas")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(path), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) >= 5
    assert "matplotlib.pyplot" not in sys.modules or "pyplot" not in path.read_text()


def test_each_topic_has_a_notebook_of_plain_text_that_claims_and_holds_no_output() -> None:
    assert {path.stem for path in NOTEBOOKS} == TOPICS
    assert not list(NOTEBOOKS[0].parent.glob("*.ipynb"))
    for path in NOTEBOOKS:
        cells = [cell.source for cell in jupytext.read(path).cells]
        assert sum(cell.startswith("assert") or "\nassert" in cell for cell in cells) >= 4, path


@pytest.mark.slow
def test_a_cell_that_ends_in_a_picture_shows_it() -> None:
    path = next(one for one in NOTEBOOKS if one.stem == "vectors_and_matrices")
    notebook = jupytext.read(path)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 5


def test_copies_are_made_once_and_what_was_changed_is_kept(tmp_path: Path) -> None:
    assert copy_notebooks(tmp_path / "p0") == len(TOPICS)
    mine = tmp_path / "p0" / "chance.py"
    mine.write_text("# mine")
    assert copy_notebooks(tmp_path / "p0") == 0
    assert mine.read_text() == "# mine"


def test_without_jupyterlab_one_line_says_how_to_get_it() -> None:
    check_installed()
    with pytest.raises(FoundationsError, match="no_such_lab not installed: `uv run --group noteb"):
        check_installed(("json", "no_such_lab"))


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FoundationsError, match="cannot write to"):
        copy_notebooks(tmp_path / "file" / "p0")
    assert "--no-browser" in CliRunner().invoke(app, ["notebooks", "--help"]).output


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """Start JupyterLab by the verb, on a free port and without a browser; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "p0_foundations.cli", "notebooks", "--port", str(port)]
    environment = os.environ | {
        "P0_DATA_DIR": str(tmp_path / "data"),
        "ROADMAP_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_TOKEN": TOKEN,
        "HOME": str(tmp_path),
    }
    with subprocess.Popen(
        [*command, "--no-browser"], env=environment, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        said = []
        for line in server.stderr:
            said.append(line)
            if "is running at" in line:
                break
        assert said, "no word from JupyterLab"
        assert "is running at" in said[-1], "".join(said)
        yield f"http://127.0.0.1:{port}"
        server.terminate()
        server.stderr.read()


@pytest.mark.slow
def test_the_verb_opens_jupyterlab_where_plain_text_is_a_notebook(lab: str) -> None:
    with httpx2.Client(base_url=lab, headers={"Authorization": f"token {TOKEN}"}) as client:
        listed = client.get("/api/contents").json()["content"]
        assert {one["name"] for one in listed} == {f"{topic}.py" for topic in TOPICS}
        assert {one["type"] for one in listed} == {"notebook"}
        opened = client.get("/api/contents/chance.py").json()
        assert opened["content"]["cells"][0]["cell_type"] in {"raw", "markdown", "code"}
        manager = "@jupyterlab/docmanager-extension:plugin"
        schema = client.get(f"/lab/api/settings/{manager}").json()["schema"]
        viewers = schema["properties"]["defaultViewers"]["default"]
        assert viewers["python"] == "Jupytext Notebook"
