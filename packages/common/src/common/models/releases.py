"""A served model's versions, how its alias moved, and moving it: promote and roll back.

A version is tried here before the alias moves to it (fetched, verified, loaded, checked), and the
answer comes when it answers here: other replicas follow with their next look. Knows no HTTP; the
routes are `common.service.release_routes`. Read next: `following.py`, which follows the alias.
"""

import asyncio
import contextlib
from datetime import datetime
from ipaddress import ip_address
from math import isfinite
from typing import Annotated, Generic

from pydantic import BaseModel, ConfigDict, Field, Strict

from common.errors import DomainError
from common.models.following import AliasFollower, Loaded
from common.models.registry import (
    AliasMove,
    AliasNotFoundError,
    InvalidNameError,
    ModelNotFoundError,
    ModelVersion,
    roll_back_target,
)
from common.settings import Settings

PATIENCE = 0.7
"""Share of a request's time that is waited for the swap."""
MAX_SHOWN = 200
"""Newest versions and moves that are listed."""


class PromotionNotAllowedError(DomainError):
    """The service does not move the alias for this caller."""


class UnservableVersionError(DomainError):
    """A version cannot answer here; the alias was not moved."""


class SwapNotSeenError(DomainError):
    """The alias was moved, and the version does not answer here yet."""


class NamedVersion(BaseModel):
    """A version and the alias by which it is served."""

    name: str
    version: int
    alias: str


class PublishedVersion(BaseModel):
    """One version in the registry."""

    version: int
    created_at: datetime
    verdict: str
    metrics: dict[str, float]
    data_fingerprint: str
    code_revision: str
    aliases: list[str]
    is_serving: bool


class AliasMoved(BaseModel):
    """One move of the served alias."""

    version: int
    previous: int | None
    moved_at: datetime
    is_roll_back: bool


class ModelHistory(BaseModel):
    """Every version of the served model, newest first, and how the alias moved, newest first."""

    model: NamedVersion | None
    alias: str
    stands_on: int | None = Field(description="The version the alias names now.")
    rolls_back_to: int | None = Field(description="Where a roll-back would go.")
    may_change: bool = Field(description="Whether this service moves the alias when asked.")
    versions: list[PublishedVersion]
    moves: list[AliasMoved]


