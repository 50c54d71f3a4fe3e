from random import Random

import pytest
from p3_rag_chatbot.training.examples import Example
from p3_rag_chatbot.training.refusals import Refusals

FIRST = "Ann Lee moved to Rome in 1990. She met Bob Ray in Paris. They won the first prize."
SECOND = "Ann Lee grew up in Oslo. Her family moved often."


def question(text: str, answer: str, passage: str = FIRST) -> Example:
    start = passage.index(answer)
    return Example(text, passage, start, start + len(answer), (answer,), "a", holds=True)


@pytest.fixture
def refusals() -> Refusals:
    return Refusals([question("Where did Ann Lee move?", "Rome"), Example("q", SECOND, group="a")])


def test_elsewhere_asks_another_passage_of_the_article(refusals: Refusals) -> None:
    made = refusals.elsewhere(question("Where did Ann Lee move?", "Rome"), Random(0))
    assert made is not None
    assert (made.passage, made.holds, made.start) == (SECOND, False, -1)


def test_a_passage_that_has_the_answer_is_no_rival(refusals: Refusals) -> None:
    asked = question("Who moved?", "Ann Lee")
    assert refusals.elsewhere(asked, Random(0)) is None


def test_the_sentence_that_answers_is_taken_out(refusals: Refusals) -> None:
    asked = question("Where did Ann Lee meet him?", "Paris")
    made = refusals.without_its_sentence(asked, Random(0))
    assert made is not None
    assert made.passage == "Ann Lee moved to Rome in 1990. They won the first prize."


def test_a_name_is_swapped_for_another_of_the_passage(refusals: Refusals) -> None:
    made = refusals.swapped(question("Where did Ann Lee meet him?", "Paris"), Random(0))
    assert made is not None
    assert "Ann Lee" not in made.question
    assert "Paris" not in made.question
    assert made.passage == FIRST


def test_a_question_is_turned_round_by_an_antonym(refusals: Refusals) -> None:
    made = refusals.turned(question("Who won the first prize?", "They"), Random(0))
    assert made is not None
    assert made.question in {"Who lost the first prize?", "Who won the last prize?"}


def test_the_same_chance_makes_the_same_refusal(refusals: Refusals) -> None:
    asked = question("Where did Ann Lee meet him?", "Paris")
    assert refusals.make(asked, Random(3)) == refusals.make(asked, Random(3))
