"""The served model's versions, how its alias moved, and moving it: promote and roll back.

A version is tried here before the alias moves to it (fetched, verified, loaded, of the same table),
and the answer comes when it answers here: other replicas follow with their next look. Knows no
HTTP. Read next: `live.py`, which follows the alias.
"""

import asyncio
import contextlib
from ipaddress import ip_address
from math import isfinite

from common.errors import DomainError
from common.models import AliasMove, ModelVersion, Registry, open_registry
from common.models.registry import (
    AliasNotFoundError,
    InvalidNameError,
    ModelNotFoundError,
    roll_back_target,
)

from p1_prediction_api.compatibility import check_same_table
from p1_prediction_api.contracts import AliasMoved, ModelHistory, Promotion, PublishedVersion
from p1_prediction_api.errors import (
    PromotionNotAllowedError,
    SwapNotSeenError,
    UnservableVersionError,
)
from p1_prediction_api.live import LiveModel
from p1_prediction_api.loaded import load
from p1_prediction_api.settings import Settings

PATIENCE = 0.7
"""Share of a request's time that is waited for the swap."""
MAX_SHOWN = 200
"""Newest versions and moves that are listed."""


class History:
    """Shows and moves the alias that is served."""

    def __init__(
        self, settings: Settings, live: LiveModel, *, registry: Registry | None = None
    ) -> None:
        self._settings = settings
        self._live = live
        cache = settings.data_dir / "cache" / "models"
        self._registry = registry or open_registry(settings.registry_location, cache_dir=cache)

    @property
    def may_change(self) -> bool:
        """Whether this service moves the alias when asked."""
        chosen = self._settings
        if chosen.alias.isdecimal():
            return False
        if chosen.allow_promotion is not None:
            return chosen.allow_promotion
        return bool(chosen.api_keys) or is_loopback(chosen.host)

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
        model, alias = self._settings.model, self._settings.alias
        move = await asyncio.to_thread(
            self._registry.promote, model, alias, order.version, expected=order.expected
        )
        return await self._seen(move)

    async def roll_back(self) -> AliasMoved:
        """Move the alias to where it was before its last forward move; see `promote`."""
        self._check_allowed()
        model, alias = self._settings.model, self._settings.alias
        target = await asyncio.to_thread(self._target)
        if target is not None:
            await asyncio.to_thread(self._try, target)
        move = await asyncio.to_thread(self._registry.roll_back, model, alias)
        return await self._seen(move)

    def _check_allowed(self) -> None:
        if self.may_change:
            return
        if self._settings.alias.isdecimal():
            raise PromotionNotAllowedError(
                f"version {self._settings.alias} is served by its number (ALIAS): no alias to move"
            )
        raise PromotionNotAllowedError(
            "this service does not move its alias; P1_ALLOW_PROMOTION=true lets it, and so do API "
            "keys (ROADMAP_API_KEYS) while P1_ALLOW_PROMOTION is not set"
        )

    def _try(self, number: int) -> None:
        """Prove that a version could answer here, before anybody is sent to it."""
        version = self._registry.resolve(self._settings.model, number)
        try:
            fresh = load(version, self._registry.fetch(version), self._settings)
            if self._live.is_ready() and not self._settings.allow_other_tables:
                check_same_table(self._live.current.signature, fresh.signature)
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
            if self._serving() == move.version:
                return AliasMoved.model_validate(move, from_attributes=True)
            reason = self._live.ready_but() or self._live.not_ready() or "the alias moved on"
        raise SwapNotSeenError(
            f"the alias was moved to version {move.version}, but {reason}; {self._still_serving()}"
        )

    def _serving(self) -> int | None:
        return self._live.current.version.version if self._live.is_ready() else None

    def _still_serving(self) -> str:
        serving = self._serving()
        return f"version {serving} goes on answering" if serving else "no version answers"

    def _target(self) -> int | None:
        model, alias = self._settings.model, self._settings.alias
        versions = self._registry.versions(model)
        return roll_back_target(
            self._registry.history(model, alias), [one.version for one in versions]
        )

    def _show(self) -> ModelHistory:
        chosen = self._settings
        versions: list[ModelVersion] = []
        aliases: dict[str, int] = {}
        moves: list[AliasMove] = []
        with contextlib.suppress(ModelNotFoundError, AliasNotFoundError, InvalidNameError):
            versions = self._registry.versions(chosen.model)
            aliases = self._registry.aliases(chosen.model)
            moves = self._registry.history(chosen.model, chosen.alias)
        newest = sorted(versions, key=lambda one: one.version, reverse=True)
        return ModelHistory(
            model=self._live.served if self._live.is_ready() else None,
            alias=chosen.alias,
            stands_on=moves[-1].version if moves else None,
            rolls_back_to=roll_back_target(moves, [one.version for one in versions]),
            may_change=self.may_change,
            versions=[_published(one, aliases, self._serving()) for one in newest[:MAX_SHOWN]],
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
