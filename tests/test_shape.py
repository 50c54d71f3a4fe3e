"""Every project has the shape that ARCHITECTURE draws: knowing one means knowing all."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECTS = sorted(
    path for path in (ROOT / "projects").iterdir() if (path / "pyproject.toml").exists()
)
SOURCES = sorted(
    path
    for source in (ROOT / "packages/common/src", *(project / "src" for project in PROJECTS))
    for path in source.rglob("*.py")
)
SERVICE_FILES = ("__init__.py", "settings.py", "contracts.py", "errors.py", "api.py", "cli.py")
VAGUE_NAMES = {"utils", "helpers", "base", "misc", "util", "helper", "tools_utils"}
LIGHT_IMPORTS = ("import importlib", "from importlib", "from typing")
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60

every_project = pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
every_module = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)).replace("/src/", ":")
)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


@every_project
def test_a_project_has_every_room_where_a_stranger_looks_for_it(project: Path) -> None:
    package = project / "src" / project.name
    missing = [name for name in SERVICE_FILES if not (package / name).is_file()]
    missing += [name for name in ("web/index.html",) if not (package / name).is_file()]
    missing += [
        name for name in ("README.md", "tests", "exercises") if not (project / name).exists()
    ]
    assert missing == []


@every_project
def test_a_project_declares_its_script_and_its_service(project: Path) -> None:
    data = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    script, phase = project.name.replace("_", "-"), project.name.split("_")[0]
    assert data["name"] == f"ai-roadmap-{script}"
    assert data["scripts"] == {script: f"{project.name}.cli:main"}
    assert data["entry-points"]["ai_roadmap.services"] == {phase: f"{project.name}.api:create_app"}


@every_project
def test_the_door_of_a_project_is_lazy(project: Path) -> None:
    tree = parse(project / "src" / project.name / "__init__.py")
    eager = [
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and (getattr(node, "module", "") or node.names[0].name).split(".")[0]
        not in {"typing", "importlib"}
    ]
    assert eager == []


@every_project
def test_the_api_is_composed_by_one_function_of_the_settings(project: Path) -> None:
    tree = parse(project / "src" / project.name / "api.py")
    found = [f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name == "create_app"]
    assert len(found) == 1
    arguments = [
        (a.arg, ast.unparse(a.annotation or ast.Constant(None))) for a in found[0].args.args
    ]
    assert arguments[0] == ("settings", "Settings")
    assert ast.unparse(found[0].returns or ast.Constant(None)) == "FastAPI"


@every_module
def test_a_module_says_what_it_is_and_keeps_to_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(parse(path)), f"{path} has no docstring"
    assert path.stem not in VAGUE_NAMES, f"{path} names no idea"
    assert text.count("\n") <= MAX_MODULE_LINES, f"{path} is longer than {MAX_MODULE_LINES} lines"


@every_module
def test_no_function_is_longer_than_a_screen(path: Path) -> None:
    long = [
        f"{function.name} ({function.end_lineno - function.lineno + 1} lines)"
        for function in functions(parse(path))
        if function.end_lineno and function.end_lineno - function.lineno >= MAX_FUNCTION_LINES
    ]
    assert long == []
