from email.message import EmailMessage

import pytest
from p3_rag_chatbot.ingestion.loaders.limits import UnreadableError

from .reading import headings, kinds, read

PAGE = """<!doctype html><html lang="de"><head><title>Widgets &amp; more</title>
<meta name="description" content="All about widgets"><style>p{}</style></head><body>
<header><a href="/">Home</a></header><nav><ul><li>Menu</li></ul></nav>
<main><h1>Widgets</h1><p>A <b>widget</b> is<br>small.<script>alert(1)</script></p>
<div hidden>secret</div><p style="display: none">also secret</p>
<h2>Prices</h2><table><tr><th>Item<th>Euro</tr><tr><td>Bolt<td>1</tr><tr><td>Nut<td>2</table>
<ol start=1><li>First<ul><li>Inner</li></ul></li><li>Second</li></ol>
<pre><code>x = 1
  y = 2</code></pre><form><input value=a>Send</form>
<p>%s</p></main><aside>Ads</aside><footer>Imprint</footer></body></html>""" % ("filler " * 30)

MARKDOWN = """---
title: The guide
tags: [a, b]
---
# Install

Use the [tool](https://example.org) *now*,
as `root`.

- one
- two
  - inner

1. first
2. second

| Item | Euro |
|------|------|
| Bolt | 1    |

```python
x = 1
```

<div>html <b>inside</b></div>

> quoted
"""


def test_a_page_is_read_without_its_frame() -> None:
    document = read("page.html", PAGE.encode())
    assert document.title == "Widgets & more"
    assert document.metadata == {"description": "All about widgets", "language": "de"}
    assert headings(document) == [(1, "Widgets"), (2, "Prices")]
    assert document.text.removesuffix(("filler " * 30).strip()) == (
        "Widgets\n\nA widget is\nsmall.\n\nPrices\n\nItem: Bolt; Euro: 1\nItem: Nut; Euro: 2\n\n"
        "1. First\n  - Inner\n2. Second\n\nx = 1\n  y = 2\n\n"
    )


def test_html_nested_a_hundred_thousand_deep_is_read() -> None:
    document = read("deep.html", b"<html><body>" + b"<div>" * 100_000 + b"at last")
    assert len(document.text) <= len("at last")


@pytest.mark.parametrize("content", [b"", b"<!-- nothing -->", b"<html></html>", b"   "])
def test_an_empty_page_is_an_empty_document(content: bytes) -> None:
    assert read("empty.html", content).text == ""


def test_a_page_is_decoded_as_it_declares() -> None:
    page = '<html><head><meta charset="windows-1251"></head><body><p>Привет, мир</p></body></html>'
    assert read("ru.html", page.encode("cp1251")).text == "Привет, мир"


def test_markdown_is_plain_text_with_its_structure() -> None:
    document = read("guide.md", MARKDOWN.encode())
    assert document.title == "The guide"
    assert document.metadata == {"title": "The guide", "tags": "a, b"}
    assert document.text == (
        "Install\n\nUse the tool now,\nas root.\n\n- one\n- two\n  - inner\n\n"
        "1. first\n2. second\n\nItem: Bolt; Euro: 1\n\nx = 1\n\nhtml inside\n\nquoted"
    )
    assert kinds(document) == [
        "heading", "paragraph", "list", "list", "table", "code", "paragraph", "paragraph"
    ]  # fmt: skip


def test_front_matter_that_is_not_yaml_stays_text() -> None:
    assert "a: [b" in read("a.md", b"---\na: [b\n---\ntext").text


def test_underlined_lines_of_a_text_are_headings() -> None:
    document = read("a.rst", b"=====\nGuide\n=====\n\nIntro.\n\nUse\n---\n\nSo.\n\nEnd\n---\nNow.")
    assert headings(document) == [(1, "Guide"), (2, "Use"), (2, "End")]
    assert document.text == "Guide\n\nIntro.\n\nUse\n\nSo.\n\nEnd\n\nNow."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_a_text_is_read_in_any_encoding(encoding: str) -> None:
    text = "Über die Größe der Äpfel ließe sich streiten; süß sind die kürzeren Übungen allemal."
    assert read("a.txt", text.encode(encoding)).text == text


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnreadableError, match="zero bytes"):
        read("a.txt", b"abc\0\1\2")


def test_functions_and_classes_are_the_headings_of_code() -> None:
    source = (
        "import os\n\n@cached\ndef first(a):\n    def inner():\n        pass\n    return a\n\n"
        "# about it\nclass Second:\n    x = 1\n\n"
        "    async def method(self) -> None:\n        pass\n"
    )
    document = read("a.py", source.encode())
    assert headings(document) == [
        (1, "def first(a)"),
        (1, "class Second"),
        (2, "async def method(self) -> None"),
    ]
    starts = [mark.start for mark in document.marks if mark.kind == "heading"]
    assert [document.text[start:].split("\n")[0] for start in starts] == [
        "@cached",
        "# about it",
        "    async def method(self) -> None:",
    ]


@pytest.mark.parametrize(
    ("name", "head", "rest"),
    [
        ("a.go", "func (s *S) Run(x int) error", "{\n\treturn nil\n}\n"),
        ("a.rs", "pub fn run(x: u8) -> u8", "{\n    x\n}\n"),
        ("a.ts", "export const f = async (x: T) =>", "{\n  return 1\n}\n"),
        ("a.c", "int main(int argc, char **argv)", "{\n  if (x) {\n  }\n}\n"),
    ],
)
def test_definitions_of_other_languages_are_found(name: str, head: str, rest: str) -> None:
    assert headings(read(name, f"first;\n\n{head} {rest}".encode())) == [(1, head)]


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Ada <ada@example.org>", "bob@example.org"
    message["Subject"], message["Date"] = "Größe", "Mon, 02 Nov 2026 10:00:00 +0000"
    message.set_content("Dear Bob,\n\nsee the attachment.\n")
    message.add_alternative("<p>not read</p>", subtype="html")
    message.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="../t.csv")
    message.add_attachment(b"x", maintype="text", subtype="plain", filename="t.csv")
    return message


def test_a_mail_has_headers_text_and_attachments() -> None:
    document = read("a.eml", mail().as_bytes())
    assert document.title == "Größe"
    assert document.metadata["from"] == "Ada <ada@example.org>"
    assert document.text.endswith("Dear Bob,\n\nsee the attachment.")
    assert "not read" not in document.text
    assert [one.name for one in document.attachments] == ["t.csv", "2-t.csv"]
    assert document.attachments[0].content == b"a,b\n1,2\n"


def test_a_mail_inside_a_mail_is_an_attachment() -> None:
    outer = EmailMessage()
    outer["Subject"] = "Fwd"
    outer.set_content("see below")
    outer.add_attachment(mail())
    inner = read("a.eml", outer.as_bytes()).attachments[0]
    assert inner.name == "attachment-1.eml"
    assert read(inner.name, inner.content).title == "Größe"


def test_what_is_no_mail_is_refused() -> None:
    with pytest.raises(UnreadableError, match="no headers"):
        read("a.eml", b"just text")
