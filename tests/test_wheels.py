"""Each member builds as a wheel and, installed alone, its service starts."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.support.process import running_service

ROOT = Path(__file__).parent.parent
TRAINING_PACKAGES = {"torch", "pandas", "scikit-learn", "mlflow", "mlflow-skinny", "matplotlib"}

pytestmark = pytest.mark.slow


def run(*command: str | Path) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    run("uv", "build", "--all-packages", "--out-dir", folder)
    return folder


def install(environment: Path, wheels: Path, *members: str) -> Path:
    """Install the wheels of `members` and what they require; return the bin folder."""
    run("uv", "venv", "--python", sys.executable, environment)
    files = [next(wheels.glob(f"{member}-*.whl")) for member in members]
    run("uv", "pip", "install", "--python", environment / "bin/python", *files)
    return environment / "bin"


def installed(bin_dir: Path) -> set[str]:
    listing = run("uv", "pip", "list", "--format", "json", "--python", bin_dir / "python")
    return {package["name"] for package in json.loads(listing)}


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_common_wheel_alone_gives_the_roadmap_command(wheels: Path, tmp_path: Path) -> None:
    bin_dir = install(tmp_path / "env", wheels, "ai_roadmap_common")
    assert "up" in run(bin_dir / "roadmap", "--help")
    assert "p0.pandas" in run(bin_dir / "roadmap", "checklist")


def test_the_p0_wheel_alone_serves(wheels: Path, tmp_path: Path) -> None:
    bin_dir = install(tmp_path / "env", wheels, "ai_roadmap_common", "ai_roadmap_p0_foundations")
    with running_service([str(bin_dir / "p0-foundations"), "--port", "0"], cwd=tmp_path) as service:
        assert get(f"{service.url}/readyz")[0] == 200
        assert "<html" in get(service.url)[1]


def test_the_p1_wheel_alone_serves_without_any_training_library(
    wheels: Path, tmp_path: Path
) -> None:
    bin_dir = install(tmp_path / "env", wheels, "ai_roadmap_common", "ai_roadmap_p1_prediction_api")
    assert not installed(bin_dir) & TRAINING_PACKAGES
    with running_service(
        [str(bin_dir / "p1-prediction-api"), "--port", "0"],
        cwd=tmp_path,
        env={"ROADMAP_DATA_DIR": os.environ["ROADMAP_DATA_DIR"]},
    ) as service:
        assert get(f"{service.url}/healthz")[0] == 200
        status, body = get(f"{service.url}/readyz")
        assert status == 503, "there is no model and nothing to train one with"
        assert "train" in body, "it says what to do"


def test_the_p2_wheel_alone_serves_the_model_that_comes_along(wheels: Path, tmp_path: Path) -> None:
    bin_dir = install(tmp_path / "env", wheels, "ai_roadmap_common", "ai_roadmap_p2_nn_service")
    assert not installed(bin_dir) & TRAINING_PACKAGES
    with running_service(
        [str(bin_dir / "p2-nn-service"), "--port", "0"],
        cwd=tmp_path,
        env={"ROADMAP_DATA_DIR": os.environ["ROADMAP_DATA_DIR"]},
    ) as service:
        assert get(f"{service.url}/readyz")[0] == 200
        assert '"fashion-mnist"' in get(f"{service.url}/v1/model")[1]


def test_the_p3_wheel_holds_the_guides_of_the_repository(wheels: Path) -> None:
    wheel = zipfile.ZipFile(next(wheels.glob("ai_roadmap_p3_rag_chatbot-*.whl")))
    begin = "p3_rag_chatbot/guides/"
    held = {name.removeprefix(begin) for name in wheel.namelist() if name.startswith(begin)}
    assert {"README.md", "docs/how-to/deploy.md", "projects/p3_rag_chatbot/README.md"} < held
    for name in held:
        assert name.endswith(".md")
        assert wheel.read(begin + name) == (ROOT / name).read_bytes()
