"""Settings of the lab: what `common` gives every service, and the limits on tables."""

import common.settings
from common.settings import settings_config
from pydantic import Field


class Settings(common.settings.Settings):
    """Environment variables with the prefix `P0_`; sizes in bytes, times in seconds."""

    model_config = settings_config("P0_")

    max_body_bytes: int = Field(
        128 * 1024 * 1024, ge=1, description="Largest upload: one or two tables, in bytes."
    )
    request_timeout_s: float = Field(
        120.0, gt=0, description="Longest time until an answer begins, in seconds."
    )
    body_timeout_s: float = Field(
        300.0, gt=0, description="Longest time for an upload to arrive, in seconds."
    )
    max_columns: int = Field(5_000, ge=1, description="Most columns a table may have.")
    max_rows: int = Field(
        5_000_000, ge=1, description="Most rows held; a longer table is described by a sample."
    )
    max_inline_bytes: int = Field(
        1024 * 1024, ge=1, description="Longest CSV text that a tool call may carry, in bytes."
    )
    max_profiles_at_once: int = Field(
        2, ge=1, description="Tables profiled at the same time; the next ones wait."
    )
    max_profiles_waiting: int = Field(
        16, ge=0, description="Tables that may wait for a worker; beyond it the answer is 503."
    )
    max_trainings_at_once: int = Field(
        4, ge=1, description="Playground trainings watched at the same time; then 503."
    )
    max_pictures_per_s: float = Field(
        60.0, gt=0, le=1000, description="Pictures a second that one training sends at most."
    )
    watcher_patience_s: float = Field(
        20.0, gt=0, description="Longest time a watcher may take to receive a picture, in seconds."
    )
