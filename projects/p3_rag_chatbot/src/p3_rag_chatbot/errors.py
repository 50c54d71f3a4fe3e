"""What the document chatbot refuses, named for what went wrong."""

from collections.abc import Sequence

from common.errors import DomainError, FieldError
from common.models import weights

WeightsError = weights.WeightsError


class ChatbotError(DomainError):
    """Base of what this service refuses."""


class RequestError(ChatbotError):
    """A request does not fit; `fields` names each part."""

    def __init__(self, fields: Sequence[FieldError]) -> None:
        self.fields = tuple(fields)
        super().__init__("; ".join(f"{one.field}: {one.message}" for one in self.fields[:3]))


class UnknownCollectionError(ChatbotError):
    """There is no collection of that name, or the caller may not see it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no collection {name!r}")


class CollectionExistsError(ChatbotError):
    """There is a collection of that name already."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is a collection {name!r} already; choose another name")


class UnknownDocumentError(ChatbotError):
    """There is no document of that id in the collection."""

    def __init__(self, document_id: str) -> None:
        self.document_id = document_id
        super().__init__(f"there is no document {document_id!r}")


class DocumentError(ChatbotError):
    """A document cannot be read; the message names it and says why."""

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(f"{source}: {reason}")


class DocumentTooLargeError(DocumentError):
    """A document, or what an archive unpacks to, is larger than the settings allow."""


class FetchError(DocumentError):
    """A web page may not be fetched, or cannot be."""


class CollectionIndexError(ChatbotError):
    """An index on disk cannot be read or written."""


class ModelBusyError(ChatbotError):
    """More chats wait for the generator than the settings allow."""


class GenerationError(ChatbotError):
    """The generator, embedded or elsewhere, failed in an answer."""


class SchemaError(ChatbotError):
    """A JSON schema is not one, or asks for what the grammar cannot express."""


class ContextLengthError(ChatbotError):
    """The prompt and the answer asked for do not fit into the model's context."""

    def __init__(self, n_prompt: int, n_context: int) -> None:
        self.n_prompt, self.n_context = n_prompt, n_context
        super().__init__(
            f"messages: the prompt has {n_prompt} tokens, the model holds {n_context} with its "
            "answer; shorten the prompt or lower max_tokens"
        )
