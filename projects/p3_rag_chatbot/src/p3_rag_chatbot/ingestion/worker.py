"""The process that reads documents: what a hostile file can exhaust or crash is this, no more.

`python -m p3_rag_chatbot.ingestion.worker FD` answers one request after another on the socket.
It lives within an address-space limit, writes no files, and ends with the service.
"""

import importlib
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from p3_rag_chatbot.ingestion.documents import (
    DocumentBuilder,
    LoadedDocument,
    Mark,
    TooManyCharactersError,
)
from p3_rag_chatbot.ingestion.frames import BrokenFrameError, Message, receive, send
from p3_rag_chatbot.ingestion.loaders.limits import Limits, TooLargeError, UnreadableError
from p3_rag_chatbot.ingestion.loaders.packages import check_package

_LOADERS = "p3_rag_chatbot.ingestion.loaders"
_MAX_REQUEST_BYTES = 1 << 40  # the service has checked what it sends


class Request(BaseModel):
    """A document to read; its bytes travel beside it."""

    model_config = ConfigDict(frozen=True)

    loader: str
    is_package: bool
    title: str
    media_type: str
    max_characters: int
    max_unpacked_bytes: int
    max_files: int
    seconds: float


class Answer(BaseModel):
    """What was read; the attachments' bytes travel beside it. An error instead has a reason."""

    model_config = ConfigDict(frozen=True)

    error: str = ""
    is_too_large: bool = False
    title: str = ""
    text: str = ""
    marks: tuple[Mark, ...] = ()
    metadata: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    n_pages: int | None = None
    attachments: tuple[str, ...] = ()


def main() -> None:
    """Answer requests until the service closes its end."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    n_bytes = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (n_bytes, n_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    warnings.simplefilter("ignore")  # parsers warn of what is odd in a file; nobody reads it here
    with connection:
        while True:
            try:
                message = receive(connection, max_bytes=_MAX_REQUEST_BYTES)
            except (BrokenFrameError, OSError):
                return
            request = Request.model_validate(message.values)
            # Were the service gone, nobody would end a reading that hangs.
            signal.alarm(int(request.seconds) + 5)
            answer, is_spent = answered(request, message.blobs[0])
            signal.alarm(0)
            send(connection, answer)
            if is_spent:
                return


def answered(request: Request, content: bytes) -> tuple[Message, bool]:
    """Read a document; returns the answer, and whether this process should be replaced."""
    is_spent = False
    try:
        document = _read(request, content)
    except TooManyCharactersError:
        reason = (
            f"it has more than {request.max_characters:,} characters of text; "
            "P3_MAX_DOCUMENT_CHARACTERS allows more"
        )
        answer = Answer(error=reason, is_too_large=True)
    except UnreadableError as error:
        answer = Answer(error=str(error), is_too_large=isinstance(error, TooLargeError))
    except (MemoryError, RecursionError) as error:
        kind = "memory" if isinstance(error, MemoryError) else "nesting"
        answer = Answer(error=f"reading it takes more {kind} than is allowed", is_too_large=True)
        is_spent = True
    except Exception as error:  # noqa: BLE001 - a parser may raise anything on a broken file
        detail = str(error).strip().split("\n")[0][:200]
        answer = Answer(error=f"it is broken ({type(error).__name__}: {detail})")
    else:
        names = tuple(one.name for one in document.attachments)
        blobs = tuple(one.content for one in document.attachments)
        return Message(_values(document, names), blobs), False
    return Message(answer.model_dump(exclude_defaults=True)), is_spent


def _values(document: LoadedDocument, attachments: tuple[str, ...]) -> dict[str, object]:
    return {
        "title": document.title,
        "text": document.text,
        "marks": document.marks,
        "metadata": document.metadata,
        "notes": document.notes,
        "n_pages": document.n_pages,
        "attachments": attachments,
    }


def loader_of(name: str) -> Callable[[bytes, DocumentBuilder, Limits], None]:
    """Return the loader that `module:function` names; its libraries are loaded now."""
    module, _, function = name.partition(":")
    read: Callable[[bytes, DocumentBuilder, Limits], None] = getattr(
        importlib.import_module(f"{_LOADERS}.{module}"), function
    )
    return read


def _read(request: Request, content: bytes) -> LoadedDocument:
    limits = Limits(
        request.max_characters, request.max_unpacked_bytes, request.max_files, request.seconds
    )
    if request.is_package:
        check_package(content, limits)
    builder = DocumentBuilder(limits.max_characters)
    loader_of(request.loader)(content, builder, limits)
    return builder.finish(request.title, request.media_type)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
