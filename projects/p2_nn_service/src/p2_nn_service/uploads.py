"""The files of a multipart form, from a body that is whole. Source: RFC 7578.

The kit bounds the body before it comes here. Knows no picture.
"""

from typing import TYPE_CHECKING, NamedTuple

from common.errors import FieldError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from p2_nn_service.errors import ClassifyRequestError, TooManyImagesError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_HEADER_BYTES = 4096
FILES = "one file or more, such as `curl -F image=@photo.jpg`"


class Upload(NamedTuple):
    """One part of a form."""

    name: str
    content: bytes
    is_file: bool


class _Form:
    """Collects the parts that the parser finds."""

    def __init__(self, max_parts: int) -> None:
        self.uploads: list[Upload] = []
        self.is_whole = False
        self._max_parts = max_parts
        self._name, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._content: list[bytes] = []

    def callbacks(self) -> "MultipartCallbacks":
        """Return what the parser calls."""
        return {
            "on_part_begin": self.on_part_begin,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_part_data": self.on_part_data,
            "on_part_end": self.on_part_end,
            "on_end": self.on_end,
        }

    def on_part_begin(self) -> None:
        if len(self.uploads) == self._max_parts:
            raise TooManyImagesError(
                f"more than {self._max_parts} files in one form are not accepted (MAX_IMAGES)"
            )
        self._disposition = b""
        self._content = []

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def on_part_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")[:100]
        self.uploads.append(Upload(name, b"".join(self._content), b"filename" in options))

    def on_end(self) -> None:
        self.is_whole = True


def uploaded_files(body: bytes, content_type: str, *, max_files: int) -> list[Upload]:
    """Return the files of a form, in order; `ClassifyRequestError` for a form without one."""
    _, options = parse_options_header(content_type.encode("latin-1", "replace"))
    form = _Form(max_files)
    try:
        parser = MultipartParser(
            options.get(b"boundary", b""),
            form.callbacks(),
            max_header_size=MAX_HEADER_BYTES,
        )
        parser.write(body)
    except FormParserError as error:
        raise _refused(f"is not a multipart form: {error}") from error
    if not form.is_whole:
        raise _refused("is a form that ends too early, or has no boundary")
    for one in form.uploads:
        if not one.is_file:
            raise ClassifyRequestError(
                [FieldError(field=one.name or "form", message="is not a file", accepted=FILES)]
            )
    if not form.uploads:
        raise _refused("is a form without a file")
    return form.uploads


def _refused(message: str) -> ClassifyRequestError:
    return ClassifyRequestError([FieldError(field="body", message=message, accepted=FILES)])
