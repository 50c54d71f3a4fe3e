"""`serve`: one process of a service, from binding its port to finishing what is in flight.

The port is bound first (one in use is a clear error), then the app's resources are opened, then
one line with the address is printed. SIGTERM and SIGINT stop the listening, let requests in flight
finish within the grace, and close the resources; a second signal stops at once.
"""

import asyncio
import ctypes
import gc
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from common.errors import DomainError
from common.logs import configure_logging
from common.service.patience import patient_protocol
from common.settings import Settings

S = TypeVar("S", bound=Settings)
YOUNG_OBJECTS = 10_000
M_ARENA_MAX = -8
"""From glibc's `malloc.h`: how many heaps there may be."""


class PortInUseError(DomainError):
    """The address cannot be listened on."""


def serve(create_app: Callable[[S], FastAPI], settings: S) -> None:
    """Run the app that `create_app` makes until a signal stops it.

    Raises `PortInUseError`, `SettingsError` for a data directory that cannot be written, and
    whatever the app's resources raise when they open.
    """
    _keep_one_heap()
    settings.prepare_data_dir()
    listener = bind(settings.host, settings.port)
    app = create_app(settings)
    name = getattr(app.state, "service_name", app.title)
    configure_logging(name, settings)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(app, name, settings, listener))
    except asyncio.CancelledError:
        return  # a signal came while the service was starting
    finally:
        listener.close()


def bind(host: str, port: int) -> socket.socket:
    """Bind a listening socket; `PortInUseError` says which address and why not."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        raise PortInUseError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; "
            "choose another with --port (0 takes a free one)"
        ) from error
    listener.setblocking(False)
    return listener


async def _serve(app: FastAPI, name: str, settings: Settings, listener: socket.socket) -> None:
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",  # opened here, so that its errors are ours to tell
            http=patient_protocol(settings.header_timeout_s),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=max(1, round(settings.shutdown_grace_s)),
            timeout_keep_alive=30,
            backlog=2048,
        )
    )
    address = f"http://{_shown_host(settings.host)}:{listener.getsockname()[1]}"
    with _signals(server):
        async with app.router.lifespan_context(app):
            server.when_started = lambda: _say(f"{name} ready at {address}")
            _spare_the_collector()
            await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server with our signals and one line when it is ready."""

    when_started: Callable[[], None] | None = None

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.when_started:
            self.when_started()

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # `_signals` minds them from before the resources are opened


@contextmanager
def _signals(server: uvicorn.Server) -> Generator[None]:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop() -> None:
        must_cancel = server.force_exit or not server.started
        server.force_exit = server.should_exit
        server.should_exit = True
        if must_cancel and task is not None:  # starting, or a third signal: a resource hangs
            task.cancel()

    handled = (signal.SIGINT, signal.SIGTERM)
    for number in handled:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def _keep_one_heap() -> None:
    """Have threads share one heap, on Linux with glibc; elsewhere nothing happens.

    By default each thread gets a heap of its own, which keeps what the thread has freed: 8 MiB of a
    prediction service's 157. The interpreter's lock lets one thread at a time allocate anyway.
    """
    try:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    except (AttributeError, OSError, TypeError):
        return


def _spare_the_collector() -> None:
    """Take what the start made out of the garbage collector's sight.

    A full collection visits every object it knows: with a service's modules among them it held the
    event loop for 80 ms, several times a second under load. They live as long as the process. What
    a request makes is gone when it is answered, so the young are looked at less often, too: looking
    at every 700th took 3 % of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def _shown_host(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - shown, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
