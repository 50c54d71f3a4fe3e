import json
from pathlib import Path

import pytest
from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.training.examples import (
    read_covidfact,
    read_own,
    read_qamr,
    read_squad,
    read_subjqa,
    split_by_group,
)


def test_squad_keeps_answers_that_are_where_they_say_and_refusals(tmp_path: Path) -> None:
    asked = [
        {"question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}], "id": "1"},
        {"question": "Wrong?", "answers": [{"text": "Ann", "answer_start": 5}], "id": "2"},
        {"question": "Never?", "answers": [], "is_impossible": True, "id": "3"},
    ]
    paragraph = {"context": "Ann went to Rome.", "qas": asked}
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"data": [{"title": "T", "paragraphs": [paragraph]}]}))
    examples = read_squad(path)
    assert [(one.question, one.answer, one.holds) for one in examples] == [
        ("Who?", "Ann", True),
        ("Never?", "", False),
    ]
    assert {one.group for one in examples} == {"set/T"}


@pytest.mark.parametrize("text", ["", "[]", '{"data": 3}', "{"])
def test_a_file_that_is_not_in_squads_form_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "set.json"
    path.write_text(text)
    with pytest.raises(DocumentError, match=r"set\.json"):
        read_squad(path)


def test_subjqa_drops_the_mark_of_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "hotels-train.csv"
    path.write_text(
        "item_id,question,review,human_ans_spans,human_ans_indices\n"
        'a,How was it?,Nice room. ANSWERNOTFOUND,Nice room,"(0, 9)"\n'
        'b,How was the pool?,No pool. ANSWERNOTFOUND,ANSWERNOTFOUND,"(9, 23)"\n'
    )
    first, second = read_subjqa(path)
    assert (first.answer, first.passage) == ("Nice room", "Nice room.")
    assert not second.holds


def test_qamr_gives_spans_of_a_readable_sentence(tmp_path: Path) -> None:
    sentences = tmp_path / "sentences.tsv"
    sentences.write_text("W:1\tCenarchaeum -LRB- a kind of life -RRB- lives here .\n")
    questions = tmp_path / "filtered.tsv"
    questions.write_text(
        "W:1\t0\t1\t0\t1\tWhat lives?\t0\tx\tx\nW:1\t0\t1\t0\t1\tIn pieces?\t0 7\tx\tx\n"
    )
    (only,) = read_qamr(questions, sentences)
    assert only.passage == "Cenarchaeum (a kind of life) lives here."
    assert only.answer == "Cenarchaeum"


def test_claims_have_no_span_and_hold_or_not(tmp_path: Path) -> None:
    path = tmp_path / "covidfact.jsonl"
    rows = [
        {"claim": "c", "label": label, "evidence": ["a.", "b."], "gold_source": "u"}
        for label in ("SUPPORTED", "REFUTED")
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    examples = read_covidfact(path)
    assert [(one.is_claim, one.holds, one.start) for one in examples] == [
        (True, True, -1),
        (True, False, -1),
    ]


def test_ones_own_examples_are_checked_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("question,passage,answer\nWho?,Ann sang.,Ann\nWhen?,Ann sang.,\n")
    assert [one.answer for one in read_own(path)] == ["Ann", ""]
    path.write_text("question,passage,answer\nWho?,Ann sang.,Bob\n")
    with pytest.raises(DocumentError, match="line 2: the answer is not in the passage"):
        read_own(path)
    path.write_text("question,answer\nWho?,Ann\n")
    with pytest.raises(DocumentError, match="there is no column 'passage'"):
        read_own(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question,passage,answer\n", "there is no example in it"),
        ("question,passage,answer\nWho?,Ann sang.\n", "line 2: answer is not there"),
        (
            "question,passage,answer\nWho?,Ann sang.,Ann\n ,Ann sang.,\n",
            "line 3: question is empty",
        ),
        ("question,passage,answer\nWho?,\xff", "not a CSV in UTF-8"),
    ],
)
def test_examples_that_cannot_be_learned_from_are_named(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DocumentError, match=f"own.csv: {said}"):
        read_own(path)


def test_a_table_that_excel_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("question,passage,answer\nWho?,Ann sang.,Ann\n", encoding="utf-8-sig")
    assert [one.answer for one in read_own(path)] == ["Ann"]


def test_a_group_is_never_split() -> None:
    from p3_rag_chatbot.training.examples import Example

    examples = [Example("q", "p", group=group) for group in "aabbc"]
    train, held_out = split_by_group(examples, {"b"}.__contains__)
    assert [one.group for one in train] == ["a", "a", "c"]
    assert [one.group for one in held_out] == ["b", "b"]
