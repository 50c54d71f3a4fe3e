"""The process that reads documents: what hostile files do to it, and to nothing else."""

import io
import os
import signal
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from p3_rag_chatbot.errors import DocumentError, DocumentTooLargeError
from p3_rag_chatbot.ingestion.loading import DocumentLoader, RawDocument
from p3_rag_chatbot.settings import Settings

from .pdf_files import Page, pdf
from .test_office import word_file
from .test_text_formats import mail


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocumentLoader]:
    with DocumentLoader(Settings(data_dir=tmp_path_factory.mktemp("data"))) as loader:
        yield loader


def process_of(loader: DocumentLoader) -> int:
    assert loader._process is not None
    return loader._process.pid


def rewritten(content: bytes, part: str, change) -> bytes:
    """Change one part of an Office file."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return file.getvalue()


def test_documents_come_back_whole_and_one_process_reads_them_all(loader: DocumentLoader) -> None:
    lease = loader.load(RawDocument("/x/lease.docx", word_file()))
    first = process_of(loader)
    assert lease.media_type.endswith("wordprocessingml.document")
    assert [mark.label for mark in lease.marks if mark.kind == "heading"] == ["Terms", "Fees"]
    letter = loader.load(RawDocument("/x/a.eml", mail().as_bytes()))
    assert letter.attachments[0].content == b"a,b\n1,2\n"
    page = loader.load(
        RawDocument("https://example.org/a%20b", b"<p>hi", "text/html; charset=utf-8")
    )
    assert (page.title, page.text) == ("a b", "hi")
    assert process_of(loader) == first


def test_a_format_is_told_by_content_where_the_name_tells_none(loader: DocumentLoader) -> None:
    assert (
        loader.load(RawDocument("report", pdf([Page().text(9, 90, "Hello there.")]))).n_pages == 1
    )
    assert loader.load(RawDocument("notes", b"plain")).media_type == "text/plain"
    with pytest.raises(DocumentError, match="not one that is read"):
        loader.load(RawDocument("picture", b"\x89PNG\0\0"))


def test_a_parser_that_hangs_is_ended_in_time() -> None:
    """Ended by the service's clock: the process is stopped, so that it cannot end itself."""
    with DocumentLoader(Settings(load_timeout_s=0.2)) as loader:
        loader._started()
        os.kill(process_of(loader), signal.SIGSTOP)
        with pytest.raises(DocumentError, match="P3_LOAD_TIMEOUT_S"):
            loader.load(RawDocument("a.txt", b"x"))
    with DocumentLoader(Settings()) as loader:
        assert loader.load(RawDocument("a.txt", b"x")).text == "x"


def test_after_a_crash_the_next_document_is_read(loader: DocumentLoader) -> None:
    loader.load(RawDocument("a.txt", b"x"))
    pid = process_of(loader)
    os.kill(pid, signal.SIGSTOP)

    def crash() -> None:
        os.kill(pid, signal.SIGSEGV)
        os.kill(pid, signal.SIGCONT)

    threading.Timer(0.05, crash).start()
    with pytest.raises(DocumentError, match=r"ended the reader \(signal 11\)"):
        loader.load(RawDocument("a.txt", b"x"))
    assert loader.load(RawDocument("a.txt", b"y")).text == "y"


def test_an_interrupted_reading_ends_at_once() -> None:
    with DocumentLoader(Settings()) as loader:
        loader.load(RawDocument("a.txt", b"x"))
        os.kill(process_of(loader), signal.SIGSTOP)
        threading.Timer(0.05, loader.interrupt).start()
        with pytest.raises(DocumentError, match="ended the reader"):
            loader.load(RawDocument("a.txt", b"x"))


def test_a_document_that_takes_all_memory_is_refused_and_the_service_lives() -> None:
    """300 MB of spaces in one Word paragraph, within its archive limits, beyond the memory."""
    settings = Settings(load_memory_bytes=512 * 1024**2)
    text = b"<w:t xml:space='preserve'>" + b" a" * 200_000_000 + b"</w:t>"
    bomb = rewritten(
        word_file(),
        "word/document.xml",
        lambda xml: xml.replace(
            b"<w:t>The notice period is four weeks.</w:t>", text[:300_000_000] + b"</w:t>"
        ),
    )
    with DocumentLoader(settings) as loader:
        with pytest.raises(DocumentError):
            loader.load(RawDocument("a.docx", bomb))
        assert loader.load(RawDocument("a.txt", b"y")).text == "y"


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pptx"])
def test_an_office_bomb_is_refused_before_it_is_unpacked(name: str, loader: DocumentLoader) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b"\0" * 100_000_000)
    with pytest.raises(DocumentTooLargeError, match="made to exhaust"):
        loader.load(RawDocument(name, file.getvalue()))


def test_entities_are_not_expanded_and_files_not_read(loader: DocumentLoader) -> None:
    doctype = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "1">]>'

    def change(xml: bytes) -> bytes:
        head, _, rest = xml.partition(b"?>")
        return head + b"?>" + doctype + rest.replace(b"four weeks", b"&a; weeks")

    hostile = rewritten(word_file(), "word/document.xml", change)
    try:
        text = loader.load(RawDocument("a.docx", hostile)).text
    except DocumentError as error:
        text = error.reason
    assert "root:" not in text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.docx", b"PK\x03\x04 broken", "broken"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "encrypted"),
        ("a.xlsx", b"not a workbook", "broken"),
        ("a.pdf", b"not a pdf", "broken"),
        ("a.txt", b"a\0b", "zero bytes"),
    ],
)
def test_a_broken_file_says_why(
    name: str, content: bytes, reason: str, loader: DocumentLoader
) -> None:
    with pytest.raises(DocumentError, match=reason):
        loader.load(RawDocument(name, content))


def test_limits_of_size_name_their_setting() -> None:
    with DocumentLoader(Settings(max_document_bytes=10, max_document_characters=5)) as loader:
        with pytest.raises(DocumentTooLargeError, match="P3_MAX_DOCUMENT_BYTES"):
            loader.load(RawDocument("a.txt", b"x" * 11))
        with pytest.raises(DocumentTooLargeError, match="P3_MAX_DOCUMENT_CHARACTERS"):
            loader.load(RawDocument("a.txt", b"x" * 9))


def test_the_reading_process_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P3_CHAT_API_KEY", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with DocumentLoader(Settings()) as loader:
        loader.load(RawDocument("a.txt", b"x"))
        assert b"secret" not in Path(f"/proc/{process_of(loader)}/environ").read_bytes()


def test_a_closed_loader_leaves_no_process() -> None:
    loader = DocumentLoader(Settings())
    loader.load(RawDocument("a.txt", b"x"))
    pid = process_of(loader)
    loader.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
