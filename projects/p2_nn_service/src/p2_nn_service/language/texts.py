"""A text as numbers: one for each character, the last tenth held out. No torch.

The one known text is fetched from where its collector published it; any other is a file by path.
Read next: `windows.py`, which makes batches of it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common.downloads import DownloadError, RemoteFile, fetch
from numpy.typing import NDArray

from p2_nn_service.errors import DatasetError, DatasetUnavailableError
from p2_nn_service.settings import Settings

Symbols = NDArray[np.int64]
HELD_OUT = 0.1
LEAST_CHARACTERS = 1_000

KNOWN = "tinyshakespeare"
"""Plays of Shakespeare, about a million characters; the collection's licence is MIT."""
REMOTE = RemoteFile(
    "https://raw.githubusercontent.com/karpathy/char-rnn/"
    "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    1_115_394,
)


@dataclass(frozen=True)
class Text:
    """Characters in order: `symbols` int64 (n,), each an index into `characters`, sorted.

    The characters are those of the whole text: which there are is known, not in which order.
    """

    name: str
    symbols: Symbols
    characters: str
    fingerprint: str

    @classmethod
    def of(cls, name: str, text: str) -> "Text":
        """Number the characters of a text; `DatasetError` when there is too little of it."""
        characters = "".join(sorted(set(text)))
        if len(text) < LEAST_CHARACTERS or len(characters) < 2:
            raise DatasetError(
                f"{name}: {len(text)} characters, {len(characters)} different; at least "
                f"{LEAST_CHARACTERS:,} and 2 are needed"
            )
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(name, to_symbols(text, characters), characters, digest)

    @property
    def learned(self) -> Symbols:
        """What is trained on: all but the last tenth."""
        return self.symbols[: len(self.symbols) - self._n_held_out]

    @property
    def held_out(self) -> Symbols:
        """The last tenth, in one piece: no window of it touches what was trained on."""
        return self.symbols[len(self.symbols) - self._n_held_out :]

    @property
    def _n_held_out(self) -> int:
        return round(HELD_OUT * len(self.symbols))


def to_symbols(text: str, characters: str) -> Symbols:
    """Number each character; `DatasetError` names the first that is not among `characters`."""
    known = {character: k for k, character in enumerate(characters)}
    try:
        return np.array([known[character] for character in text], dtype=np.int64)
    except KeyError as error:
        raise DatasetError(
            f"the character {error.args[0]!r} is not in the text that was trained on; "
            f"it has {characters.strip()!r} and white space"
        ) from None


def open_text(source: str, settings: Settings) -> Text:
    """Open `tinyshakespeare` by name, any other text by the path of its file, in UTF-8.

    Raises `DatasetError` for what is no text, or too short, `DatasetUnavailableError` for what
    is not to be had.
    """
    path = _locate(settings) if source == KNOWN else Path(source).expanduser()
    if not path.is_file():
        raise DatasetError(f"there is no text {source!r}; accepted: {KNOWN}, or a file of text")
    if path.stat().st_size > settings.max_dataset_bytes:
        raise DatasetError(
            f"{path} has {path.stat().st_size:,} bytes; accepted: {settings.max_dataset_bytes:,} "
            "(P2_MAX_DATASET_BYTES)"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is no text in UTF-8: byte {error.start} is none") from error
    return Text.of(path.stem if source != KNOWN else KNOWN, text)


def _locate(settings: Settings) -> Path:
    """Return where the known text lies, fetching it when it is nowhere on this machine."""
    home = settings.data_dir / "datasets" / f"{KNOWN}.txt"
    if settings.datasets_dir is not None:
        own = settings.datasets_dir / "text" / home.name
        if own.is_file():
            return own
    try:
        return fetch(REMOTE, home)
    except DownloadError as error:
        raise DatasetUnavailableError(
            f"{KNOWN} is not on this machine, and {error}. Any other text does: name its file; or "
            f"name a folder that has text/{home.name} with ROADMAP_DATASETS"
        ) from error
