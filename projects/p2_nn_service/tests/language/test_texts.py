from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from p2_nn_service.errors import DatasetError
from p2_nn_service.language.texts import KNOWN, Text, open_text, to_symbols
from p2_nn_service.language.windows import Windows, scored_windows
from p2_nn_service.settings import Settings


def test_a_text_becomes_numbers_and_its_last_tenth_is_held_out_in_one_piece() -> None:
    whole = "to be or not to be, ünicode too. " * 40
    text = Text.of("hamlet", whole)
    assert "".join(text.characters[k] for k in text.symbols) == whole
    assert len(text.held_out) == round(0.1 * len(whole))
    np.testing.assert_array_equal(np.concatenate([text.learned, text.held_out]), text.symbols)


def test_a_file_of_text_is_opened_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "my plays.txt"
    path.write_text("Bärbel sagt: ja.\n" * 100, encoding="utf-8")
    text = open_text(str(path), Settings())
    assert text.name == "my plays"
    assert "ä" in text.characters


def test_the_known_text_is_taken_from_the_folder_of_data_sets(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / f"{KNOWN}.txt").write_text("All the world's a stage. " * 50)
    assert open_text(KNOWN, Settings(ROADMAP_DATASETS=tmp_path)).symbols.size == 1250


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"abc" * 10, "30 characters, 3 different; at least 1,000"),
        (b"a" * 2000, "2000 characters, 1 different"),
        (b"abc" * 400 + b"\xff\xfe", "no text in UTF-8: byte 1200"),
    ],
)
def test_what_is_no_text_is_refused_by_its_reason(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        open_text(str(path), Settings())


def test_a_text_that_is_nowhere_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no text 'hamlet'; accepted: tinyshakespeare"):
        open_text("hamlet", Settings())
    path = tmp_path / "large.txt"
    path.write_text("ab" * 1000)
    with pytest.raises(DatasetError, match="2,000 bytes; accepted: 1,999"):
        open_text(str(path), Settings(max_dataset_bytes=1999))


def test_a_character_that_is_not_known_is_named() -> None:
    with pytest.raises(DatasetError, match="'z' is not in the text"):
        to_symbols("abz", "abc")


@settings(deadline=None)
@given(st.integers(20, 400), st.integers(1, 9), st.integers(1, 7), st.integers(0, 3))
def test_an_epoch_takes_windows_that_do_not_overlap_and_can_be_entered_midway(
    n: int, context: int, batch_size: int, epoch: int
) -> None:
    windows = Windows(np.arange(n), context, batch_size, seed=1)
    batches = [batch[0] for batch in windows.epoch(epoch)]
    assert len(batches) == windows.n_batches() >= 1
    seen = torch.cat(batches)
    assert (seen.diff(dim=1) == 1).all()
    assert len(seen[:, 0].unique()) == len(seen)
    assert (seen[:, 0].sort().values.diff() % context == 0).all()
    middle = windows.n_batches() // 2
    for again, batch in zip(windows.epoch(epoch, start=middle), batches[middle:], strict=True):
        assert torch.equal(again[0], batch)


def test_epochs_differ_and_a_limit_keeps_the_first_batches() -> None:
    whole, some = (Windows(np.arange(500), 8, 4, at_most=k) for k in (0, 3))
    assert not torch.equal(next(whole.epoch(0))[0], next(whole.epoch(1))[0])
    assert some.n_batches() == 3
    assert [torch.equal(a[0], b[0]) for a, b in zip(whole.epoch(0), some.epoch(0))] == [True] * 3  # noqa: B905 - the first three


@settings(deadline=None)
@given(st.integers(2, 20), st.integers(0, 60))
def test_each_scored_character_is_scored_once_with_half_a_context_before_it(
    context: int, more: int
) -> None:
    pieces = scored_windows(np.arange(context + 1 + more), context)
    scored = pieces[:, 1:][:, context - context // 2 :].flatten()
    assert (scored.sort().values.diff() == 1).all()


def test_a_text_shorter_than_a_window_is_refused() -> None:
    with pytest.raises(DatasetError, match="hold no window of 64"):
        Windows(np.arange(50), 64, 4)
    with pytest.raises(DatasetError, match="are no window of 64"):
        scored_windows(np.arange(50), 64)
