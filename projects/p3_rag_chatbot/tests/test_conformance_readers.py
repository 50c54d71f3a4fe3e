"""What every reader promises, the real one and the stand-in alike (`ports.Reader`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from p3_rag_chatbot.fakes import FakeReader
from p3_rag_chatbot.loading import load_reader
from p3_rag_chatbot.ports import Reader, Reading
from p3_rag_chatbot.settings import Settings

NOTICE = ("What is the notice period?", "The notice period is three months.")
LONG = "Nothing is said here. " * 130
"""Three windows of the real reader's."""
PAIRS = [
    NOTICE,
    ("", "The notice period is three months."),
    ("What is the notice period?", ""),
    ("", ""),
    ("?!", "..."),
    ("What is the notice period?", " \n\t "),
    ("What is the notice period?", LONG),
    ("notice " * 500, "The notice period is three months."),
    ("Wer bürgt?", "Für 你好 bürgt 👩‍👩‍👧 Zoë Ångström, e\u0301crit-elle."),
    ("Who is here?", "half of a character: \ud800, then Ada"),
    NOTICE,
]


@pytest.fixture(scope="module", params=["fake", "onnx"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    yield from _made(request.param, tmp_path_factory.mktemp("data"))


def _made(kind: str, data_dir: Path) -> Iterator[Reader]:
    if kind == "fake":
        yield FakeReader()
        return
    real = load_reader(Settings(data_dir=data_dir))
    yield real
    real.close()


def read(reader: Reader, question: str, passage: str) -> Reading:
    (found,) = reader.read([(question, passage)])
    return found


def check(found: Reading, passage: str) -> None:
    assert 0 <= found.start <= found.end <= len(passage)
    assert 0 <= found.p_answerable <= 1
    assert found.span_score <= 0


def test_a_span_lies_in_its_passage_and_its_probability_in_0_to_1(reader: Reader) -> None:
    found = reader.read(PAIRS)
    assert len(found) == len(PAIRS)
    for one, (_, passage) in zip(found, PAIRS, strict=True):
        check(one, passage)
        assert one.end > one.start or not any(map(str.isalnum, passage))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40), st.text(max_size=120))
def test_any_text_at_all_is_read(reader: Reader, question: str, passage: str) -> None:
    check(read(reader, question, passage), passage)


def test_an_empty_passage_holds_no_answer(reader: Reader) -> None:
    found = read(reader, NOTICE[0], "")
    assert (found.start, found.end) == (0, 0)
    assert found.p_answerable < 0.5


def test_nothing_to_read_gives_nothing(reader: Reader) -> None:
    assert reader.read([]) == []
    assert reader.support([]) == []


def test_each_pair_is_read_alike_in_any_company_and_order(reader: Reader) -> None:
    together = reader.read(PAIRS)
    backwards = reader.read(PAIRS[::-1])[::-1]
    for one, other, pair in zip(together, backwards, PAIRS, strict=True):
        alone = read(reader, *pair)
        assert (one.start, one.end) == (other.start, other.end) == (alone.start, alone.end)
        assert one.p_answerable == pytest.approx(alone.p_answerable, abs=1e-3)
        assert other.p_answerable == pytest.approx(alone.p_answerable, abs=1e-3)
    assert together[0] == together[-1]


def test_many_pairs_keep_their_order(reader: Reader) -> None:
    befores = ["Cats sleep. " * (k % 12) for k in range(60)]
    found = reader.read([(NOTICE[0], before + NOTICE[1]) for before in befores])
    for one, before in zip(found, befores, strict=True):
        assert len(before) <= one.start < one.end <= len(before) + len(NOTICE[1])


@pytest.mark.parametrize("before", ["", "Größe: 你好 👩‍👩‍👧 e\u0301. ", "\ud800 "])
def test_offsets_count_characters_whatever_stands_before(reader: Reader, before: str) -> None:
    passage = f"{before}The notice period is three months."
    found = read(reader, NOTICE[0], passage)
    assert passage[found.start : found.end] in {"three months", "is"}
    assert found.start >= len(before)


def test_an_answer_far_behind_is_found_in_a_long_passage(reader: Reader) -> None:
    passage = f"{LONG}{NOTICE[1]} {LONG}"
    found = read(reader, NOTICE[0], passage)
    assert len(LONG) <= found.start < found.end <= len(LONG) + len(NOTICE[1])
    assert found.p_answerable > read(reader, NOTICE[0], LONG).p_answerable


def test_a_passage_that_answers_is_surer_to_than_one_that_does_not(reader: Reader) -> None:
    does, does_not = reader.read([NOTICE, (NOTICE[0], "Cats sleep on sofas.")])
    assert does.p_answerable > does_not.p_answerable + 0.2


def test_support_is_a_probability_and_keeps_its_order(reader: Reader) -> None:
    claims = [
        ("The notice period is three months.", NOTICE[1]),
        ("Elephants fly over Berlin.", NOTICE[1]),
        ("", NOTICE[1]),
        ("The notice period is three months.", ""),
        ("The notice period is three months.", LONG),
    ]
    found = reader.support(claims)
    assert all(0 <= one <= 1 for one in found)
    assert found[0] > found[1] + 0.2
    assert found[0] > found[3]
    assert reader.support(claims[::-1])[::-1] == pytest.approx(found, abs=1e-3)
