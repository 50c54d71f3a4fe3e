"""Whatever the bytes are, a loader reads them or says why not, and its chunks are right."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from p3_rag_chatbot.ingestion.chunks import chunk
from p3_rag_chatbot.ingestion.formats import format_of
from p3_rag_chatbot.ingestion.worker import Request, answered

from .pdf_files import Page, pdf
from .test_chunks import count_words
from .test_office import word_file
from .test_text_formats import MARKDOWN, PAGE, mail

TEXTS = {
    "a.html": PAGE.encode(),
    "a.md": MARKDOWN.encode(),
    "a.eml": mail().as_bytes(),
    "a.csv": b'a,b\n1,"2\n3"\n',
    "a.py": b"class A:\n    def b(self):\n        pass\n",
    "a.txt": "Größe\n=====\n\nText. Mehr.\n".encode(),
}
PACKAGES = {
    "a.docx": word_file(),
    "a.pdf": pdf([Page().text(72, 90, "Text.").table(72, 200, [["A", "B"], ["1", "2"]])]),
}


def answer(name: str, content: bytes) -> dict[str, object]:
    found = format_of(name)
    assert found is not None
    request = Request(
        loader=found.loader,
        is_package=found.is_package,
        title=name,
        media_type=found.media_type,
        max_characters=50_000,
        max_unpacked_bytes=10**7,
        max_files=100,
        seconds=60,
    )
    message, _ = answered(request, content)
    return dict(message.values)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Cut, repeat, or overwrite a few places."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(changed)) if changed else 0
        kind = chance.randrange(3)
        if kind == 0:
            del changed[at : at + chance.randint(1, 40)]
        elif kind == 1:
            changed[at:at] = changed[at : at + chance.randint(1, 40)] * chance.randint(1, 5)
        else:
            changed[at : at + 1] = chance.randbytes(chance.randint(1, 3))
    return bytes(changed)


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_a_damaged_text_is_read_or_refused_and_its_text_is_clean(name: str, seed: int) -> None:
    values = answer(name, damaged(TEXTS[name], random.Random(seed)))
    text = str(values.get("text", ""))
    assert "text" in values or values["error"]
    assert "broken (" not in str(values.get("error", "")), values["error"]
    assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in text)


@pytest.mark.parametrize("name", PACKAGES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_a_damaged_file_is_read_or_refused_with_a_reason(name: str, seed: int) -> None:
    values = answer(name, damaged(PACKAGES[name], random.Random(seed)))
    assert "text" in values or values["error"]


@given(st.binary(max_size=300), st.sampled_from([*TEXTS, *PACKAGES, "a.xlsx", "a.pptx"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    values = answer(name, content)
    assert "text" in values or values["error"]


@pytest.mark.parametrize("name", ["a.html", "a.md", "a.py", "a.txt"])
def test_endless_repetition_is_read_in_time_that_grows_with_its_length(name: str) -> None:
    """What makes parsers slow: open signs that never close. The test's own time limit judges."""
    for piece in ("<div ", "[a](", "*a ", "- ", "> ", "def f(", "`", "((((", "| a ", "=\n", "#"):
        values = answer(name, (piece * 4_000).encode())
        assert "text" in values or values["error"]


def test_chunks_of_a_real_page_cover_it() -> None:
    from .reading import read

    document = read("a.html", PAGE.encode())
    parts = chunk(document, count_words, max_tokens=16)
    joined = "".join("".join(part.text.split()) for part in parts)
    assert joined == "".join(document.text.split())