class Promotion(BaseModel):
    """Which version is to be served."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Strict()] = Field(ge=1, lt=2**31)
    expected: Annotated[int, Strict()] | None = Field(
        default=None, ge=0, lt=2**31, description="Only if the alias stands there now; 0: nowhere."
    )


class Releases(Generic[Loaded]):
    """Shows and moves the alias that is served.

    `allow_promotion` None means: where API keys are set, or where only this machine can ask.
    """

    def __init__(
        self, settings: Settings, live: AliasFollower[Loaded], *, allow_promotion: bool | None
    ) -> None:
        self._settings = settings
        self._live = live
        self._registry = live.registry
        self._allow = allow_promotion

    @property
    def may_change(self) -> bool:
        """Whether this service moves the alias when asked."""
        if self._live.alias.isdecimal():
            return False
        if self._allow is not None:
            return self._allow
        return bool(self._settings.api_keys) or is_loopback(self._settings.host)

    async def show(self) -> ModelHistory:
        """List every version and move, newest first; raises `RegistryError`."""
        return await asyncio.to_thread(self._show)

    async def promote(self, order: Promotion) -> AliasMoved:
        """Move the alias to a version, and return once it answers here.

        Raises `PromotionNotAllowedError`, `UnservableVersionError` (the alias was not moved),
        `SwapNotSeenError` (it was) and what the registry refuses.
        """
        self._check_allowed()
        await asyncio.to_thread(self._try, order.version)
        move = await asyncio.to_thread(
            self._registry.promote,
            self._live.model,
            self._live.alias,
            order.version,
            expected=order.expected,
        )
        return await self._seen(move)

    async def roll_back(self) -> AliasMoved:
        """Move the alias to where it was before its last forward move; see `promote`."""
        self._check_allowed()
        target = await asyncio.to_thread(self._target)
        if target is not None:
            await asyncio.to_thread(self._try, target)
        move = await asyncio.to_thread(self._registry.roll_back, self._live.model, self._live.alias)
        return await self._seen(move)

    def _check_allowed(self) -> None:
        if self.may_change:
            return
        if self._live.alias.isdecimal():
            raise PromotionNotAllowedError(
                f"version {self._live.alias} is served by its number (ALIAS): no alias to move"
            )
        variable = f"{self._settings.model_config.get('env_prefix', '')}ALLOW_PROMOTION"
        raise PromotionNotAllowedError(
            f"this service does not move its alias; {variable}=true lets it, and so do API "
            f"keys (ROADMAP_API_KEYS) while {variable} is not set"
        )

    def _try(self, number: int) -> None:
        """Prove that a version could answer here, before anybody is sent to it."""
        version = self._registry.resolve(self._live.model, number)
        try:
            self._live.prepare(version)
        except DomainError as error:
            raise UnservableVersionError(
                f"version {number} cannot answer here: {error}; {self._still_serving()} "
                "and the alias was not moved"
            ) from error

    async def _seen(self, move: AliasMove) -> AliasMoved:
        """Wait until the version answers."""
        wait_s = PATIENCE * self._settings.request_timeout_s
        try:
            await asyncio.wait_for(self._live.looked_at(move.version), wait_s)
        except TimeoutError:
            reason = f"it does not answer here after {wait_s:.0f} s"
        else:
            if self._live.serving == move.version:
                return AliasMoved.model_validate(move, from_attributes=True)
            reason = self._live.ready_but() or self._live.not_ready() or "the alias moved on"
        raise SwapNotSeenError(
            f"the alias was moved to version {move.version}, but {reason}; {self._still_serving()}"
        )

    def _still_serving(self) -> str:
        serving = self._live.serving
        return f"version {serving} goes on answering" if serving else "no version answers"

    def _target(self) -> int | None:
        versions = self._registry.versions(self._live.model)
        return roll_back_target(
            self._registry.history(self._live.model, self._live.alias),
            [one.version for one in versions],
        )

    def _show(self) -> ModelHistory:
        live = self._live
        versions: list[ModelVersion] = []
        aliases: dict[str, int] = {}
        moves: list[AliasMove] = []
        with contextlib.suppress(ModelNotFoundError, AliasNotFoundError, InvalidNameError):
            versions = self._registry.versions(live.model)
            aliases = self._registry.aliases(live.model)
            moves = self._registry.history(live.model, live.alias)
        newest = sorted(versions, key=lambda one: one.version, reverse=True)
        serving = live.serving
        return ModelHistory(
            model=NamedVersion(name=live.model, version=serving, alias=live.alias)
            if serving
            else None,
            alias=live.alias,
            stands_on=moves[-1].version if moves else None,
            rolls_back_to=roll_back_target(moves, [one.version for one in versions]),
            may_change=self.may_change,
            versions=[_published(one, aliases, serving) for one in newest[:MAX_SHOWN]],
            moves=[
                AliasMoved.model_validate(one, from_attributes=True)
                for one in moves[: -MAX_SHOWN - 1 : -1]
            ],
        )


def _published(
    version: ModelVersion, aliases: dict[str, int], serving: int | None
) -> PublishedVersion:
    return PublishedVersion(
        version=version.version,
        created_at=version.created_at,
        verdict=version.description,
        metrics={name: one for name, one in version.metrics.items() if isfinite(one)},
        data_fingerprint=version.data_fingerprint,
        code_revision=version.code_revision,
        aliases=sorted(name for name, stands_on in aliases.items() if stands_on == version.version),
        is_serving=version.version == serving,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address to listen on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
