"""What the neural-network service refuses, named for what went wrong."""

from collections.abc import Sequence
from pathlib import Path

from common.errors import DomainError, FieldError


class NetworkError(DomainError):
    """Base of what this service refuses."""


class ModelContentError(NetworkError):
    """A version's files are not a classifier that this service can run."""


class PictureError(NetworkError):
    """A picture cannot be read, or is not of a kind that is classified."""

    def __init__(self, message: str, *, field: str = "image", accepted: str = "") -> None:
        self.fields = (FieldError(field=field, message=message, accepted=accepted),)
        super().__init__(f"{field}: {message}{f'; accepted: {accepted}' if accepted else ''}")


class PictureTooLargeError(PictureError):
    """A picture has more bytes or pixels than the settings allow."""


class ClassifyRequestError(NetworkError):
    """A request to classify does not fit; `fields` names each part."""

    def __init__(self, fields: Sequence[FieldError]) -> None:
        self.fields = tuple(fields)
        super().__init__("; ".join(f"{one.field}: {one.message}" for one in self.fields[:3]))


class TooManyImagesError(NetworkError):
    """One request holds more images than are accepted, or asks for too many saliency maps."""


class ContentTypeError(NetworkError):
    """A request's content type says nothing that can be classified."""


class OtherTaskError(NetworkError):
    """A version was trained for another task than the one that answers."""


class DatasetError(NetworkError):
    """A data set cannot be found, read or trained on; the message names the file or class."""


class DatasetUnavailableError(DatasetError):
    """A data set is neither on this machine nor to be had from its address."""


class RecipeError(NetworkError):
    """A training recipe cannot be followed; the message names the setting."""


class TrainingError(NetworkError):
    """Training cannot go on: diverged, out of disk, or the model does not fit the data."""


class RunBusyError(TrainingError):
    """Another process trains in this run folder."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        self.folder = folder
        self.pid = pid
        by = f" (process {pid})" if pid else ""
        super().__init__(f"{folder} is being trained in by another process{by}")


class CheckpointError(TrainingError):
    """A checkpoint is corrupt, or belongs to another model or recipe."""


class RunNotFoundError(NetworkError):
    """There is no run of that name."""

    def __init__(self, run_id: str, known: Sequence[str] = ()) -> None:
        self.run_id = run_id
        shown = ", ".join(known[:8])
        super().__init__(f"there is no run {run_id!r}{f'; known: {shown}' if shown else ''}")


class RunNotRunningError(NetworkError):
    """A run cannot be stopped: nobody trains in its folder."""

    def __init__(self, run_id: str, status: str) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(f"run {run_id} is {status}: there is nothing to stop")


class StoppingNotAllowedError(NetworkError):
    """The service does not stop trainings for this caller."""


class ExportError(NetworkError):
    """The exported graph does not answer as the network does; nothing was published."""
