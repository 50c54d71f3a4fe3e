"""The six services of the roadmap and the home page, as a static table.

It deliberately imports no project and nothing heavy: the table must be readable when only one
member is installed. What is installed is asked of the entry points (group `ai_roadmap.services`).
Read next: `supervisor.py`, which runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from common.errors import DomainError

ENTRY_POINT_GROUP = "ai_roadmap.services"
HOME_PORT = 8000


@dataclass(frozen=True)
class ServiceInfo:
    """What the house knows of a service without importing it."""

    name: str
    phase: int
    title: str
    package: str
    default_port: int

    @property
    def script(self) -> str:
        """The command that starts it: `p1-prediction-api`."""
        return self.package.replace("_", "-")

    @property
    def distribution(self) -> str:
        """What a person installs: `ai-roadmap-p1-prediction-api`."""
        return f"ai-roadmap-{self.script}"

    @property
    def module(self) -> str:
        """The module that `python -m` runs."""
        return f"{self.package}.cli"


def _service(phase: int, package: str, title: str) -> ServiceInfo:
    return ServiceInfo(f"p{phase}", phase, title, package, 8100 + phase)


SERVICES: Mapping[str, ServiceInfo] = MappingProxyType(
    {
        service.name: service
        for service in (
            _service(0, "p0_foundations", "Foundations lab"),
            _service(1, "p1_prediction_api", "Prediction API"),
            _service(2, "p2_nn_service", "Neural network service"),
            _service(3, "p3_rag_chatbot", "RAG chatbot"),
            _service(4, "p4_prod_service", "Production gateway"),
            _service(5, "p5_agent_system", "Agent system"),
        )
    }
)
"""Every service by its short name, in phase order, installed or not."""


class UnknownServiceError(DomainError):
    """A name that is no service of this house."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.known = known
        super().__init__(f"There is no service {name!r}; known: {', '.join(known)}.")


class NotInstalledError(DomainError):
    """A service of this house that this environment does not have."""

    def __init__(self, service: ServiceInfo) -> None:
        self.service = service
        super().__init__(
            f"{service.name} ({service.title}) is not installed here; "
            f"installed: {', '.join(installed()) or 'none'}"
        )


def find_service(name: str) -> ServiceInfo:
    """Find a service by short name, package, script or distribution."""
    for service in SERVICES.values():
        if name in {service.name, service.package, service.script, service.distribution}:
            return service
    raise UnknownServiceError(name, tuple(SERVICES))


def installed() -> dict[str, EntryPoint]:
    """Find the services this environment can run, by short name, in phase order."""
    found = {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
    return {name: found[name] for name in SERVICES if name in found}


def load_create_app(name: str) -> Callable[..., Any]:
    """Import a service's `create_app`; the one place where the house loads a project."""
    service = find_service(name)
    try:
        point = installed()[service.name]
    except KeyError:
        raise NotInstalledError(service) from None
    create_app: Callable[..., Any] = point.load()
    return create_app
