"""The notebooks run from top to bottom, and their claims hold."""

import runpy
from pathlib import Path

import jupytext
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.py"))
TOPICS = {"adapters_compared", "retrieval_measured", "tokens_and_attention"}


def run(name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    path = next(path for path in NOTEBOOKS if path.stem == name)
    runpy.run_path(str(path), run_name="__main__")
    return capsys.readouterr().out.splitlines()


@pytest.mark.slow
@pytest.mark.criterion("p3.llm-limits")
def test_tokens_are_counted_and_attention_is_computed_by_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert len(run("tokens_and_attention", capsys)) >= 10


@pytest.mark.slow
@pytest.mark.criterion("p3.llm-apps")
def test_retrieval_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(run("retrieval_measured", capsys)) >= 10


@pytest.mark.slow
@pytest.mark.criterion("p3.llm-limits")
def test_adapters_learn_what_a_frozen_encoder_does_not_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert len(run("adapters_compared", capsys)) >= 10


def test_each_topic_has_a_notebook_of_plain_text_that_claims_and_holds_no_output() -> None:
    assert {path.stem for path in NOTEBOOKS} == TOPICS
    assert not list(NOTEBOOKS[0].parent.glob("*.ipynb"))
    for path in NOTEBOOKS:
        cells = [cell.source for cell in jupytext.read(path).cells]
        assert sum(cell.startswith("assert") or "\nassert" in cell for cell in cells) >= 4, path
        assert "pyplot" not in path.read_text()
