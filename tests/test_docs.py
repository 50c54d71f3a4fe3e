"""The docs say what is: generated parts are fresh, links lead somewhere, commands are real."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("p*/*/README.md")],
    key=str,
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)


def headings(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    found = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in found}


def test_the_generated_parts_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/generate.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, f"run docs/generate.py: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for target in LINK.findall(text):
        path, _, anchor = unquote(target).partition("#")
        if path.startswith(("http://", "https://", "mailto:")):
            continue
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (
            anchor and found.suffix == ".md" and anchor not in headings(found)
        ):
            broken.append(target)
    assert broken == []


def test_the_readme_names_the_two_commands_that_ci_and_people_run() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\nuv run roadmap up\n" in text
    assert "\nuv run --group dev pytest\n" in text


def test_every_troubleshooting_page_of_a_problem_is_reachable_from_its_text() -> None:
    """The first words of each error named in the page stand in the code that raises it."""
    page = (ROOT / "docs/how-to/troubleshooting.md").read_text(encoding="utf-8")
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("packages", "projects", "tests/support")
        for path in (ROOT / folder).rglob("*.py")
    )
    for heading in re.findall(r"(?m)^## (?:error: )?(.+)$", page):
        words = re.split(r"[…;:]|127", heading)[0].strip()
        assert words in code, heading
