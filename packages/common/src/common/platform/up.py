"""`roadmap up`: the home page and the services as child processes, seen as one.

Decides what is started, where and with which environment; how it is kept alive is the
`supervisor`'s business, which to read next.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer
from typing_extensions import override

from common.platform.lock import supervision_of
from common.platform.ports import AddressError, PortInUseError, is_free
from common.platform.services import (
    HOME_PORT,
    SERVICES,
    NotInstalledError,
    ServiceInfo,
    find_service,
    installed,
)
from common.platform.states import ServiceState, State, state_file
from common.platform.supervisor import Listener, Program, Supervisor

HOME = "home"
MAX_PORT = 65535
SETTLED = frozenset({State.READY, State.FAILED})
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_red", "bright_cyan")
MARKS = {State.READY: "green", State.FAILED: "red", State.RESTARTING: "yellow"}


@dataclass(frozen=True)
class Plan:
    """What to start: services in phase order, where they listen, where they keep things."""

    services: tuple[ServiceInfo, ...]
    data_dir: Path
    host: str = "127.0.0.1"
    home_port: int | None = None
    takes_free_ports: bool = False
    named_ports: Mapping[str, int] = field(default_factory=dict[str, int])

    def programs(self) -> list[Program]:
        """Describe the home page and every service to the supervisor."""
        home_port = self.home_port
        if home_port is None:
            home_port = 0 if self.takes_free_ports else HOME_PORT
        home = self._program(HOME, "Home page", "common.platform.home", home_port)
        return [home, *(self._service(service) for service in self.services)]

    def _service(self, service: ServiceInfo) -> Program:
        port = 0 if self.takes_free_ports else service.default_port
        port = self.named_ports.get(service.name, port)
        return self._program(service.name, service.title, service.module, port, service.phase)

    def _program(
        self, name: str, title: str, module: str, port: int, phase: int | None = None
    ) -> Program:
        def command(port: int) -> Sequence[str]:
            address = ("--host", self.host, "--port", str(port))
            return (sys.executable, "-m", module, *address, "--data-dir", str(self.data_dir))

        return Program(name, title, command, phase, self.host, port, _environment())


def choose(names: Sequence[str]) -> tuple[ServiceInfo, ...]:
    """Find the named services, or all that are installed; refuses what is not installed.

    A name may carry the port to take, as in `p1:9001`; `named_ports` reads it.
    """
    here = installed()
    named = [find_service(name.partition(":")[0]) for name in names]
    chosen = named or [SERVICES[name] for name in here]
    for service in chosen:
        if service.name not in here:
            raise NotInstalledError(service)
    return tuple(sorted(set(chosen), key=lambda service: service.phase))


def named_ports(names: Sequence[str]) -> dict[str, int]:
    """Read the ports that stand behind names, as in `p1:9001`, by the service's short name."""
    ports: dict[str, int] = {}
    for given in names:
        name, colon, port = given.partition(":")
        if not colon:
            continue
        if not port.isdecimal() or int(port) > MAX_PORT:
            raise AddressError(f"{given}: {port!r} is not a port from 0 (a free one) to {MAX_PORT}")
        ports[find_service(name).name] = int(port)
    return ports


def run_up(plan: Plan) -> int:
    """Start everything and stay until stopped; returns the exit code."""
    with supervision_of(plan.data_dir):
        programs = plan.programs()
        for program in programs:
            if program.port and not is_free(program.host, program.port):
                raise PortInUseError(program.name, program.host, program.port)
        return asyncio.run(_supervise(programs, state_file(plan.data_dir)))


async def _supervise(programs: list[Program], state_path: Path) -> int:
    console = Console(programs)
    house = Supervisor(programs, state_path=state_path, listener=console)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _stop, house, console)
    await house.run()
    return 1 if any(state.state is State.FAILED for state in house.states) else 0


def _stop(house: Supervisor, console: Console) -> None:
    if house.stopping.is_set():
        house.kill()
    else:
        console.say("stopping; once more to kill")
        house.stop()


class Console(Listener):
    """One stream on standard output: every service's lines behind its name, in its colour."""

    def __init__(self, programs: Sequence[Program]) -> None:
        names = [program.name for program in programs]
        self._width = max(len(name) for name in (*names, "roadmap"))
        self._colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
        self._settled: dict[str, ServiceState | None] = dict.fromkeys(names)
        self._has_summed_up = False

    @override
    def line(self, program: Program, text: str) -> None:
        self._write(program.name, text)

    @override
    def changed(self, state: ServiceState) -> None:
        if state.state in {State.RESTARTING, State.FAILED, State.UNREADY}:
            self._write(state.name, typer.style(_describe(state), fg=MARKS.get(state.state)))
        if state.state in SETTLED:
            self._settled[state.name] = state
        settled = [one for one in self._settled.values() if one is not None]
        if not self._has_summed_up and len(settled) == len(self._settled):
            self._has_summed_up = True
            for one in settled:
                self.say(f"{one.name:<5} {one.title:<24} {_describe(one)}")

    @override
    def warned(self, text: str) -> None:
        self._write("roadmap", typer.style(text, fg="yellow"))

    def say(self, text: str) -> None:
        """Write a line of the supervisor's own."""
        self._write("roadmap", typer.style(text, bold=True))

    def _write(self, name: str, text: str) -> None:
        prefix = typer.style(f"{name:<{self._width}} |", fg=self._colours.get(name, "white"))
        try:
            typer.echo(f"{prefix} {text}")
        except BrokenPipeError:
            os.kill(os.getpid(), signal.SIGTERM)  # nobody reads any more: end as if asked to
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until exit


def _describe(state: ServiceState) -> str:
    if state.state is State.READY:
        return f"ready  {state.url}"
    return f"{state.state.value}: {state.reason}" if state.reason else state.state.value


def _environment() -> dict[str, str]:
    """Give children what a single readable stream needs, unless the person chose otherwise."""
    wanted = {"PYTHONUNBUFFERED": "1", "ROADMAP_LOG_FORMAT": "console"}
    return wanted | dict(os.environ)
