"""A data set in memory: examples as one array, their labels, what the labels mean.

Images are kept as bytes (uint8) and series as float32, so that Fashion-MNIST takes 47 MB; training
turns a batch at a time into what the network reads. Read next: `catalogue.py`, which opens one by
name or path.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from p2_nn_service.contracts import Kind
from p2_nn_service.errors import DatasetError
from p2_nn_service.settings import Settings

Inputs = NDArray[np.uint8] | NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Dataset:
    """Labelled examples.

    `inputs` of images: uint8 of shape (n, channels, height, width), channels 1 or 3. Of series:
    float32 of shape (n, channels, steps); steps that an example lacks at its end are NaN.
    `labels`: int64 of shape (n,), each an index into `classes`. `notes` say what reading decided.
    """

    name: str
    inputs: Inputs
    labels: Labels
    classes: tuple[str, ...]
    fingerprint: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.labels):
            raise DatasetError(
                f"{self.name}: {len(self.inputs)} examples and {len(self.labels)} labels"
            )
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", _fingerprint(self.inputs, self.labels))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def kind(self) -> Kind:
        """`images` or `series`."""
        return "images" if self.inputs.ndim == 4 else "series"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example, channels first."""
        return tuple(self.inputs.shape[1:])

    def take(self, rows: NDArray[np.int64] | slice) -> "Dataset":
        """Return the examples at those positions."""
        return replace(self, inputs=self.inputs[rows], labels=self.labels[rows], fingerprint="")

    def split(self, held_out: float, *, seed: int = 0) -> tuple["Dataset", "Dataset"]:
        """Split into what is trained on and what is held out, class by class.

        `held_out` is a share in (0, 1). Each class keeps at least one example on either side;
        `DatasetError` names a class with a single one.
        """
        if not 0 < held_out < 1:
            raise DatasetError(f"held out {held_out}; accepted: a share between 0 and 1")
        chance = np.random.default_rng(seed)
        away: list[NDArray[np.int64]] = []
        for k, name in enumerate(self.classes):
            rows = np.flatnonzero(self.labels == k)
            if len(rows) < 2:
                raise DatasetError(
                    f"{self.name}: class {name!r} has {len(rows)} example"
                    f"{'' if len(rows) == 1 else 's'}; at least 2 are needed to hold one out"
                )
            n_away = min(max(1, round(held_out * len(rows))), len(rows) - 1)
            away.append(chance.permutation(rows)[:n_away])
        is_away = np.zeros(len(self), dtype=bool)
        is_away[np.concatenate(away)] = True
        return self.take(np.flatnonzero(~is_away)), self.take(np.flatnonzero(is_away))


def open_dataset(source: str | Path, settings: Settings | None = None) -> Dataset:
    """Open a data set by its name in the catalogue, or by the path of a folder or file.

    Raises `DatasetError` for what cannot be trained on and `DatasetUnavailableError` for what
    is not to be had; both say what to do.
    """
    from p2_nn_service.data.catalogue import find  # noqa: PLC0415 - readers come when one is opened

    return find(str(source), settings or Settings())


def _fingerprint(inputs: Inputs, labels: Labels) -> str:
    digest = hashlib.sha256()
    for part in (inputs, labels):
        digest.update(f"{part.dtype}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:16]


def check_classes(source: str, classes: Sequence[str], labels: Labels) -> None:
    """Raise `DatasetError` unless there are two classes and each has two examples.

    One is trained on and one is held out; `source` is the file or folder that is at fault.
    """
    if len(classes) < 2:
        raise DatasetError(
            f"{source}: only the class {', '.join(map(repr, classes)) or '(none)'}; two are needed"
        )
    counts = np.bincount(labels, minlength=len(classes))
    for n, what in ((0, "no example"), (1, "a single example")):
        names = [repr(name) for name, count in zip(classes, counts, strict=True) if count == n]
        if names:
            more = f" and {len(names) - 8} more" if len(names) > 8 else ""
            raise DatasetError(
                f"{source}: {what} of {', '.join(names[:8])}{more}; at least 2 of each class are "
                "needed, one to train on and one to hold out"
            )
