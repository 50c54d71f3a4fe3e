"""Training runs in MLflow: params, metrics and tags, in an SQLite file or on a server.

`MLFLOW_TRACKING_URI` names a server; without it runs go to `<data_dir>/mlflow.db`, which
`mlflow ui --backend-store-uri sqlite:///…/mlflow.db` shows. Without MLflow installed nothing is
recorded, and one log line says so: publishing does not depend on it.
"""

import logging
import os
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import structlog

from common.privacy import keep_to_ourselves

log = structlog.get_logger()

URI_VARIABLE = "MLFLOW_TRACKING_URI"


def tracking_uri(data_dir: Path) -> str:
    """Return where runs are recorded: the variable's server, else a file of the data directory."""
    return os.environ.get(URI_VARIABLE) or f"sqlite:///{data_dir / 'mlflow.db'}"


def record_run(
    data_dir: Path,
    *,
    experiment: str,
    run_name: str,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
) -> str | None:
    """Record a finished run; return its id, or None when MLflow is absent or cannot be reached."""
    if find_spec("mlflow") is None:
        log.info("run_not_tracked", reason="MLflow is not installed", extra="mlflow")
        return None
    uri = tracking_uri(data_dir)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of MLflow's own use of its libraries
            return _record(uri, experiment, run_name, params, metrics, tags)
    except Exception as error:  # noqa: BLE001 - a tracker that is down must not undo a publish
        log.warning("run_not_tracked", uri=uri, reason=str(error).splitlines()[0][:200])
        return None


def _record(
    uri: str,
    experiment: str,
    run_name: str,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
) -> str:
    keep_to_ourselves()
    from mlflow.tracking import MlflowClient  # noqa: PLC0415 - seconds to import, optional

    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it reports each table it creates
    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(experiment)
    experiment_id = found.experiment_id if found else client.create_experiment(experiment)
    run = client.create_run(experiment_id, run_name=run_name, tags=dict(tags))
    run_id = str(run.info.run_id)
    for name, value in params.items():
        client.log_param(run_id, name, value[:500])
    for name, value in metrics.items():
        client.log_metric(run_id, name, value)
    client.set_terminated(run_id)
    return run_id
