"""What a reader learns from: questions over passages, and claims that a passage supports or not.

Reads SQuAD's form (1.1 and 2.0; Rajpurkar et al. 2016, 2018), SubjQA's and QAMR's tables, claims
against evidence (CovidFact, HealthVer), and a person's own CSV. Nothing here knows a network.
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from p3_rag_chatbot.errors import DocumentError


@dataclass(frozen=True)
class Example:
    """A question, or a claim, over a passage.

    `passage[start:end]` answers the question; both are -1 where the passage does not hold the
    answer, and for claims. `holds` is whether the passage answers, or supports. `group` names what
    is never split between training and held out (an article), `accepted` every right answer.
    """

    question: str
    passage: str
    start: int = -1
    end: int = -1
    accepted: tuple[str, ...] = ()
    group: str = ""
    is_claim: bool = False
    holds: bool = False

    @property
    def is_question(self) -> bool:
        """Whether it is asked in words, and not as the name of an argument or as a claim."""
        return not self.is_claim and not self.question.endswith(")")

    @property
    def answer(self) -> str:
        """The text of the span, empty where there is none."""
        return self.passage[self.start : self.end] if self.start >= 0 else ""

    def over(self, passage: str, start: int) -> "Example":
        """Return the same question over another cut of its text, where the answer begins there."""
        return replace(self, passage=passage, start=start, end=start + self.end - self.start)


def read_squad(path: Path) -> list[Example]:
    """Read a file in SQuAD's form; answers that are not where they say are left out."""
    try:
        return [
            example
            for number, article in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"])
            for paragraph in article["paragraphs"]
            for asked in paragraph["qas"]
            for example in _of_squad(
                asked, paragraph["context"], f"{path.stem}/{article.get('title', number)}"
            )
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DocumentError(str(path), f"not a file in SQuAD's form: {error}") from error


def _of_squad(asked: dict[str, Any], passage: str, group: str) -> Iterator[Example]:
    question, answers = asked["question"].strip(), asked.get("answers") or []
    if asked.get("is_impossible"):
        yield Example(question, passage, group=group)
        return
    for answer in answers[:1]:
        text, start = answer["text"], answer["answer_start"]
        if passage[start : start + len(text)] == text and text:
            accepted = tuple(dict.fromkeys(one["text"] for one in answers))
            end = start + len(text)
            yield Example(question, passage, start, end, accepted, group, holds=True)


def read_subjqa(path: Path) -> list[Example]:
    """Read SubjQA (Bjerva et al. 2020): subjective questions over reviews, some without answer."""
    found: list[Example] = []
    for row in _rows(path, ("question", "review", "human_ans_spans", "human_ans_indices")):
        passage = row["review"].removesuffix("ANSWERNOTFOUND").rstrip()
        question = row["question"].strip()
        group = f"{path.stem}/{row.get('item_id', '')}"
        if row["human_ans_spans"] == "ANSWERNOTFOUND":
            found.append(Example(question, passage, group=group))
            continue
        start, end = (int(one) for one in row["human_ans_indices"].strip("()").split(","))
        text = passage[start:end]
        if text and text == row["human_ans_spans"]:
            found.append(Example(question, passage, start, end, (text,), group, holds=True))
    return found


def read_qamr(questions: Path, sentences: Path) -> list[Example]:
    """Read QAMR (Michael et al. 2018): questions over single sentences, answers as words of it."""
    texts: dict[str, str] = {}
    for line in sentences.read_text(encoding="utf-8").splitlines():
        name, _, text = line.partition("\t")
        texts[name] = text
    found: list[Example] = []
    for line in questions.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        sentence = texts.get(cells[0])
        if sentence is None or len(cells) < 7:
            continue
        if (example := _of_qamr(sentence.split(), cells)) is not None:
            found.append(example)
    return found


def _of_qamr(words: list[str], cells: list[str]) -> Example | None:
    places = sorted(int(one) for one in cells[6].split())
    if not places or places[-1] - places[0] != len(places) - 1 or places[-1] >= len(words):
        return None  # an answer in pieces is no span
    shown = [_READABLE.get(word, word) for word in words]
    starts: list[int] = []
    passage = ""
    for word in shown:
        gap = "" if not passage or word in _CLOSING or passage[-1] in _OPENING else " "
        starts.append(len(passage) + len(gap))
        passage += gap + word
    start, end = starts[places[0]], starts[places[-1]] + len(shown[places[-1]])
    return Example(
        cells[5].strip(), passage, start, end, (passage[start:end],), cells[0], holds=True
    )


_READABLE = {"-LRB-": "(", "-RRB-": ")", "``": '"', "''": '"', "-LSB-": "[", "-RSB-": "]"}
_CLOSING = {",", ".", ")", "]", ":", ";", "?", "!", "'s", "n't", "%"}
_OPENING = "([$"


def read_covidfact(path: Path) -> list[Example]:
    """Read CovidFact (Saakyan et al. 2021): claims with the sentences that bear on them."""
    found: list[Example] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        passage = " ".join(row["evidence"])
        holds = row["label"] == "SUPPORTED"
        group = f"{path.stem}/{row['gold_source']}"
        found.append(Example(row["claim"], passage, group=group, is_claim=True, holds=holds))
    return found


def read_healthver(path: Path) -> list[Example]:
    """Read HealthVer (Sarrouti et al. 2021): health claims; a neutral evidence does not support."""
    return [
        Example(
            row["claim"], row["evidence"], group=f"{path.stem}/{row['question']}", is_claim=True,
            holds=row["label"] == "Supports",
        )
        for row in _rows(path, ("claim", "evidence", "label", "question"))
    ]  # fmt: skip


def read_own(path: Path) -> list[Example]:
    """Read a person's own examples: CSV with `question`, `passage`, `answer` (empty: none)."""
    found: list[Example] = []
    for number, row in enumerate(_rows(path, ("question", "passage", "answer")), start=2):
        if empty := [name for name in ("question", "passage") if not row[name].strip()]:
            raise DocumentError(str(path), f"line {number}: {empty[0]} is empty")
        question, passage, answer = row["question"].strip(), row["passage"], row["answer"].strip()
        start = passage.find(answer) if answer else -1
        if answer and start < 0:
            raise DocumentError(str(path), f"line {number}: the answer is not in the passage")
        end = start + len(answer) if answer else -1
        accepted = (answer,) if answer else ()
        found.append(
            Example(question, passage, start, end, accepted, f"line {number}", holds=bool(answer))
        )
    if not found:
        raise DocumentError(str(path), "there is no example in it")
    return found


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # Excel begins it with a mark
            reader = csv.DictReader(file)
            if missing := [name for name in needed if name not in (reader.fieldnames or ())]:
                raise DocumentError(
                    str(path), f"there is no column {missing[0]!r}; accepted: {', '.join(needed)}"
                )
            for number, row in enumerate(reader, start=2):
                if short := [name for name in needed if row[name] is None]:
                    raise DocumentError(str(path), f"line {number}: {short[0]} is not there")
                yield row
    except OSError as error:
        raise DocumentError(str(path), error.strerror or str(error)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DocumentError(str(path), f"not a CSV in UTF-8: {error}") from error


def split_by_group(
    examples: list[Example], is_held_out: Callable[[str], bool]
) -> tuple[list[Example], list[Example]]:
    """Return those to train on and those held out, whole groups to one side."""
    train = [one for one in examples if not is_held_out(one.group)]
    return train, [one for one in examples if is_held_out(one.group)]
