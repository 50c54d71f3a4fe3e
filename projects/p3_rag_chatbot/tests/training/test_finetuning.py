"""`finetune` from data to an adapter that the service takes; real weights, a few steps."""

import asyncio
import json
from pathlib import Path

import pytest
from p3_rag_chatbot.cli import app
from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.openai_contracts import ChatRequest, Message
from p3_rag_chatbot.reading.reader import OnnxReader
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.training.cards import Card
from p3_rag_chatbot.training.finetuning import Order, finetune
from typer.testing import CliRunner

PLACES = ("Harbour", "Museum", "Library", "Station", "Garden", "Theatre", "Market")
HOURS = ("six", "seven", "eight", "nine", "ten", "eleven", "noon")


def question(number: str, text: str, answer: str, context: str) -> dict[str, object]:
    found = [{"text": answer, "answer_start": context.index(answer)}] if answer else []
    return {"id": number, "question": text, "answers": found, "is_impossible": not answer}


def article(place: str, hour: str) -> dict[str, object]:
    paragraphs = []
    for day in ("Mondays", "Tuesdays", "Fridays"):
        context = (
            f"On {day} the {place.lower()} of the old town opens at {hour}. "
            f"It closes when the last of its visitors has left, as a law of 1901 says."
        )
        asked = [
            question(f"{place}-{day}-1", f"When does the {place.lower()} open on {day}?",
                     hour, context),
            question(f"{place}-{day}-2", "Which year is the law of?", "1901", context),
            question(f"{place}-{day}-3", f"Who built the {place.lower()}?", "", context),
        ]  # fmt: skip
        paragraphs.append({"context": context, "qas": asked})
    return {"title": place, "paragraphs": paragraphs}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "datasets" / "qa"
    folder.mkdir(parents=True)
    data = {"data": [article(*one) for one in zip(PLACES, HOURS, strict=True)]}
    (folder / "squad2_dev_part.json").write_text(json.dumps(data))
    return Settings(data_dir=tmp_path / "data", ROADMAP_DATASETS=tmp_path / "datasets", n_threads=1)


@pytest.mark.slow
def test_a_reader_is_trained_and_reads(settings: Settings) -> None:
    done = finetune(Order("reader", rank=2, epochs=1), settings)
    assert done.folder == settings.data_dir / "adapters" / "reader"
    card = Card.model_validate_json((done.folder / "card.json").read_bytes())
    assert card.rank == 2
    assert set(card.metrics) >= {"forced_f1", "f1", "auroc"}
    (done.folder / "trust.json").write_text("{}")
    reader = OnnxReader.of(settings, done.folder)
    try:
        (reading,) = reader.read([("When does it open?", "It opens at six.")])
    finally:
        reader.close()
    assert 0 <= reading.p_answerable <= 1


@pytest.mark.slow
def test_a_grounded_generator_is_trained_and_taken_by_its_name(settings: Settings) -> None:
    done = finetune(Order("grounded", rank=1, epochs=1), settings)
    assert done.card is not None
    assert done.card.metrics["held_out_loss"] > 0
    model = EmbeddedModel(settings)
    assert "grounded" in model.adapters

    async def answer() -> str:
        request = ChatRequest(
            messages=(Message(role="user", content="Hello"),), max_tokens=3, adapter="grounded"
        )
        async with model:
            await model.loaded()
            return "".join([piece.text async for piece in model.stream(request)])

    assert asyncio.run(answer())


def test_without_data_it_says_how_to_name_them(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, ROADMAP_DATASETS=None)
    for name in ("reader", "grounded", "tools"):
        with pytest.raises(DocumentError, match="ROADMAP_DATASETS"):
            finetune(Order(name), settings)


def test_the_command_knows_three_adapters() -> None:
    said = CliRunner().invoke(app, ["finetune", "poet"])
    assert said.exit_code == 2
    for name in ("reader", "grounded", "tools"):
        assert name in said.output
