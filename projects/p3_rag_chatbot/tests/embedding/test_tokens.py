"""Texts become tokens whose places can be told, and nothing in a text is an instruction."""

from itertools import pairwise
from pathlib import Path

import pytest
from common.models.weights import WeightsError
from hypothesis import given, settings
from hypothesis import strategies as st
from p3_rag_chatbot.embedding.minilm import find_minilm
from p3_rag_chatbot.embedding.tokens import WordPieces


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> WordPieces:
    return WordPieces.load(find_minilm(tmp_path_factory.mktemp("data")).tokenizer)


def test_what_spells_a_special_token_is_read_as_its_characters(tokens: WordPieces) -> None:
    assert [piece.text for piece in tokens.pieces("[SEP]")] == ["[", "sep", "]"]
    assert list(tokens.ids(["[CLS]"], 16)[0]).count(tokens.cls_id) == 1


def test_a_long_text_is_cut_and_closed(tokens: WordPieces) -> None:
    ids = tokens.ids(["word " * 1000], 64)[0]
    assert len(ids) == 64
    assert (ids[0], ids[-1]) == (tokens.cls_id, tokens.sep_id)


@settings(deadline=None)
@given(text=st.text(st.characters(codec=None), max_size=200))
def test_any_text_is_counted_and_its_pieces_lie_in_it_in_order(
    text: str, tokens: WordPieces
) -> None:
    found = tokens.pieces(text)
    assert len(found) == tokens.count([text])[0]
    assert all(0 <= piece.start <= piece.end <= len(text) for piece in found)
    assert [piece.start for piece in found] == sorted(piece.start for piece in found)


@pytest.mark.parametrize("n_words", [0, 1, 5, 6, 7, 30, 400])
def test_windows_cover_the_passage_and_overlap(tokens: WordPieces, n_words: int) -> None:
    passage = " ".join(["word"] * n_words)
    windows = tokens.windows("who is it?", passage, max_tokens=16, overlap=3)
    covered = {place for window in windows for place in window.offsets}
    assert covered == {(5 * k, 5 * k + 4) for k in range(n_words)}
    for one, following in pairwise(windows):
        assert one.offsets[-3:] == following.offsets[:3]
    for window in windows:
        assert len(window.ids) == len(window.type_ids) <= 16
        assert window.ids[window.first - 1] == window.ids[-1] == tokens.sep_id
        assert sum(window.type_ids) == len(window.offsets) + 1


def test_a_window_without_room_is_refused(tokens: WordPieces) -> None:
    with pytest.raises(ValueError, match="no room"):
        tokens.windows("a b c d e f g h", "passage", max_tokens=12, overlap=4)


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match="is not a tokenizer"):
        WordPieces.load(tmp_path / "tokenizer.json")
