"""How tests put a question to a chat model."""

from p3_rag_chatbot.openai_contracts import ChatRequest, Delta
from p3_rag_chatbot.ports import ChatModel


def question(text: str = "What is the sea?", **others: object) -> ChatRequest:
    messages = [{"role": "user", "content": text}]
    return ChatRequest.model_validate({"messages": messages, "max_tokens": 16, **others})


async def pieces_of(model: ChatModel, request: ChatRequest) -> list[Delta]:
    return [piece async for piece in model.stream(request)]


async def text_of(model: ChatModel, request: ChatRequest) -> str:
    return "".join(piece.text for piece in await pieces_of(model, request))
