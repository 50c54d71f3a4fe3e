"""The document chatbot over HTTP. Thin: parse, ask a model or the library, answer.

`/v1/chat/completions`, `/v1/embeddings` and `/v1/models` are the OpenAI protocol. Read next:
`chatbot.py` for what is behind it, `answering/rag_model.py` for a question's way.
"""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from common.errors import ProblemType
from common.learn.progress import Progress
from common.service import create_service
from common.service.exercise_routes import EXERCISE_PROBLEMS, exercise_router
from common.service.own_pages import OWN_PAGE_PROBLEMS, own_pages_only
from fastapi import FastAPI

from p3_rag_chatbot.answering.rag_model import RagModel
from p3_rag_chatbot.callers import key_digest
from p3_rag_chatbot.chatbot import Chatbot, LiveEmbedder, LiveReader
from p3_rag_chatbot.generating.choice import Generators
from p3_rag_chatbot.index_routes import index_router
from p3_rag_chatbot.inside_routes import inside_router
from p3_rag_chatbot.library_problems import LIBRARY_PROBLEMS
from p3_rag_chatbot.library_routes import collection_router, document_router
from p3_rag_chatbot.loading import Models, load_models
from p3_rag_chatbot.mcp_tools import document_tools
from p3_rag_chatbot.measuring import Measured, Measures
from p3_rag_chatbot.openai_errors import OPENAI_PROBLEMS
from p3_rag_chatbot.openai_routes import openai_router
from p3_rag_chatbot.ports import ChatModel
from p3_rag_chatbot.search_routes import search_router
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.tool_calling.generated import finisher_of
from p3_rag_chatbot.tool_calling.tool_model import with_tools

PHASE = 3
PAGE_DIR = Path(__file__).parent / "web"
PROBLEMS: dict[type[Exception], ProblemType] = {
    **OPENAI_PROBLEMS,
    **LIBRARY_PROBLEMS,
    **EXERCISE_PROBLEMS,
    **OWN_PAGE_PROBLEMS,
}


def create_app(settings: Settings, *, load: Callable[[Settings], Models] = load_models) -> FastAPI:
    """Build the service's application; `load` gives the models that read documents."""
    service = create_service(
        "p3-rag-chatbot",
        settings,
        title="P3 RAG chatbot",
        summary="Chat with documents: answers that cite, stream, and say when they do not know.",
        version=version("ai-roadmap-p3-rag-chatbot"),
    )
    service.problems(PROBLEMS)
    generators, measures = Generators.of(settings), Measures(service.telemetry)
    measures.room(service.owns(generators.embedded))
    if generators.remote is not None:
        service.owns(generators.remote)
    chatbot = service.owns(Chatbot(settings, measures, load))
    embedder, reader = LiveEmbedder(chatbot), LiveReader(chatbot)
    rag = RagModel(
        chatbot, embedder, reader, generators.chosen, settings,
        adapter=generators.adapter,
    )  # fmt: skip
    embedded = generators.embedded
    finisher = finisher_of(embedded, embedded.adapters, settings)
    with_callers = with_tools([rag, embedded], embedder, reader, finisher)
    others = {name: one for name, one in generators.by_name.items() if name not in with_callers}
    models: dict[str, ChatModel] = {
        name: Measured(one, measures) for name, one in (with_callers | others).items()
    }
    service.mount(
        openai_router(
            models,
            embedder,
            max_question_characters=settings.max_question_characters,
            who=lambda request: key_digest(request, settings),
        )
    )
    own_page = own_pages_only(settings)
    shelf = lambda: chatbot.library  # noqa: E731
    service.mount(
        collection_router(
            shelf, lambda: chatbot.searcher, settings, own_page, listed=chatbot.collections
        )
    )
    service.mount(document_router(shelf, settings, own_page))
    service.mount(search_router(shelf, lambda: chatbot.searcher, settings, own_page))
    service.mount(index_router(shelf, lambda: chatbot.indexer, settings, own_page))
    service.mount(inside_router(shelf, embedder, generators.embedded, settings))
    service.mount(exercise_router(PHASE, Progress(settings.data_dir)))
    service.tools(
        *document_tools(
            shelf,
            lambda: chatbot.searcher,
            lambda: chatbot.indexer,
            models[rag.name],
            settings,
            listed=chatbot.collections,
        )
    )
    service.pages(PAGE_DIR)
    return service.app
