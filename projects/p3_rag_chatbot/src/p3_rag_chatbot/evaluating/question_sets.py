"""Questions with what is known about their answers, and the documents they are asked of.

Three forms: SQuAD (each paragraph is a document), BEIR (a folder with `corpus.jsonl`,
`queries.jsonl` and `qrels.tsv`), and a CSV of a person's own (`question`, and any of `answer`,
`source`), asked of a collection that is there already.
"""

import csv
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

from p3_rag_chatbot.errors import DocumentError

Form = Literal["squad", "beir", "csv"]


@dataclass(frozen=True)
class Asked:
    """A question: `accepted` answers (none where it is not to be answered), `relevant` sources.

    `has_answers` says whether answers are known at all; `relevant` maps a source to its gain.
    """

    id: str
    question: str
    accepted: tuple[str, ...] = ()
    relevant: dict[str, float] = field(default_factory=dict)
    is_answerable: bool = True
    has_answers: bool = True
    group: str = ""


@dataclass(frozen=True)
class QuestionSet:
    """Questions, and the documents to index for them by source; none: a collection that is there.

    `titles` are of documents that have one.
    """

    name: str
    questions: tuple[Asked, ...]
    documents: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def sample(self, n: int, seed: int = 0) -> "QuestionSet":
        """Return the set with at most `n` of its questions, chosen by the seed."""
        if n >= len(self.questions):
            return self
        chosen = Random(seed).sample(self.questions, n)  # noqa: S311 - a sample
        return QuestionSet(self.name, tuple(chosen), self.documents, self.titles)


def open_questions(path: Path) -> QuestionSet:
    """Read a set by its form; raises `DocumentError` for a file that has none of the three."""
    if path.is_dir():
        return read_beir(path)
    if path.suffix == ".csv":
        return read_csv(path)
    if path.suffix == ".json":
        return read_squad(path)
    accepted = "a folder in BEIR's form, a .json in SQuAD's, or a .csv"
    raise DocumentError(str(path), f"not a question set; accepted: {accepted}")


def read_squad(path: Path) -> QuestionSet:
    """Read SQuAD's form, 1.1 or 2.0; an unanswerable question has no relevant document."""
    documents: dict[str, str] = {}
    titles: dict[str, str] = {}
    questions: list[Asked] = []
    try:
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            title = str(article.get("title", ""))
            for paragraph in article["paragraphs"]:
                source = hashlib.sha256(paragraph["context"].encode()).hexdigest()[:16]
                documents[source], titles[source] = paragraph["context"], title.replace("_", " ")
                questions += [_of_squad(one, source, title) for one in paragraph["qas"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DocumentError(str(path), f"not a file in SQuAD's form: {error}") from error
    return QuestionSet(path.stem, tuple(questions), documents, titles)


def _of_squad(asked: dict[str, Any], source: str, title: str) -> Asked:
    is_answerable = not asked.get("is_impossible", False)
    accepted = tuple(dict.fromkeys(one["text"] for one in asked["answers"]))
    return Asked(
        id=str(asked["id"]), question=asked["question"].strip(),
        accepted=accepted if is_answerable else (),
        relevant={source: 1.0} if is_answerable else {}, is_answerable=is_answerable, group=title,
    )  # fmt: skip


def read_beir(folder: Path) -> QuestionSet:
    """Read BEIR's layout (Thakur et al. 2021): documents, queries and judgements, no answers."""
    try:
        corpus = [json.loads(line) for line in _lines(folder / "corpus.jsonl")]
        queries = [json.loads(line) for line in _lines(folder / "queries.jsonl")]
        judged: dict[str, dict[str, float]] = defaultdict(dict)
        for row in csv.reader(_lines(folder / "qrels.tsv"), delimiter="\t"):
            if row[2].replace(".", "").lstrip("-").isdigit():  # the first line may be a header
                judged[row[0]][row[1]] = float(row[2])
        documents = {str(one["_id"]): one["text"] for one in corpus}
        titles = {str(one["_id"]): one.get("title", "") for one in corpus}
        questions = tuple(
            Asked(
                id=str(one["_id"]), question=one["text"], relevant=judged[str(one["_id"])],
                has_answers=False,
            )
            for one in queries
            if any(gain > 0 for gain in judged[str(one["_id"])].values())
        )  # fmt: skip
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise DocumentError(str(folder), f"not a folder in BEIR's form: {error}") from error
    return QuestionSet(folder.name, questions, documents, titles)


def read_csv(path: Path) -> QuestionSet:
    """Read a CSV: `question`; `answer` (several by `|`, empty: none); `source` (by `|`)."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or []
            if "question" not in names:
                raise DocumentError(str(path), "there is no column 'question'")
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DocumentError(str(path), str(error)) from error
    questions = tuple(
        Asked(
            id=str(number), question=row["question"].strip(),
            accepted=_parts(row.get("answer")),
            relevant=dict.fromkeys(_parts(row.get("source")), 1.0),
            is_answerable="answer" not in names or bool(_parts(row.get("answer"))),
            has_answers="answer" in names,
        )
        for number, row in enumerate(rows, start=2)
        if row["question"].strip()
    )  # fmt: skip
    return QuestionSet(path.stem, questions)


def _parts(cell: str | None) -> tuple[str, ...]:
    return tuple(one.strip() for one in (cell or "").split("|") if one.strip())


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
