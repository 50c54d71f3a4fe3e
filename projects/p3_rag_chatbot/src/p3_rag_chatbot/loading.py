"""The models that read documents, loaded together: one set of weights, two graphs."""

from dataclasses import dataclass
from pathlib import Path

from p3_rag_chatbot.embedding.embedder import OnnxEmbedder
from p3_rag_chatbot.errors import WeightsError
from p3_rag_chatbot.ports import Embedder, Reader
from p3_rag_chatbot.reading.reader import OnnxReader
from p3_rag_chatbot.retrieval.reranking import open_reranker
from p3_rag_chatbot.retrieval.search import Reranker
from p3_rag_chatbot.settings import Settings

ADAPTERS = Path(__file__).parent / "adapters"
"""The committed adapters, one folder each."""
READER = "reader"


@dataclass(frozen=True)
class Models:
    """What embeds, what reads, and what orders found passages anew, where the settings want it."""

    embedder: Embedder
    reader: Reader
    reranker: Reranker | None = None


def load_models(settings: Settings) -> Models:
    """Load all; raises `WeightsError` where weights or the adapter are missing or wrong."""
    reader = load_reader(settings)
    return Models(OnnxEmbedder.of(settings), reader, open_reranker(settings, reader))


def load_reader(settings: Settings) -> OnnxReader:
    """Load the reader with the adapter that was fine-tuned here, else the one that came along."""
    for folder in (settings.data_dir / "adapters" / READER, ADAPTERS / READER):
        if folder.is_dir():
            return OnnxReader.of(settings, folder)
    raise WeightsError(f"{ADAPTERS / READER}: the reader's adapter is not installed")
