"""Guides are programs: run one, and note what each of its parts prints.

    uv run --group dev python docs/guides.py docs/tutorials/watched_service.py

A guide is a Python file beside its page. What stands between `# --- NAME ---` and `# --- end ---`
is shown in the page; the rest (preparing, checking) runs, too, and is not shown. All parts share
one namespace, in order. Running writes what they printed to a JSON file beside the guide, from
which `docs/generate.py` fills the page. The tests run every guide; its claims are its assertions.
"""

import argparse
import contextlib
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

PART = re.compile(r"(?ms)^# --- (?!end)([\w-]+) ---\n(.*?)^# --- end ---$\n?")


def _pieces(guide: Path) -> Iterator[tuple[str, str, int]]:
    """Yield each piece with its name, empty for what is not shown, and its first line's number."""
    text = guide.read_text(encoding="utf-8")
    at = 0
    for found in PART.finditer(text):
        yield "", text[at : found.start()], text.count("\n", 0, at)
        yield found[1], found[2], text.count("\n", 0, found.start(2))
        at = found.end()
    yield "", text[at:], text.count("\n", 0, at)


def code(guide: Path, part: str) -> str:
    """Return the code of one part; `KeyError` when there is none of that name."""
    return {name: dedent(text).strip("\n") + "\n" for name, text, _ in _pieces(guide)}[part]


def recorded(guide: Path, part: str) -> str:
    """Return what a part printed when the guide was last run."""
    outputs: dict[str, str] = json.loads(_record(guide).read_text(encoding="utf-8"))
    return outputs[part]


def run(guide: Path) -> dict[str, str]:
    """Run a guide from top to bottom; return what each shown part printed."""
    namespace: dict[str, object] = {"__name__": "__main__", "__file__": str(guide)}
    outputs: dict[str, str] = {}
    for name, text, n_lines_before in _pieces(guide):
        program = compile("\n" * n_lines_before + text, str(guide), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(program, namespace)  # noqa: S102 - our own guide
        if name:
            outputs[name] = printed.getvalue()
    return outputs


def _record(guide: Path) -> Path:
    return guide.resolve().with_suffix(".output.json")


def main() -> int:
    """Run the guides named and write down what they printed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("guide", type=Path, nargs="+")
    parser.add_argument("--check", action="store_true", help="run them, write nothing")
    given = parser.parse_args()
    for guide in [one.resolve() for one in given.guide]:
        text = json.dumps(run(guide), indent=1, ensure_ascii=False) + "\n"
        if not given.check:
            _record(guide).write_text(text, encoding="utf-8")
            sys.stdout.write(f"written: {_record(guide)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
