"""Settings of the prediction API: what `common` gives every service, and its own."""

import common.settings
from common.settings import settings_config
from pydantic import Field


class Settings(common.settings.Settings):
    """Environment variables with the prefix `P1_`."""

    model_config = settings_config("P1_")

    model: str = Field("breast-cancer", description="Name of the model in the registry.")
    alias: str = Field("champion", description="Alias whose version is served.")
    shadow_alias: str = Field(
        "candidate",
        description="Alias whose version answers the same requests unseen, to be compared; "
        "empty for none.",
    )
    allow_promotion: bool | None = Field(
        None,
        description="Move the alias when asked over HTTP; unset, where API keys are set or only "
        "this machine can ask.",
        json_schema_extra={"default_text": "with API keys, or on a loopback address"},
    )
    allow_other_tables: bool = Field(
        False, description="Swap to a version with another target or other features, too."
    )
    poll_s: float = Field(2.0, gt=0, description="Time between two looks at the alias, in seconds.")
    max_rows: int = Field(10_000, ge=1, description="Most rows in one request.")
    max_explained_rows: int = Field(100, ge=1, description="Most rows explained in one request.")
    max_batch_rows: int = Field(512, ge=1, description="Most rows in one call of the model.")
    max_queued_rows: int = Field(
        50_000, ge=1, description="Most rows that wait for the model; beyond it the answer is 503."
    )
    log_predictions: bool = Field(True, description="Store every prediction in the database.")
    log_inputs: bool = Field(True, description="Store what was asked beside what was answered.")
    log_days: float = Field(30, gt=0, description="Days that stored predictions are kept.")
    max_logged_bytes: int = Field(
        64_000, ge=0, description="Longest request that is stored, in bytes; the answer always is."
    )
    max_log_waiting: int = Field(
        20_000, ge=1, description="Most requests that wait to be stored; beyond it none is logged."
    )
    max_log_waiting_bytes: int = Field(
        64_000_000, ge=1, description="Most bytes that wait to be stored."
    )
    watch_window_s: float = Field(
        10.0, gt=0, description="Time between two windows of counts in the database, in seconds."
    )
    watch_refresh_s: float = Field(
        30.0, gt=0, description="Time between two updates of the gauges of drift, in seconds."
    )
    watch_hours: float = Field(
        24.0, gt=0, description="Hours that monitoring looks back, unless asked otherwise."
    )
    watch_min_rows: int = Field(
        100, ge=20, description="Fewest rows of which it is told whether they drifted."
    )
    watch_alpha: float = Field(
        0.01, gt=0, lt=1, description="Chance of a movement where nothing moved."
    )
    watch_psi_moderate: float = Field(0.1, gt=0, description="PSI from which drift is a warning.")
    watch_psi_strong: float = Field(0.25, gt=0, description="PSI from which drift is a problem.")
    watch_share_moderate: float = Field(
        0.05, gt=0, lt=1, description="Rise of a share (missing, unseen, strange) that warns."
    )
    watch_share_strong: float = Field(
        0.2, gt=0, lt=1, description="Rise of such a share that is a problem."
    )
    train_on_first_start: bool = Field(
        True, description="Train the example model when the registry has none."
    )
    allow_train_tool: bool = Field(
        False, description="Offer training as an MCP tool: it takes minutes of processor time."
    )
    seed: int = Field(0, ge=0, description="Seed of splits, searches and intervals.")
