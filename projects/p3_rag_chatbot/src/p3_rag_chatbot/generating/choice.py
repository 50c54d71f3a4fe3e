"""Which model generates: the embedded one, or the server that the settings name."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Self

from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.generating.remote import RemoteModel
from p3_rag_chatbot.generating.repairing import Repairing
from p3_rag_chatbot.ports import ChatModel
from p3_rag_chatbot.settings import Settings

GROUNDED = "grounded"
"""The adapter of the embedded model that answers from passages, where it is there."""


@dataclass(frozen=True)
class Generators:
    """The embedded model, and a server's where one is configured; none of them is open yet."""

    embedded: EmbeddedModel
    remote: RemoteModel | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Make what the settings name."""
        return cls(EmbeddedModel(settings), RemoteModel(settings) if settings.chat_url else None)

    @property
    def by_name(self) -> dict[str, ChatModel]:
        """Every model that generates, by the name it is asked by."""
        models: list[ChatModel] = [self.embedded]
        if self.remote is not None:
            models.append(Repairing(self.remote))
        return {one.name: one for one in models}

    @property
    def chosen(self) -> ChatModel:
        """The model that answers from documents: the larger one, where there is one."""
        return self.embedded if self.remote is None else Repairing(self.remote)

    @property
    def adapter(self) -> str | None:
        """The adapter that the chosen model answers from documents with."""
        return GROUNDED if self.remote is None and GROUNDED in self.embedded.adapters else None

    def opened(self) -> AbstractAsyncContextManager[object]:
        """Return the context in which the chosen model is open."""
        return self.embedded if self.remote is None else self.remote

    def not_ready(self) -> str | None:
        """What the chosen model waits for."""
        return self.embedded.not_ready() if self.remote is None else None
