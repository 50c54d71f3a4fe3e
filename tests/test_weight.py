"""What serves stays light: no training library is loaded by a serving process."""

import json
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECTS = sorted(path.parent.name for path in (ROOT / "projects").glob("*/pyproject.toml"))
HEAVY = ("torch", "sklearn", "mlflow", "matplotlib", "scipy", "transformers")

START_AND_LOOK = """
    import asyncio, json, sys
    from importlib import import_module
    package = sys.argv[1]
    api, settings = (import_module(f"{package}.{name}") for name in ("api", "settings"))
    app = api.create_app(settings.Settings())
    async def start():
        async with app.router.lifespan_context(app):
            return sorted({name.partition(".")[0] for name in sys.modules})
    print(json.dumps(asyncio.run(start())))
"""


def loaded_by(package: str) -> set[str]:
    code = textwrap.dedent(START_AND_LOOK)
    done = subprocess.run([sys.executable, "-c", code, package], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("package", PROJECTS)
def test_a_serving_app_starts_without_a_training_library(package: str) -> None:
    assert not loaded_by(package) & {*HEAVY, "pandas"}


@pytest.mark.parametrize("package", ["common", *PROJECTS])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    code = f"import json, sys, {package}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {*HEAVY, "pandas", "numpy", "fastapi", "pydantic", "onnxruntime", "sqlalchemy"}
    assert not set(json.loads(done.stdout)) & heavy


def reachable(lock: dict[str, dict], roots: list[tuple[str, tuple[str, ...]]]) -> set[str]:
    """Every package that the lock installs for these packages with these extras, on Linux."""
    found: set[tuple[str, str]] = set()
    waiting = [(name, extra) for name, extras in roots for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        package = lock[name]
        listed = package.get("optional-dependencies", {}).get(extra, []) if extra else None
        for need in listed if listed is not None else package.get("dependencies", []):
            marker = need.get("marker", "")
            if "win32" in marker and "!=" not in marker:
                continue
            waiting += [(need["name"], one) for one in ("", *need.get("extra", ()))]
    return {name for name, _ in found}


def wheel_bytes(package: dict) -> int:
    """The largest wheel that a Linux x86-64 machine with Python 3.11 would take."""
    sizes = [
        wheel.get("size", 0)
        for wheel in package.get("wheels", [])
        if any(tag in wheel["url"] for tag in ("none-any", "x86_64"))
        and any(tag in wheel["url"] for tag in ("cp311", "py3", "abi3"))
    ]
    return max(sizes, default=package.get("sdist", {}).get("size", 0))


def test_the_first_command_downloads_no_torch_and_less_than_600_mb() -> None:
    document = tomllib.loads((ROOT / "uv.lock").read_text())
    lock = {package["name"]: package for package in document["package"]}
    names = reachable(lock, [("ai-roadmap", ())])
    assert not names & {"torch", "mlflow", "transformers", "pytest"}
    assert not {name for name in names if name.startswith("nvidia-")}
    total = sum(wheel_bytes(lock[name]) for name in names)
    assert 50e6 < total < 600e6, f"{total / 1e6:.0f} MB"
