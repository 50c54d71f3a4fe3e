"""Settings of the neural-network service: what `common` gives every service, and its own."""

import common.settings
from common.settings import settings_config
from pydantic import Field


class Settings(common.settings.Settings):
    """Environment variables with the prefix `P2_`."""

    model_config = settings_config("P2_")

    model: str = Field("fashion-mnist", description="Name of the model in the registry.")
    alias: str = Field("champion", description="Alias whose version is served.")
    poll_s: float = Field(2.0, gt=0, description="Time between two looks at the alias, in seconds.")
    precision: str = Field(
        "int8",
        pattern="^(fp32|int8)$",
        description="Which graph of a version answers: fp32, or int8 where it has one.",
    )
    max_batch_images: int = Field(
        8,
        ge=1,
        description="Most images in one call of the model: as many as its work fits in the cache.",
    )
    max_queued_images: int = Field(
        4096, ge=1, description="Most images that wait for the model; beyond it the answer is 503."
    )
    max_images: int = Field(256, ge=1, description="Most images in one request.")
    max_image_bytes: int = Field(
        8 * 1024 * 1024, ge=1, description="Largest image file accepted, in bytes."
    )
    max_pixels: int = Field(
        24_000_000, ge=1, description="Most pixels of an image, width times height."
    )
    max_saliency_images: int = Field(
        4, ge=1, description="Most images of one request whose saliency is computed."
    )
    allow_promotion: bool | None = Field(
        None,
        description="Move the alias when asked over HTTP; unset, where API keys are set or only "
        "this machine can ask.",
        json_schema_extra={"default_text": "with API keys, or on a loopback address"},
    )
    allow_stopping: bool | None = Field(
        None,
        description="Stop a training when asked over HTTP; unset, where API keys are set or only "
        "this machine can ask.",
        json_schema_extra={"default_text": "with API keys, or on a loopback address"},
    )
    max_dataset_bytes: int = Field(
        2 * 1024**3, ge=1, description="Largest data set that is read into memory, in bytes."
    )
    publish_builtin: bool = Field(
        True,
        description="Publish the model that comes with the service when the registry has none.",
    )
    folder_image_size: int | None = Field(
        None,
        ge=4,
        le=1024,
        description="Side that pictures of a folder are resized to when trained on.",
        json_schema_extra={"default_text": "the commonest size, at most 64"},
    )
    seed: int = Field(0, ge=0, description="Seed of splits, weights and batches.")
