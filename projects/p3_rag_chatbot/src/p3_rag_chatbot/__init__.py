"""Phase 3: chat with documents: an answer that cites, streams, and says when it does not know.

The public names, loaded when first asked for: importing this package loads no model.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p3_rag_chatbot.errors import ChatbotError
    from p3_rag_chatbot.ports import ChatModel, Embedder, Reader, Reading
    from p3_rag_chatbot.settings import Settings

_HOMES = {
    "ChatModel": "p3_rag_chatbot.ports",
    "ChatbotError": "p3_rag_chatbot.errors",
    "Embedder": "p3_rag_chatbot.ports",
    "Reader": "p3_rag_chatbot.ports",
    "Reading": "p3_rag_chatbot.ports",
    "Settings": "p3_rag_chatbot.settings",
}

__all__ = ["ChatModel", "ChatbotError", "Embedder", "Reader", "Reading", "Settings"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'p3_rag_chatbot' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
