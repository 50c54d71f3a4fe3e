"""A text as the model's tokens: counted, cut to its length, or laid out beside a question.

The text is data: what spells a special token, such as `[SEP]`, is read as its characters. Knows no
model; a tokenizer is safe to use from several threads.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common.models.weights import WeightsError
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

Ids = NDArray[np.int64]
CLS, SEP = "[CLS]", "[SEP]"
N_AT_ONCE = 256
_HALVES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Piece:
    """A token with its place in the text, end exclusive."""

    id: int
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Window:
    """[CLS] question [SEP] part of a passage [SEP], as the model reads it.

    Token `first + k` is the passage's characters `offsets[k]`, end exclusive.
    """

    ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    first: int
    offsets: tuple[tuple[int, int], ...]


class WordPieces:
    """The tokenizer of a BERT model (Wu et al. 2016, arXiv:1609.08144, section 4.1)."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self.cls_id, self.sep_id = (self._id(name) for name in (CLS, SEP))

    @classmethod
    def load(cls, path: Path) -> "WordPieces":
        """Load `tokenizer.json`; raises `WeightsError`."""
        try:
            return cls(Tokenizer.from_buffer(path.read_bytes()))
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise WeightsError(f"{path} is not a tokenizer: {error}") from error

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, special ones left out."""
        return [len(encoding) for encoding in self._encoded(texts)]

    def ids(self, texts: Sequence[str], max_tokens: int) -> list[Ids]:
        """Return [CLS] text [SEP] of each text, which is cut to `max_tokens` in all."""
        room = max_tokens - 2
        return [
            np.array([self.cls_id, *encoding.ids[:room], self.sep_id], dtype=np.int64)
            for encoding in self._encoded(texts)
        ]

    def pieces(self, text: str) -> list[Piece]:
        """Return each token with its place in the text."""
        encoding = self._encode_placed([text])[0]
        return [
            Piece(token_id, token, start, end)
            for token_id, token, (start, end) in zip(
                encoding.ids, encoding.tokens, encoding.offsets, strict=True
            )
        ]

    def windows(
        self, question: str, passage: str, *, max_tokens: int, overlap: int, max_question: int = 64
    ) -> list[Window]:
        """Lay the question beside each part of the passage; the parts overlap by so many tokens.

        A question is cut to `max_question` tokens; an empty passage is one window without any.
        """
        asked, read = self._encode_placed([question, passage])
        before = (self.cls_id, *asked.ids[:max_question], self.sep_id)
        room = max_tokens - len(before) - 1
        if room <= overlap:
            raise ValueError(f"{max_tokens} tokens leave no room for a passage")
        starts = range(0, max(len(read.ids) - overlap, 1), room - overlap)
        return [self._window(before, read, start, start + room) for start in starts]

    def _window(self, before: tuple[int, ...], read: Encoding, start: int, end: int) -> Window:
        part = read.ids[start:end]
        ids = (*before, *part, self.sep_id)
        type_ids = (0,) * len(before) + (1,) * (len(part) + 1)
        return Window(ids, type_ids, len(before), tuple(read.offsets[start:end]))

    def _encoded(self, texts: Sequence[str]) -> Iterator[Encoding]:
        """Encode a few at a time: an encoding is many times as large as its text."""
        for at in range(0, len(texts), N_AT_ONCE):
            part = _whole(texts[at : at + N_AT_ONCE])
            yield from self._tokenizer.encode_batch_fast(part, add_special_tokens=False)

    def _encode_placed(self, texts: Sequence[str]) -> list[Encoding]:
        """Encode with offsets, which costs a little more."""
        return self._tokenizer.encode_batch(_whole(texts), add_special_tokens=False)

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise WeightsError(f"the tokenizer has no {token}: it is of another model")
        return found


def _whole(texts: Sequence[str]) -> list[str]:
    """Replace halves of characters, which no encoding has; every other keeps its place."""
    return [text if text.isascii() else _HALVES.sub("\ufffd", text) for text in texts]
