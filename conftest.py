"""What every test shares: one async backend, settings that ignore the developer's shell."""

import os
from pathlib import Path

import pytest

# A worker has a core to itself: threads of two workers would wait for each other longer than they
# work. Before any library that reads it is loaded; what a test starts inherits it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

OUR_PREFIXES = ("ROADMAP_", *(f"P{n}_" for n in range(6)))


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio: the services' event loop."""
    return "asyncio"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide our variables from the test and give it a data directory of its own."""
    for name in list(os.environ):
        if name.startswith(OUR_PREFIXES) or name.startswith("MLFLOW_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ROADMAP_DATA_DIR", str(tmp_path / "data"))
