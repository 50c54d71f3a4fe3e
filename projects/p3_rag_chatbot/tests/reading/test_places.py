"""Where in a passage an answer may stand."""

import pytest
from p3_rag_chatbot.reading.places import places

PROSE = "Use P3_PORT for it. It takes 0 too. Nothing else does."
TABLE = "name: P3_A; default: 1.\nname: P3_B; default: 2: two.\nname: P3_C; default: 3."


def may_answer(question: str, passage: str) -> list[str]:
    found = places(question, passage)
    ends = [*found.starts[1:].tolist(), len(passage)]
    return [
        passage[start:end].strip()
        for start, end, may in zip(found.starts.tolist(), ends, found.may_answer, strict=True)
        if may
    ]


@pytest.mark.parametrize(
    ("question", "passage", "expected"),
    [
        ("what is used?", PROSE, ["Use P3_PORT for it.", "It takes 0 too.", "Nothing else does."]),
        ("what does P3_PORT take?", PROSE, ["Use P3_PORT for it.", "It takes 0 too."]),
        ("what is set?", TABLE, ["P3_A", "1.", "P3_B", "2: two.", "P3_C", "3."]),
        ("what is P3_B?", TABLE, ["P3_B", "2: two."]),
        ("what is P3_D?", TABLE, ["P3_A", "1.", "P3_B", "2: two.", "P3_C", "3."]),
        ("what?", "", [""]),
        ("what?", "One; two: three.", ["One; two: three."]),
    ],
)
def test_an_answer_stands_in_one_sentence_or_value_that_speaks_of_what_was_named(
    question: str, passage: str, expected: list[str]
) -> None:
    assert may_answer(question, passage) == expected
