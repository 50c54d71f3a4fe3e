"""What the `grounded` adapter learns: to answer from numbered passages, and to cite.

Made from the reader's questions: the passage that answers among others of its article, in the
prompt that `answering/prompts.py` writes; the answer is the sentence that holds the answer with its
number. It does not learn to decline: with refusals among its examples a model of this size declines
nine answerable questions of ten, and the reader tells them far better (`answering/rag_model.py`).
"""

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from p3_rag_chatbot.answering.checking import REFUSAL
from p3_rag_chatbot.answering.prompts import GROUNDED, as_data
from p3_rag_chatbot.sentences import sentence_around
from p3_rag_chatbot.training.chats import Chat
from p3_rag_chatbot.training.examples import Example

MAX_WORDS = 110
MAX_ANSWER_CHARACTERS = 320


def grounded_chats(
    examples: Sequence[Example], *, n: int, refusal_share: float = 0.0, seed: int = 0
) -> list[Chat]:
    """Make `n` conversations: one to three passages, of which one answers or none does."""
    chance = Random(seed)  # noqa: S311 - a choice of examples
    passages: dict[str, list[str]] = defaultdict(list)
    for one in examples:
        if one.passage not in passages[one.group][-1:]:
            passages[one.group].append(one.passage)
    answerable = [one for one in examples if _fits(one)]
    refused = [one for one in examples if not one.holds and not one.is_claim and _is_short(one)]
    n_refused = round(n * refusal_share)
    chosen = chance.sample(answerable, min(n - n_refused, len(answerable)))
    # a part of the refusals are natural ones, the others lack the passage that answers
    natural = chance.sample(refused, min(n_refused // 2, len(refused)))
    lacking = chance.sample(answerable, min(n_refused - len(natural), len(answerable)))
    made = [_chat(one, passages, chance) for one in (*chosen, *natural)]
    made += [_chat(one, passages, chance, is_lacking=True) for one in lacking]
    chance.shuffle(made)
    return made


def _is_short(example: Example) -> bool:
    return 8 < example.passage.count(" ") < MAX_WORDS


def _fits(example: Example) -> bool:
    if not (example.start >= 0 and example.is_question and _is_short(example)):
        return False
    start, end = sentence_around(example.passage, example.start, example.end)
    return end - start <= MAX_ANSWER_CHARACTERS


def _chat(
    example: Example,
    passages: dict[str, list[str]],
    chance: Random,
    *,
    is_lacking: bool = False,
) -> Chat:
    answer = example.answer.lower()
    others = [
        one
        for one in chance.sample(passages[example.group], min(12, len(passages[example.group])))
        if one != example.passage
        and one.count(" ") < MAX_WORDS
        and not (answer and answer in one.lower())
    ]
    shown = others[: chance.choice((0, 1, 1, 2))]
    if is_lacking:
        shown = others[: chance.choice((1, 2))] or shown
    else:
        shown.insert(chance.randrange(len(shown) + 1), example.passage)
    is_answered = example.holds and not is_lacking
    said = REFUSAL
    if is_answered:
        start, end = sentence_around(example.passage, example.start, example.end)
        said = (
            f"{' '.join(example.passage[start:end].split())} [{shown.index(example.passage) + 1}]"
        )
    data = "\n".join(
        f'<passage number="{k}" title="{_title(example.group)}">\n{as_data(text)}\n</passage>'
        for k, text in enumerate(shown, start=1)
    )
    return Chat(GROUNDED, f"{data}\n\nQuestion: {example.question}", said, example.group)


def _title(group: str) -> str:
    return as_data(group.rpartition("/")[2].replace("_", " "))[:60]
