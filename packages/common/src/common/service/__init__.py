"""The service kit: what every project's `api.py` and `cli.py` compose with.

`create_service` gives an app with health, limits, keys, logs, metrics and problem details;
`serve` runs it; `service_command` makes its command. Start with `app.py`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.service.app import Service, create_service
    from common.service.command import fail, run_command, service_command
    from common.service.run import serve

_HOMES = {
    "Service": "common.service.app",
    "create_service": "common.service.app",
    "fail": "common.service.command",
    "run_command": "common.service.command",
    "serve": "common.service.run",
    "service_command": "common.service.command",
}

__all__ = ["Service", "create_service", "fail", "run_command", "serve", "service_command"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for: a client needs no server."""
    if name not in _HOMES:
        raise AttributeError(f"module 'common.service' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
