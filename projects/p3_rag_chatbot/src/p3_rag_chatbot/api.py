"""The document chatbot over HTTP. Thin: parse, ask a model, answer.

`/v1/chat/completions`, `/v1/embeddings` and `/v1/models` are the OpenAI protocol. Read next:
`openai_routes.py`, `generating/engine.py`.
"""

from importlib.metadata import version
from pathlib import Path

from common.errors import ProblemType
from common.service import create_service
from fastapi import FastAPI

from p3_rag_chatbot.fakes import FakeEmbedder
from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.generating.remote import RemoteModel
from p3_rag_chatbot.generating.repairing import Repairing
from p3_rag_chatbot.openai_errors import OPENAI_PROBLEMS
from p3_rag_chatbot.openai_routes import openai_router
from p3_rag_chatbot.ports import ChatModel
from p3_rag_chatbot.settings import Settings

PHASE = 3
PAGE_DIR = Path(__file__).parent / "web"
PROBLEMS: dict[type[Exception], ProblemType] = {**OPENAI_PROBLEMS}


def create_app(settings: Settings) -> FastAPI:
    """Build the service's application."""
    service = create_service(
        "p3-rag-chatbot",
        settings,
        title="P3 RAG chatbot",
        summary="Chat with documents: answers that cite, stream, and say when they do not know.",
        version=version("ai-roadmap-p3-rag-chatbot"),
    )
    service.problems(PROBLEMS)
    embedded = service.owns(EmbeddedModel(settings))
    models: dict[str, ChatModel] = {embedded.name: embedded}
    if settings.chat_url:
        remote = Repairing(service.owns(RemoteModel(settings)))
        models[remote.name] = remote
    service.mount(
        openai_router(
            models, FakeEmbedder(), max_question_characters=settings.max_question_characters
        )
    )
    service.pages(PAGE_DIR)
    return service.app
