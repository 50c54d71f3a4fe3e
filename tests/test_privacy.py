"""Offline means offline: no library reports to its maker, and none leaves an id of the machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from common.privacy import OPT_OUTS

LOADED = """
import sys
from pathlib import Path
from common.serving.onnx import OnnxModel
from onnx import TensorProto, helper
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [x], [y])
opsets = [helper.make_opsetid("", 17)]
path = Path(sys.argv[1], "model.onnx")
path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())
OnnxModel.load(path)
"""
TRACKED = """
import sys
from pathlib import Path
from common.models.tracking import record_run
run = record_run(Path(sys.argv[1]), experiment="e", run_name="r", params={}, metrics={}, tags={})
from mlflow.telemetry.client import get_telemetry_client
print(run is not None, get_telemetry_client() is None)
"""


def a_person(home: Path) -> dict[str, str]:
    """Return the environment of a person at a desk: libraries keep still in CI of themselves."""
    quiet = {*OPT_OUTS, "CI", "DO_NOT_TRACK", "PYTEST_CURRENT_TEST", "PYTEST_VERSION"}
    kept = {name: value for name, value in os.environ.items() if name not in quiet}
    return kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}


def test_serving_a_model_leaves_no_device_id_and_no_events_to_send(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOADED, str(tmp_path)]
    done = subprocess.run(command, env=a_person(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["model.onnx"]


@pytest.mark.slow
def test_tracking_a_run_reports_nothing_of_the_person(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TRACKED, str(tmp_path)]
    done = subprocess.run(command, env=a_person(tmp_path), capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_a_person_who_wants_to_report_still_can(monkeypatch: pytest.MonkeyPatch) -> None:
    from common.privacy import keep_to_ourselves

    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    keep_to_ourselves()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"
