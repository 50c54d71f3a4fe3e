"""What is kept between two answers, in llama.cpp itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from p3_rag_chatbot.generating.adapters import BUILTIN_DIR
from p3_rag_chatbot.generating.generator_weights import generator_weights
from p3_rag_chatbot.generating.llama import Json, Llama, LlamaOptions
from p3_rag_chatbot.settings import Settings

SEA, HOUSES = "Tell me of the sea and the ships. " * 20, "What do you think of houses? " * 20


@pytest.fixture(scope="module")
def llama(data_dir: Path) -> Iterator[Llama]:
    model = Llama(
        LlamaOptions(
            weights=generator_weights(Settings(data_dir=data_dir)),
            n_threads=1, n_slots=1, n_context=2048, adapters=[BUILTIN_DIR / "grounded.gguf"],
        )
    )  # fmt: skip
    yield model
    model.close()


def answer(llama: Llama, text: str, *, scale: float = 0.0) -> tuple[str, int]:
    """Answer at temperature 0; returns it, and how many tokens of the prompt were kept."""
    pieces: list[Json] = []

    def take(piece: Json) -> bool:
        pieces.append(piece)
        return False

    body = {
        "messages": [{"role": "user", "content": text}], "max_tokens": 8, "stream": True,
        "temperature": 0, "timings_per_token": True,
        "lora": [{"id": 0, "scale": scale}],
    }  # fmt: skip
    llama.chat(body, take)
    said = [one["choices"][0]["delta"].get("content") or "" for one in pieces if one["choices"]]
    return "".join(said), pieces[-1]["timings"]["cache_n"]


def test_a_slot_keeps_what_it_has_read_until_it_is_told_to_forget(llama: Llama) -> None:
    answer(llama, SEA)
    assert answer(llama, SEA)[1] > 100
    llama.forget(0)
    assert answer(llama, SEA)[1] == 0


def test_what_was_read_without_an_adapter_is_not_taken_for_what_it_reads(llama: Llama) -> None:
    llama.forget(0)
    fresh, _ = answer(llama, SEA, scale=1.0)
    plain, _ = answer(llama, SEA)
    assert plain != fresh
    for text in (HOUSES, HOUSES + "Or?"):
        answer(llama, text, scale=1.0)
    assert answer(llama, SEA, scale=1.0)[0] == fresh
