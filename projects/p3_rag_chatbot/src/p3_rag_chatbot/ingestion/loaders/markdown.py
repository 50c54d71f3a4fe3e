"""Markdown (CommonMark with tables) as plain text: what a reader sees, without the signs."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from p3_rag_chatbot.ingestion.documents import DocumentBuilder, clean
from p3_rag_chatbot.ingestion.loaders.encodings import decode
from p3_rag_chatbot.ingestion.loaders.html import add_html
from p3_rag_chatbot.ingestion.loaders.limits import Limits

_LONGEST_LIST = 50
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def read(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read a Markdown file; its front matter becomes metadata, its `title` the title."""
    text = clean(decode(content))
    found = _FRONT_MATTER.match(text)
    if found and (front := _front_matter(found[1])):
        builder.metadata |= front
        builder.title = front.get("title", "")
        text = text[found.end() :]
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    _Blocks(builder).add(tokens)


def _front_matter(text: str) -> dict[str, str]:
    """Return the metadata; nothing where it is not YAML: then it belongs to the text."""
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # ValueError: such as the 31st of February
        return {}
    return (
        {str(key): _as_text(value) for key, value in data.items()} if isinstance(data, dict) else {}
    )


def _as_text(value: object) -> str:
    if isinstance(value, Mapping):
        value = [f"{key}={_as_text(one)}" for key, one in islice(value.items(), _LONGEST_LIST)]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(_as_text(one) for one in value[:_LONGEST_LIST])
    return "" if value is None else str(value)


class _Blocks:
    """Follows the tokens of a Markdown text and adds what they enclose."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._lists: list[int | None] = []  # the next number of each open list; None: bullets
        self._is_item_new = False
        self._rows: list[list[str]] = []

    def add(self, tokens: Sequence[Token]) -> None:
        for k, token in enumerate(tokens):
            if token.type == "heading_open":
                self._builder.heading(plain(tokens[k + 1]), int(token.tag[1:]))
            elif token.type == "paragraph_open":
                self._add_text(plain(tokens[k + 1]))
            elif token.type in {"fence", "code_block"}:
                self._builder.code(token.content)
            elif token.type == "html_block":
                add_html(self._builder, token.content)
            elif token.type.startswith(("bullet_list", "ordered_list", "list_item")):
                self._list(token)
            elif token.type in {"table_open", "tr_open", "table_close"}:
                self._table(token)
            elif token.type in {"th_open", "td_open"}:
                self._rows[-1].append(plain(tokens[k + 1]))

    def _list(self, token: Token) -> None:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            if not self._lists:
                self._builder.end_list()
            first = int(token.attrs.get("start", 1)) if token.type.startswith("ordered") else None
            self._lists.append(first)
        elif token.type.endswith("list_close"):
            self._lists.pop()
        else:
            self._is_item_new = token.type == "list_item_open"

    def _add_text(self, text: str) -> None:
        if not self._lists or not self._is_item_new:
            self._builder.paragraph(text)
            return
        number = self._lists[-1]
        self._builder.item(text, len(self._lists) - 1, "-" if number is None else f"{number}.")
        self._lists[-1] = None if number is None else number + 1
        self._is_item_new = False

    def _table(self, token: Token) -> None:
        if token.type == "table_open":
            self._rows = []
        elif token.type == "tr_open":
            self._rows.append([])
        elif self._rows:
            self._builder.table(self._rows[1:], self._rows[0])


def plain(token: Token) -> str:
    """Return an inline token as it is read: links by their text, pictures by their description."""
    parts = []
    for child in token.children or ():
        if child.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        elif child.type in {"text", "code_inline"} or child.type == "image":
            parts.append(child.content)
    return "".join(parts)
