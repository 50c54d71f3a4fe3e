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


class NothingIndexedError(ChatbotError):
    """A command asks a collection that nothing was indexed into."""

    def __init__(self, collection: str) -> None:
        self.collection = collection
        super().__init__(
            f"there is no collection {collection!r}; "
            f"p3-rag-chatbot index PATH --collection {collection} makes it"
        )


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


class OtherEmbedderError(CollectionIndexError):
    """A collection was embedded by another model than the one that embeds now."""

    def __init__(self, collection: str, indexed_by: str, embedder: str) -> None:
        self.collection, self.indexed_by, self.embedder = collection, indexed_by, embedder
        super().__init__(
            f"the collection {collection!r} was indexed by {indexed_by}, and {embedder} embeds "
            f"now; p3-rag-chatbot reembed --collection {collection} embeds its texts anew"
        )


class UnknownModelError(ChatbotError):
    """There is no model of that name."""

    def __init__(self, name: str, known: Sequence[str] = ()) -> None:
        self.name = name
        shown = f"; there is {', '.join(known)}" if known else ""
        super().__init__(f"there is no model {name[:80]!r}{shown}")


class TrainingMissingError(ChatbotError):
    """What fine-tunes is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "fine-tuning is not installed here; install ai-roadmap-p3-rag-chatbot[train]"
        )


class OrderError(ChatbotError):
    """`finetune` is asked for what cannot be; the message names the option."""


class ModelsLoadingError(ChatbotError):
    """A model is asked before it is loaded, or one that could not be."""


class ModelBusyError(ChatbotError):
    """More chats wait for the generator than the settings allow."""

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        self.headers = {"Retry-After": str(retry_after_s)}
        super().__init__(message)


class GenerationError(ChatbotError):
    """The generator, embedded or elsewhere, failed in an answer."""


class SchemaError(ChatbotError):
    """A JSON schema is not one, or asks for what the grammar cannot express; `path` says where."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        self.fields = (FieldError(field=path, message=reason),)
        super().__init__(f"{path}: {reason}")


class ContextLengthError(ChatbotError):
    """The prompt and the answer asked for do not fit into the model's context.

    Of a model elsewhere neither number is known, and `told` is what its server said.
    """

    def __init__(self, n_prompt: int | None, n_context: int | None, *, told: str = "") -> None:
        self.n_prompt, self.n_context = n_prompt, n_context
        super().__init__(
            told
            or f"messages: the prompt has {n_prompt} tokens, the model holds {n_context} with its "
            "answer; shorten the prompt or lower max_tokens"
        )
