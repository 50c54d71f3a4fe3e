"""The guides run from top to bottom, and what they claim of themselves holds."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDES = sorted(ROOT.glob("docs/tutorials/*.py"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "guide",
    [
        pytest.param("cited_answer", marks=pytest.mark.criterion("p3.llm-apps", "p3.llm-limits")),
        pytest.param(
            "trained_network", marks=pytest.mark.criterion("p2.train-debug", "p2.trade-offs")
        ),
        pytest.param(
            "watched_service", marks=pytest.mark.criterion("p1.deploy", "p1.explain-failure")
        ),
    ],
)
def test_a_guide_runs_and_its_claims_hold(guide: str, tmp_path: Path) -> None:
    program = ROOT / f"docs/tutorials/{guide}.py"
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/guides.py"), "--check", str(program)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr


def test_every_guide_has_its_page_and_what_it_printed() -> None:
    assert [guide.stem for guide in GUIDES] == [
        "cited_answer",
        "trained_network",
        "watched_service",
    ]
    for guide in GUIDES:
        assert guide.with_suffix(".output.json").is_file()
        assert guide.with_name(guide.stem.replace("_", "-") + ".md").is_file()
