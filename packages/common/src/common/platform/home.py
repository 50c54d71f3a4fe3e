"""The home page as a process of its own: `python -m common.platform.home`.

It learns which services run from the state file that the supervisor keeps. It starts nothing and
knows no page. Read next: `common.web.home`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common.platform.states import ServiceState, read_state, state_file
from common.service import service_command
from common.settings import Settings
from common.web.home import create_home_app

if TYPE_CHECKING:
    from fastapi import FastAPI

HOME = "home"


def supervised(data_dir: Path) -> Callable[[], Sequence[ServiceState]]:
    """Return what tells, when asked, which services are looked after in this data directory."""

    def ask() -> Sequence[ServiceState]:
        house = read_state(state_file(data_dir))
        return () if house is None else [one for one in house.services if one.name != HOME]

    return ask


def create_app(settings: Settings) -> FastAPI:
    """Build the home page over the supervised services of the settings' data directory."""
    return create_home_app(settings, supervised(settings.data_dir))


def main() -> None:
    """Serve the home page."""
    service_command(HOME, Settings, create_app)()


if __name__ == "__main__":
    main()
