"""The servers: ours, two of FastAPI, and MLServer, BentoML and MLflow in environments of their own.

`fastapi echo` parses a JSON body and sends it back: what the web framework alone can do.
`fastapi` holds the pipeline as a first tutorial does. Ours runs as it comes: validation, prediction
log, metrics and monitoring on, one process; the log level is the caller's (`--log-level`), for at
`info` it writes a line a request, which none of the others does here.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import Peer
from serving_model import MODEL, Served

HERE = Path(__file__).resolve().parent
REQUIREMENTS = {
    # MLServer 1.7's worker processes do not come up with a later uvloop.
    "mlserver": ["mlserver", "mlserver-sklearn", "pandas", "uvloop<0.22"],
    "bentoml": ["bentoml", "pandas"],
    "mlflow": ["mlflow", "pandas", "uvicorn"],
}


def ours(served: Served, log_level: str) -> Peer:
    """Our server, asked in three ways."""
    env = {
        "ROADMAP_DATA_DIR": str(served.data_dir),
        "ROADMAP_LOG_LEVEL": log_level,
        "ROADMAP_LOG_FORMAT": "json",
        "P1_MODEL": MODEL,
    }
    script = str(Path(sys.executable).with_name("p1-prediction-api"))
    v2 = f"/v2/models/{MODEL}/infer"

    def command(port: int) -> list[str]:
        return [script, "--port", str(port)]

    return Peer(
        "ours", command, "/v1/predict", "rows",
        _our_labels, env,
        also=(
            Peer("ours, V2 JSON", command, v2, "v2", _v2_labels),
            Peer("ours, V2 binary", command, v2, "v2 binary", _v2_labels),
        ),
    )  # fmt: skip


def _our_labels(answer: Any) -> list[object]:
    return [one["prediction"] for one in answer["predictions"]]


def _plain_labels(answer: Any) -> list[object]:
    found: list[object] = answer["predictions"]
    return found


def _v2_labels(answer: Any) -> list[object]:
    outputs = {one["name"]: one["data"] for one in answer["outputs"]}
    found: list[object] = outputs.get("label") or outputs["predict"]
    return found


def plain(served: Served) -> list[Peer]:
    """FastAPI without and with the pipeline, in this environment."""

    def uvicorn(app: str) -> Callable[[int], list[str]]:
        def command(port: int) -> list[str]:
            return [
                sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), app, "--port", str(port),
                "--log-level", "warning", "--no-access-log",
            ]  # fmt: skip

        return command

    env = {"PIPELINE": str(served.pipeline)}
    return [
        Peer("fastapi echo", uvicorn("peer_echo:app"), "/predict", "rows", None, env),
        Peer(
            "fastapi", uvicorn("peer_fastapi:app"), "/predict", "rows",
            _plain_labels, env,
        ),
    ]  # fmt: skip


def make_environments(folder: Path) -> None:
    """Make an environment for each real peer, unless it is there."""
    sklearn = f"scikit-learn=={version('scikit-learn')}"  # they load our pickle
    for name, wanted in REQUIREMENTS.items():
        python = folder / name / "bin" / "python"
        if not python.exists():
            subprocess.run(["uv", "venv", "-q", "--python", "3.11", str(folder / name)], check=True)
        install = ["uv", "pip", "install", "-q", "--python", str(python), sklearn, *wanted]
        subprocess.run(install, check=True)


def real(folder: Path, served: Served, work: Path) -> list[Peer]:
    """MLServer and BentoML, each without batching and with it, and MLflow."""
    return [
        _mlserver(folder, served, work, is_batching=False),
        _mlserver(folder, served, work, is_batching=True),
        _bentoml(folder, served, work, "Plain"),
        _bentoml(folder, served, work, "Batching"),
        _mlflow(folder, served, work),
    ]


def _mlserver(folder: Path, served: Served, work: Path, *, is_batching: bool) -> Peer:
    home = work / ("mlserver-batch" if is_batching else "mlserver")
    home.mkdir()
    settings: dict[str, object] = {
        "name": "m",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(served.pipeline), "version": "v1"},
    }
    if is_batching:
        settings |= {"max_batch_size": 128, "max_batch_time": 0.005}
    (home / "model-settings.json").write_text(json.dumps(settings))

    def command(port: int) -> list[str]:
        ports = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
        # In the web process: its worker process on the same core is slower.
        chosen = {"host": "127.0.0.1", **ports, "parallel_workers": 0, "debug": False}
        (home / "settings.json").write_text(json.dumps(chosen))
        return [str(folder / "mlserver" / "bin" / "mlserver"), "start", str(home)]

    name = "mlserver, batching" if is_batching else "mlserver"
    return Peer(name, command, "/v2/models/m/infer", "v2 frame", _v2_labels)


def _bentoml(folder: Path, served: Served, work: Path, service: str) -> Peer:
    env = {
        "PIPELINE": str(served.pipeline),
        "BENTOML_HOME": str(work / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }

    def command(port: int) -> list[str]:
        return [
            str(folder / "bentoml" / "bin" / "bentoml"), "serve", f"peer_bentoml:{service}",
            "--working-dir", str(HERE), "--host", "127.0.0.1", "--port", str(port),
        ]  # fmt: skip

    name = "bentoml, batching" if service == "Batching" else "bentoml"
    return Peer(name, command, "/predict", "rows", list, env)


def _mlflow(folder: Path, served: Served, work: Path) -> Peer:
    bin_dir, model = folder / "mlflow" / "bin", work / "mlflow-model"
    code = (
        "import sys, joblib, mlflow.sklearn; mlflow.sklearn.save_model(joblib.load(sys.argv[1]), "
        "sys.argv[2], serialization_format='cloudpickle', pip_requirements=['scikit-learn'])"
    )
    save = [str(bin_dir / "python"), "-c", code, str(served.pipeline), str(model)]
    subprocess.run(save, check=True, capture_output=True)

    def command(port: int) -> list[str]:
        return [
            str(bin_dir / "mlflow"), "models", "serve", "-m", str(model), "--env-manager", "local",
            "-h", "127.0.0.1", "-p", str(port), "--workers", "1",
        ]  # fmt: skip

    env = {"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": f"{bin_dir}:/usr/bin:/bin"}
    return Peer("mlflow", command, "/invocations", "split", _plain_labels, env)
