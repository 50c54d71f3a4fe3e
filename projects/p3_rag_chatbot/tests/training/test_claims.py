from random import Random

from p3_rag_chatbot.training.claims import made_claims
from p3_rag_chatbot.training.examples import Example

PASSAGE = (
    "Ann Lee moved to Rome in 1990 with her brother, because Bob Ray had died in Paris. "
    "They won the first prize of the city in the year 1995."
)
OTHER = "Eve Stone grew up in Oslo and studied law there in 1970. Her family moved often by train."


def question(text: str, answer: str, passage: str) -> Example:
    start = passage.index(answer)
    return Example(text, passage, start, start + len(answer), (answer,), "article", holds=True)


EXAMPLES = [
    question("Where did Ann Lee move?", "Rome", PASSAGE),
    question("What did they win?", "the first prize", PASSAGE),
    question("Where did Eve Stone grow up?", "Oslo", OTHER),
]


def test_claims_are_of_both_kinds_and_the_same_for_the_same_seed() -> None:
    made = made_claims(EXAMPLES, n=200)
    assert all(one.is_claim and one.start == -1 for one in made)
    assert 0.3 < sum(one.holds for one in made) / len(made) < 0.7
    assert made == made_claims(EXAMPLES, n=200)
    assert made != made_claims(EXAMPLES, n=200, seed=1)


def test_a_supported_sentence_stands_in_its_passage_and_a_changed_one_does_not() -> None:
    for one in made_claims(EXAMPLES, n=200, seed=Random(5).randrange(9)):
        is_question = "?" in one.question
        body = one.question.rstrip(".")
        if one.holds and not is_question:
            assert body in one.passage
        if not one.holds and not is_question:
            assert one.question not in one.passage


def test_a_question_with_its_answer_is_supported_and_with_another_is_not() -> None:
    said = {
        (one.question, one.passage == PASSAGE): one.holds for one in made_claims(EXAMPLES, n=400)
    }
    assert said["Where did Ann Lee move? Rome.", True] is True
    assert said["Where did Ann Lee move? the first prize.", True] is False
