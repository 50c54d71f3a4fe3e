"""Where a collection's segments are saved, for every process on the data directory.

A list names the segments that count; it is replaced in one step after they are written, so that a
crash or a full disk leaves the last good list and its segments. The library stays the truth: what
is missing or damaged here is built anew from it, and what is out of date is told by comparing
documents. One process writes at a time (a file lock, which the system releases with its holder).
"""

import fcntl
import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import structlog
from common.request_ids import random_id

from p3_rag_chatbot.errors import CollectionIndexError
from p3_rag_chatbot.retrieval.collection_index import CollectionIndex, Part, numbered
from p3_rag_chatbot.retrieval.segments import load_segment, save_segment, synchronise

log = structlog.get_logger()

SAVED_FROM = 2_000
"""Chunks of a segment from which it is saved: a smaller one is built in less than half a second."""
LIST = "segments.json"
FORM = 1
"""Of what is written: another one is not read."""
N_TRIES = 3


class IndexFolder:
    """The saved segments of one collection, of one way to search vectors."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, index: CollectionIndex) -> None:
        """Save the segments that are not yet; raises `CollectionIndexError`, a full disk included.

        Whatever was saved before is then as it was.
        """
        large = [part.segment for part in index.parts if part.segment.n_rows >= SAVED_FROM]
        if [one.name for one in large] == self._names():
            return
        try:
            with self._alone():
                for segment in large:
                    save_segment(segment, self._folder)
                self._name([segment.name for segment in large])
                self._remove_others({segment.name for segment in large})
        except OSError as error:
            raise CollectionIndexError(
                f"cannot write the index {self._folder}: {error.strerror}; it is as it was"
            ) from error

    def load(self) -> CollectionIndex:
        """Load what was saved, to be refreshed; empty where nothing is, or what is, is damaged."""
        for _ in range(N_TRIES):  # another process may replace segments while they are read
            names = self._names()
            try:
                segments = [load_segment(self._folder / name) for name in names]
            except CollectionIndexError as error:
                if names == self._names():
                    log.warning("index_damaged", reason=str(error), what_now="it is built anew")
                    return CollectionIndex()
                continue
            return numbered("", [Part(one, np.ones(one.n_rows, dtype=bool)) for one in segments])
        return CollectionIndex()

    def remove(self) -> None:
        """Remove what was saved."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _names(self) -> list[str]:
        try:
            kept = json.loads((self._folder / LIST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return list(kept["segments"]) if kept["form"] == FORM else []

    def _name(self, names: list[str]) -> None:
        unfinished = self._folder / f".{LIST}.{random_id(32)}"
        try:
            kept = {"form": FORM, "segments": names}
            unfinished.write_text(json.dumps(kept), encoding="utf-8")
            synchronise(unfinished)
            unfinished.replace(self._folder / LIST)
            synchronise(self._folder)
        finally:
            unfinished.unlink(missing_ok=True)

    def _remove_others(self, names: set[str]) -> None:
        """Remove segments that are not named, and what killed processes left unfinished."""
        for path in self._folder.iterdir():
            if path.is_dir() and path.name not in names:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Generator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
