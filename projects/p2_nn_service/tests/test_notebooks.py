"""The notebooks run from top to bottom, and their claims hold."""

import runpy
from pathlib import Path

import jupytext
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.py"))
TOPICS = {"a_network_trained", "backprop_seen", "why_transformers"}


def run(name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    path = next(path for path in NOTEBOOKS if path.stem == name)
    runpy.run_path(str(path), run_name="__main__")
    return capsys.readouterr().out.splitlines()


@pytest.mark.criterion("p2.backprop-understood")
def test_backpropagation_is_followed_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(run("backprop_seen", capsys)) > 30


@pytest.mark.slow
@pytest.mark.criterion("p2.train-debug")
def test_a_network_is_trained_and_broken_in_known_ways(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(run("a_network_trained", capsys)) >= 10


@pytest.mark.slow
@pytest.mark.criterion("p2.trade-offs")
def test_why_transformers_is_measured_at_one_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(run("why_transformers", capsys)) >= 10


def test_each_topic_has_a_notebook_of_plain_text_that_claims_and_holds_no_output() -> None:
    assert {path.stem for path in NOTEBOOKS} == TOPICS
    assert not list(NOTEBOOKS[0].parent.glob("*.ipynb"))
    for path in NOTEBOOKS:
        cells = [cell.source for cell in jupytext.read(path).cells]
        assert sum(cell.startswith("assert") or "\nassert" in cell for cell in cells) >= 4, path
        assert "pyplot" not in path.read_text()
