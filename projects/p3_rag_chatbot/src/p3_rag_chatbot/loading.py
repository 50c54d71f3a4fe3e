"""The models that read documents, loaded together: one set of weights, two graphs."""

from dataclasses import dataclass
from pathlib import Path

from p3_rag_chatbot.ports import Embedder, Reader
from p3_rag_chatbot.settings import Settings

ADAPTERS = Path(__file__).parent / "adapters"
"""The committed adapters, one folder each."""


@dataclass(frozen=True)
class Models:
    """What embeds, and what reads."""

    embedder: Embedder
    reader: Reader


def load_models(settings: Settings) -> Models:
    """Load both; raises `WeightsError` where weights or the adapter are missing or wrong."""
    raise NotImplementedError
