"""Schemas by checking: an answer that does not fit is sent back once."""

from collections.abc import AsyncGenerator

import pytest
from p3_rag_chatbot.errors import GenerationError
from p3_rag_chatbot.fakes import FakeChatModel
from p3_rag_chatbot.generating.repairing import Repairing
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, FinishReason, Usage

from .asking import question, text_of

pytestmark = pytest.mark.anyio
WANTED = {
    "type": "json_schema",
    "json_schema": {"schema": {"type": "object", "required": ["a"]}},
}
USAGE = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)


class Answering(FakeChatModel):
    """Gives one answer after the other."""

    def __init__(self, *answers: str, finish: FinishReason = "stop") -> None:
        super().__init__("answering")
        self.answers, self.finish = list(answers), finish
        self.asked: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        self.asked.append(request)
        yield Delta(text=self.answers.pop(0))
        yield Delta(finish_reason=self.finish, usage=USAGE)


async def test_an_answer_that_fits_is_given_as_it_is() -> None:
    model = Answering('{"a": 1}')
    assert await text_of(Repairing(model), question(response_format=WANTED)) == '{"a": 1}'
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("first", "fault"), [("Sure! {", "it is not JSON"), ("{}", "'a' is a required property")]
)
async def test_one_that_does_not_is_sent_back_once_with_what_is_wrong(first, fault) -> None:
    model = Answering(first, '{"a": 2}')
    assert await text_of(Repairing(model), question(response_format=WANTED)) == '{"a": 2}'
    *_, said, asked = model.asked[1].messages
    assert (said.role, said.text) == ("assistant", first)
    assert fault in asked.text


async def test_a_model_that_will_not_is_an_error() -> None:
    model = Answering("no", "no")
    with pytest.raises(GenerationError, match="asked twice: it is not JSON"):
        await text_of(Repairing(model), question(response_format=WANTED))
    assert len(model.asked) == 2


async def test_an_answer_that_ran_out_of_tokens_is_left_as_it_is() -> None:
    model = Answering('{"a', finish="length")
    assert await text_of(Repairing(model), question(response_format=WANTED)) == '{"a'


async def test_free_text_streams_through() -> None:
    assert await text_of(Repairing(FakeChatModel()), question("one two")) == "one two"
