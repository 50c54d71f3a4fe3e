"""Which loader reads what: by a file's name, a server's word, and the first bytes.

Loaders are named, not imported: only the process that reads a document loads them.
"""

from pathlib import PurePosixPath
from typing import NamedTuple


class Format(NamedTuple):
    """A format that is read: its media type, and the loader as `module:function`."""

    media_type: str
    loader: str
    is_package: bool = False  # an Office file, which is a ZIP: checked before it is unpacked


_OFFICE = "application/vnd.openxmlformats-officedocument"
PDF = Format("application/pdf", "pdf:read")
DOCX = Format(f"{_OFFICE}.wordprocessingml.document", "word:read", is_package=True)
PPTX = Format(f"{_OFFICE}.presentationml.presentation", "slides:read", is_package=True)
XLSX = Format(f"{_OFFICE}.spreadsheetml.sheet", "workbooks:read", is_package=True)
CSV = Format("text/csv", "tables:read")
HTML = Format("text/html", "html:read")
MARKDOWN = Format("text/markdown", "markdown:read")
TEXT = Format("text/plain", "plain:read")
MAIL = Format("message/rfc822", "mail:read")
CODE = Format("text/x-source", "code:read")

_LANGUAGES = (
    "py pyi js mjs cjs ts tsx jsx java kt kts scala go rs c h cc cpp hpp cs rb php swift m mm sh "
    "bash zsh ps1 pl r jl lua sql hs ex exs erl clj dart vue svelte css scss toml yaml yml json "
    "ini cfg proto graphql tf gradle cmake"
)
_BY_SUFFIX = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".pptx": PPTX,
    ".xlsx": XLSX,
    ".csv": CSV,
    ".tsv": CSV,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".txt": TEXT,
    ".text": TEXT,
    ".rst": TEXT,
    ".log": TEXT,
    ".tex": TEXT,
    ".eml": MAIL,
    **{f".{suffix}": CODE for suffix in _LANGUAGES.split()},
}
_BY_NAME = {
    "dockerfile": CODE,
    "makefile": CODE,
    "license": TEXT,
    "readme": TEXT,
    "changelog": TEXT,
}
_BY_MEDIA_TYPE = {
    "application/xhtml+xml": HTML,
    "text/x-markdown": MARKDOWN,
    "text/tab-separated-values": CSV,
    "application/json": CODE,
    **{one.media_type: one for one in _BY_SUFFIX.values()},
}
ARCHIVE_SUFFIXES = (".zip",)
ARCHIVE_MEDIA_TYPES = ("application/zip", "application/x-zip-compressed")


def format_of(name: str, media_type: str = "") -> Format | None:
    """Return how a document is read, by the last part of its name, else by its media type."""
    path = PurePosixPath(name.rpartition("!/")[2])
    by_name = _BY_SUFFIX.get(path.suffix.lower()) or _BY_NAME.get(path.name.lower())
    by_type = _BY_MEDIA_TYPE.get(media_type.partition(";")[0].strip().lower())
    return by_type if by_type not in {None, TEXT} else by_name or by_type


def is_archive(name: str, media_type: str = "") -> bool:
    """Whether what is read is an archive of documents."""
    declared = media_type.partition(";")[0].strip().lower()
    return name.lower().endswith(ARCHIVE_SUFFIXES) or declared in ARCHIVE_MEDIA_TYPES


def sniffed(content: bytes) -> Format | None:
    """Return the format that the first bytes tell, where the name tells none."""
    head = content[:1024].lstrip()
    if head.startswith(b"%PDF-"):
        return PDF
    if head[:200].lower().startswith((b"<!doctype html", b"<html")):
        return HTML
    return None
