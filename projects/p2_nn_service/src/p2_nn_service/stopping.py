"""Stopping a training from outside its process, and who may. Knows no HTTP."""

from common.models.releases import is_loopback

from p2_nn_service.contracts import RunRecord
from p2_nn_service.errors import StoppingNotAllowedError
from p2_nn_service.runs import find_run
from p2_nn_service.settings import Settings


def may_stop(settings: Settings) -> bool:
    """Whether this service stops trainings when asked."""
    if settings.allow_stopping is not None:
        return settings.allow_stopping
    return bool(settings.api_keys) or is_loopback(settings.host)


def ask_to_stop(run_id: str, settings: Settings) -> RunRecord:
    """Ask a run's trainer to stop; the record that is returned is still of a running one.

    Raises `StoppingNotAllowedError`, `RunNotFoundError` and `RunNotRunningError`.
    """
    if not may_stop(settings):
        raise StoppingNotAllowedError(
            "this service stops no training; P2_ALLOW_STOPPING=true lets it, and so do API keys "
            "(ROADMAP_API_KEYS) while P2_ALLOW_STOPPING is not set"
        )
    return find_run(settings.data_dir, run_id).ask_to_stop()
