"""How what the library, the search and the ingestion refuse is answered (RFC 9457)."""

from collections.abc import Mapping

from common.errors import ProblemType
from common.store import StoreError, StoreFullError

from p3_rag_chatbot.errors import (
    CollectionExistsError,
    CollectionIndexError,
    DocumentError,
    DocumentTooLargeError,
    ModelsLoadingError,
    OtherEmbedderError,
    UnknownCollectionError,
    UnknownDocumentError,
)

LIBRARY_PROBLEMS: Mapping[type[Exception], ProblemType] = {
    UnknownCollectionError: ProblemType(
        "unknown-collection", "There is no such collection", 404, "GET /v1/collections lists them."
    ),
    CollectionExistsError: ProblemType(
        "collection-exists", "There is such a collection", 409, "Choose another name."
    ),
    UnknownDocumentError: ProblemType(
        "unknown-document",
        "There is no such document",
        404,
        "GET /v1/collections/{name}/documents lists them.",
    ),
    DocumentTooLargeError: ProblemType(
        "document-too-large", "The document is too large", 413, "`detail` names the setting."
    ),
    DocumentError: ProblemType(
        "unreadable-document", "The document cannot be read", 422, "`detail` says why."
    ),
    CollectionIndexError: ProblemType(
        "index-trouble", "The collection's index cannot be used", 503, "`detail` says why."
    ),
    OtherEmbedderError: ProblemType(
        "other-embedder",
        "The collection was indexed by another model",
        409,
        "`detail` names the command that embeds its texts anew; nothing is lost. The service does "
        "so by itself for the guides, after its start.",
    ),
    StoreFullError: ProblemType(
        "disk-full",
        "There is no room to store it",
        507,
        "Nothing of the document was stored, and what was there is searched as before. Free some "
        "space, and send it again.",
    ),
    StoreError: ProblemType(
        "database-unavailable",
        "The database cannot be read or written now",
        503,
        "Nothing was stored. Try again; `detail` says what is wrong.",
    ),
    ModelsLoadingError: ProblemType(
        "models-loading", "The models are not loaded", 503, "GET /readyz says when they are."
    ),
}
