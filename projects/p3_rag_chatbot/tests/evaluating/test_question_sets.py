import json
from pathlib import Path

import pytest
from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.evaluating.question_sets import open_questions


def test_squad_gives_paragraphs_as_documents_and_says_what_is_not_to_be_answered(
    tmp_path: Path,
) -> None:
    asked = [
        {"id": "1", "question": "Who?", "answers": [{"text": "Ann"}, {"text": "Ann"}]},
        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True},
    ]
    data = {"data": [{"title": "A_B", "paragraphs": [{"context": "Ann sang.", "qas": asked}]}]}
    path = tmp_path / "set.json"
    path.write_text(json.dumps(data))
    found = open_questions(path)
    ((source, text),) = found.documents.items()
    assert (text, found.titles[source]) == ("Ann sang.", "A B")
    first, second = found.questions
    assert (first.accepted, first.relevant) == (("Ann",), {source: 1.0})
    assert (second.is_answerable, second.relevant, second.accepted) == (False, {}, ())


def test_beir_has_judgements_and_no_answers(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "title": "T", "text": "body"}\n')
    (tmp_path / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "one"}\n{"_id": "q2", "text": "not judged"}\n'
    )
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td1\t0\n")
    found = open_questions(tmp_path)
    assert found.documents == {"d1": "body"}
    assert [(one.id, one.relevant, one.has_answers) for one in found.questions] == [
        ("q1", {"d1": 2.0}, False)
    ]


def test_a_csv_of_ones_own_has_what_its_columns_say(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("question,answer,source\nWho?,Ann|Ann Lee,a.md\nWhy?,,\n")
    first, second = open_questions(path).questions
    assert (first.accepted, first.relevant) == (("Ann", "Ann Lee"), {"a.md": 1.0})
    assert not second.is_answerable
    path.write_text("question,source\nWho?,a.md\n")
    (only,) = open_questions(path).questions
    assert (only.has_answers, only.is_answerable) == (False, True)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", "{}"), ("a.csv", "text\nx\n"), ("a.txt", ""), ("a.json", "[1]"), ("no.json", None)],
)
def test_what_is_no_question_set_is_named(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DocumentError, match=name.replace(".", r"\.")):
        open_questions(tmp_path / name)


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("question\n" + "\n".join(f"Q{k}?" for k in range(50)))
    found = open_questions(path)
    assert found.sample(5, seed=1).questions == found.sample(5, seed=1).questions
    assert found.sample(5, seed=1).questions != found.sample(5, seed=2).questions
    assert len(found.sample(500).questions) == 50
