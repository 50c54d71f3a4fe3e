"""Write the generated parts of the docs; `--check` says which are stale instead.

    uv run --group dev python docs/generate.py [--check]

A page holds `<!-- generated: NAME -->` … `<!-- end -->`; what stands between is written by the
function that `PARTS` names: the phases and the roadmap from `roadmap.toml`, settings from the
Settings classes, help from the commands themselves. `code FILE PART` and `output FILE PART` stand
for a part of a guide, a program beside its page, and for what it printed when `docs/guides.py` last
ran it. `picture.py` draws the system.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import guides
from common.learn.roadmap import Line, Phase, Status, load_roadmap, weekly_checklist
from picture import system_picture

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(r"(<!-- generated: ([^>]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    escaped = ((cell.replace("|", r"\|") for cell in row) for row in lines)
    return "".join(f"| {' | '.join(row)} |\n" for row in escaped)


def phases() -> str:
    """Make the README's table: each phase with its one command, or that it is not built."""
    rows = []
    for phase in load_roadmap().phases:
        link = f"[{phase.number}. {phase.title}](docs/roadmap.md#{_anchor(phase)})"
        command = f"`uv run {phase.service}`" if phase.is_built else "not built yet"
        rows.append((link, phase.goal, command, f"{phase.n_built} of {len(phase.lines)}"))
    return _table(("phase", "goal", "command", "lines that run"), rows)


def _anchor(phase: Phase) -> str:
    return re.sub(r"[^a-z0-9 -]", "", f"phase {phase.number} {phase.title}".lower()).replace(
        " ", "-"
    )


def _row(line: Line) -> tuple[str, ...]:
    if line.status is Status.PLANNED:
        return (line.text, line.about, "not built yet", "", "")
    exercises = "<br>".join(f"`{name}`" for name in line.exercises)
    return (
        line.text,
        line.about,
        f"[{Path(line.file).name}](../{line.file})",
        f"`{line.command}`",
        exercises,
    )


def roadmap() -> str:
    """Every line of the roadmap, with its file and command where it is built."""
    data = load_roadmap()
    header = ("line", "what it is", "shown by", "run by", "exercise")
    text = ""
    for phase in data.phases:
        text += f"## Phase {phase.number}: {phase.title}\n\n{phase.period}. {phase.goal}\n\n"
        groups = {"Topics": phase.topics, "Tools": phase.tools, "Exit criteria": phase.criteria}
        if phase.project:
            groups[f"Project: {phase.project.text}"] = phase.project.parts
        for name, lines in groups.items():
            text += f"### {name}\n\n{_table(header, [_row(line) for line in lines])}\n"
        notes = [f"- {r.text}{f' ({r.note})' if r.note else ''}" for r in phase.resources]
        text += "### Resources\n\n" + "\n".join(notes) + "\n\n"
    skips = [(skip.text, skip.instead) for skip in data.skips]
    outcomes = [(o.text, ", ".join(f"`{name}`" for name in o.criteria)) for o in data.outcomes]
    text += "## What to skip\n\n" + _table(("skip", "instead"), skips)
    text += "\n## Final outcome\n\n" + _table(("you will be able to", "exit criteria"), outcomes)
    return text


def principles() -> str:
    """How to learn, and what the learner already has."""
    data = load_roadmap()
    text = _table(("principle", "here"), [(p.text, p.practice) for p in data.principles])
    return text + "\nYour advantage:\n\n" + "".join(f"- {a}\n" for a in data.advantages)


def checklist() -> str:
    """List the roadmap week by week."""
    rows = [
        (
            str(week.number),
            str(week.phase),
            "<br>".join(line.text for line in week.lines) or "catch up",
        )
        for week in weekly_checklist(load_roadmap())
    ]
    return _table(("week", "phase", "finish"), rows)


def _help(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "COLUMNS": "92", "NO_COLOR": "1", "TERM": "dumb", "HOME": "/nonexistent"},
    )
    lines = (line.rstrip() for line in done.stdout.strip("\n").splitlines())
    return "```text\n" + "\n".join(lines) + "\n```\n"


def _settings(module: str) -> str:
    from importlib import import_module

    from common.settings import describe_settings

    rows = [
        (f"`{row.variable}`", f"`{row.default}`" if row.default else "", row.doc)
        for row in describe_settings(import_module(module).Settings())
    ]
    return _table(("variable", "default", "what it sets"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "phases": phases,
    "roadmap": roadmap,
    "principles": principles,
    "checklist": checklist,
    "help-roadmap": lambda: _help("common.cli"),
    "help-p0": lambda: _help("p0_foundations.cli"),
    "help-p1": lambda: _help("p1_prediction_api.cli"),
    "help-p1-train": lambda: _help("p1_prediction_api.cli", "train"),
    "help-p2": lambda: _help("p2_nn_service.cli"),
    "help-p2-train": lambda: _help("p2_nn_service.cli", "train"),
    "help-p3": lambda: _help("p3_rag_chatbot.cli"),
    "settings-common": lambda: _settings("common.settings"),
    "settings-p0": lambda: _settings("p0_foundations.settings"),
    "settings-p1": lambda: _settings("p1_prediction_api.settings"),
    "settings-p2": lambda: _settings("p2_nn_service.settings"),
    "settings-p3": lambda: _settings("p3_rag_chatbot.settings"),
}


def _part(order: str) -> str:
    name, *given = order.split()
    if name == "code":
        return f"```python\n{guides.code(ROOT / given[0], given[1])}```\n"
    if name == "output":
        return f"```text\n{guides.recorded(ROOT / given[0], given[1])}```\n"
    return PARTS[name]()


def render(page: str) -> str:
    """Return the page with every generated part written anew."""
    return MARKED.sub(lambda m: f"{m[1]}{_part(m[2])}{m[4]}", page)


def main() -> int:
    """Write or check the picture and every page that has generated parts; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    is_check = parser.parse_args().check
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("p*/*/README.md")]
    wanted = {path: render(path.read_text(encoding="utf-8")) for path in pages}
    wanted[ROOT / "docs/pictures/system.svg"] = system_picture()
    stale = []
    for path, new in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != new:
            stale.append(path)
            if not is_check:
                path.write_text(new, encoding="utf-8")
    for path in stale:
        sys.stdout.write(f"{'stale' if is_check else 'written'}: {path.relative_to(ROOT)}\n")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
