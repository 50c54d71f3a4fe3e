"""The notebooks run from a fresh kernel's state, and their claims hold."""

import runpy
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.py"))


@pytest.mark.slow
@pytest.mark.criterion("p0.pandas")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(path), run_name="__main__")
    assert "age: median" in capsys.readouterr().out


def test_there_is_a_notebook_and_it_is_plain_text() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["profiling_and_drift"]
    assert not list(NOTEBOOKS[0].parent.glob("*.ipynb"))
