"""The embedded generator, with its real weights: what it says, whom it serves, when it lets go."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from p3_rag_chatbot.errors import (
    ContextLengthError,
    GenerationError,
    ModelBusyError,
    RequestError,
    SchemaError,
    WeightsError,
)
from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.openai_contracts import Delta
from p3_rag_chatbot.settings import Settings

from .asking import pieces_of, question, text_of

pytestmark = pytest.mark.anyio
ENDLESS = {"max_tokens": 1500, "logit_bias": {"2": -100}}
"""Token 2 ends an answer: without it, one goes on until its tokens are spent."""


async def test_it_answers_a_greeting_with_one(model) -> None:
    assert "Hello" in await text_of(model, question("hi"))


async def test_system_turns_and_earlier_turns_are_read(model) -> None:
    request = question()
    longer = request.model_validate(
        {
            "messages": [
                {"role": "developer", "content": "You only ever answer with the word yes."},
                {"role": "user", "content": "My name is Ada."},
                {"role": "assistant", "content": "Hello Ada."},
                {"role": "user", "content": [{"type": "text", "text": "What is my name?"}]},
            ],
            "max_tokens": 16,
        }
    )
    assert model.count_tokens(longer) == model.count_tokens(request) + 12
    assert model.prompt(longer) == (
        "<|im_start|>system\nYou only ever answer with the word yes.<|im_end|>\n"
        "<|im_start|>user\nMy name is Ada.<|im_end|>\n"
        "<|im_start|>assistant\nHello Ada.<|im_end|>\n"
        "<|im_start|>user\nWhat is my name?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert await text_of(model, longer)


async def test_equal_seeds_give_equal_answers_and_others_do_not(model) -> None:
    hot = {"temperature": 1.5, "max_tokens": 24}
    first = await text_of(model, question(seed=7, **hot))
    assert await text_of(model, question(seed=7, **hot)) == first
    assert await text_of(model, question(seed=8, **hot)) != first


async def test_a_biased_token_is_never_or_always_said(model) -> None:
    whole = await pieces_of(model, question(logprobs=True, temperature=0))
    first = whole[0].logprobs[0].token
    (number, _), *_ = model.tokens(first)
    without = await pieces_of(
        model, question(logprobs=True, temperature=0, logit_bias={str(number): -100})
    )
    always = await text_of(
        model, question(temperature=0, max_tokens=3, logit_bias={str(number): 100})
    )
    assert without[0].logprobs[0].token != first
    assert always == first * 3


async def test_logprobs_name_the_likeliest_tokens_of_each_place(model) -> None:
    *pieces, _ = await pieces_of(
        model, question(logprobs=True, top_logprobs=3, max_tokens=4, temperature=0)
    )
    told = [token for piece in pieces for token in piece.logprobs]
    assert "".join(token.token for token in told) == "".join(piece.text for piece in pieces)
    for token in told:
        assert [top.logprob for top in token.top_logprobs] == sorted(
            (top.logprob for top in token.top_logprobs), reverse=True
        )
        assert len(token.top_logprobs) == 3
        assert token.logprob == token.top_logprobs[0].logprob <= 0
        assert bytes(token.bytes or ()).decode() == token.token


async def test_logprobs_alone_bring_no_alternatives(model) -> None:
    first, *_ = await pieces_of(model, question(logprobs=True))
    assert len(first.logprobs) == 1
    assert first.logprobs[0].top_logprobs == ()


async def test_an_answer_that_outgrows_the_context_is_cut_there(model) -> None:
    request = question("word " * 460, max_tokens=1000, logit_bias={"2": -100})
    *_, end = await pieces_of(model, request)
    assert end.finish_reason == "length"
    assert end.usage is not None
    assert end.usage.total_tokens <= 512


@pytest.mark.parametrize(
    ("others", "field"),
    [
        ({"logit_bias": {"the": 1}}, "logit_bias.the"),
        ({"adapter": "unheard-of"}, "adapter"),
    ],
)
async def test_what_is_not_known_is_refused_by_its_name(model, others: dict, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        await pieces_of(model, question(**others))
    assert caught.value.fields[0].field == field


async def test_a_schema_holds_the_answer_and_one_that_cannot_is_refused(model) -> None:
    schema = {
        "type": "object",
        "properties": {"code": {"type": "string", "pattern": "^[A-Z]{3}-\\d{2}$"}},
        "required": ["code"],
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "code", "schema": schema}}
    text = await text_of(model, question("Invent a code.", response_format=wanted))
    assert text.startswith('{"code": "')
    assert text[10:13].isupper()
    schema["properties"]["code"]["pattern"] = "(?=A)B"
    with pytest.raises(SchemaError, match=r"schema\.properties\.code\.pattern: "):
        await pieces_of(model, question(response_format=wanted))


async def test_an_unbounded_string_ends(model) -> None:
    wanted = {"type": "json_schema", "json_schema": {"schema": {"type": "string"}}}
    request = question("Write a very long story.", response_format=wanted, max_tokens=600)
    *pieces, end = await pieces_of(model, request)
    assert end.finish_reason == "stop"
    assert len("".join(piece.text for piece in pieces)) <= 600


# --------------------------------------------------------------------------- many at once
async def begun(model: EmbeddedModel, **others: object) -> AsyncIterator[Delta]:
    stream = model.stream(question(**{**ENDLESS, **others}))
    await anext(stream)
    return stream


async def test_one_who_leaves_frees_the_slot_for_one_who_waits(model) -> None:
    streams = [await begun(model) for _ in range(4)]
    waiting = asyncio.create_task(text_of(model, question(max_tokens=2)))
    await streams[0].aclose()
    assert await waiting
    for stream in streams[1:]:
        await stream.aclose()
    await model.idle()


async def test_a_cancelled_task_frees_its_slot_too(model) -> None:
    tasks = [asyncio.create_task(text_of(model, question(**ENDLESS))) for _ in range(6)]
    await asyncio.wait(tasks, timeout=0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await model.idle()
    assert await text_of(model, question(max_tokens=2))


async def test_beyond_the_line_one_is_sent_away_with_a_time_to_come_back(model) -> None:
    streams = [await begun(model) for _ in range(4)]
    waiting = [asyncio.create_task(text_of(model, question(max_tokens=1))) for _ in range(2)]
    while model.n_waiting < 2:
        await asyncio.sleep(0)
    with pytest.raises(ModelBusyError, match="P3_MAX_QUEUED_CHATS") as caught:
        await pieces_of(model, question())
    assert int(caught.value.headers["Retry-After"]) >= 1
    for stream in streams:
        await stream.aclose()
    assert all(await asyncio.gather(*waiting))


async def test_chats_are_answered_together_not_one_after_another(model) -> None:
    order: list[int] = []
    say = order.append

    async def listen(k: int) -> None:
        request = question(f"Count to {k}.", **{**ENDLESS, "max_tokens": 40})
        async for _ in model.stream(request):
            say(k)

    await asyncio.gather(*(listen(k) for k in range(4)))
    half = order[: len(order) // 2]
    assert {k: half.count(k) >= 5 for k in range(4)} == dict.fromkeys(range(4), True)


# -------------------------------------------------------------------------- start and end
async def test_closing_with_chats_under_way_ends_them_with_an_error(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir, n_threads=1, max_chats=2)
    async with EmbeddedModel(settings) as own:
        stream = await begun(own)
    with pytest.raises(GenerationError, match="stopped in the middle"):
        async for _ in stream:
            pass


async def test_loading_leaves_the_process_its_signals(data_dir: Path) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        async with EmbeddedModel(Settings(data_dir=data_dir, n_threads=1, max_chats=1)) as own:
            assert await text_of(own, question(max_tokens=1))
            os.kill(os.getpid(), signal.SIGTERM)
            assert await text_of(own, question(max_tokens=1))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


async def test_a_chat_that_never_has_room_is_refused_and_does_not_wait(data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir, context_tokens=2048, cache_tokens=256)
    async with EmbeddedModel(settings) as own:
        with pytest.raises(ContextLengthError, match="the model holds 256"):
            await pieces_of(own, question("sea " * 400))
        assert await text_of(own, question(max_tokens=2000))


async def test_it_is_not_ready_until_it_is_loaded_and_a_chat_waits_for_it(data_dir: Path) -> None:
    async with EmbeddedModel(Settings(data_dir=data_dir, n_threads=1, max_chats=1)) as own:
        assert own.not_ready() == "the generator is being loaded"
        assert await text_of(own, question(max_tokens=1))
        assert own.not_ready() is None


@pytest.mark.parametrize("content", [None, b"no model"])
async def test_weights_that_are_missing_or_none_are_said(tmp_path: Path, content) -> None:
    weights = tmp_path / "model.gguf"
    if content:
        weights.write_bytes(content)
    async with EmbeddedModel(Settings(generator_weights=weights, max_chats=1)) as own:
        with pytest.raises(WeightsError, match=r"model\.gguf"):
            await pieces_of(own, question())
        assert str(weights) in str(own.not_ready())
