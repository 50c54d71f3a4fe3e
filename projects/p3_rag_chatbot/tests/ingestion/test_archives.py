import io
import struct
import zipfile

import pytest
from p3_rag_chatbot.errors import DocumentError, DocumentTooLargeError
from p3_rag_chatbot.ingestion.archives import members
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.settings import Settings


def packed(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def found(content: bytes, **settings: object) -> list[str]:
    items = members(RawDocument("/a.zip", content), Settings(**settings))
    return [
        f"{one.source}: {one.reason}" if isinstance(one, DocumentError) else one.source
        for one in items
    ]


def test_members_are_documents_of_their_own() -> None:
    inner = packed({"deep.md": b"# x"})
    content = packed({"b/c.txt": b"hi", ".git/config.txt": b"", "x.bin": b"", "in.zip": inner})
    assert found(content) == ["/a.zip!/b/c.txt", "/a.zip!/in.zip!/deep.md"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "/etc/passwd.txt", "C:/x.txt", "..\\x.txt"]
)
def test_a_name_that_leads_out_of_the_archive_is_refused_alone(name: str) -> None:
    shown = found(packed({name: b"x", "good.txt": b"x"}))
    assert len(shown) == 2
    assert "leads out" in shown[0]
    assert shown[1] == "/a.zip!/good.txt"


def test_a_member_that_unpacks_to_hundreds_of_times_its_size_ends_the_reading() -> None:
    with pytest.raises(DocumentTooLargeError, match=r"^/a.zip: .*times its size"):
        found(packed({"bomb.txt": b"\0" * 30_000_000}))


def test_what_an_archive_unpacks_to_is_limited_whatever_it_declares() -> None:
    """A header that lies about the size does not help: bytes are counted as they come."""
    content = bytearray(packed({"a.txt": bytes(range(256)) * 8_000}))
    at = content.index(b"PK\x01\x02") + 24
    assert struct.unpack_from("<I", content, at)[0] == 2_048_000
    with pytest.raises(DocumentTooLargeError, match="P3_MAX_ARCHIVE_BYTES"):
        found(bytes(content), max_archive_bytes=1_000_000)
    struct.pack_into("<I", content, at, 100)
    assert "cannot be unpacked" in found(bytes(content), max_archive_bytes=1_000_000)[0]


def test_archives_in_archives_share_one_allowance() -> None:
    inner = packed({"a.txt": bytes(range(256)) * 2_000})
    with pytest.raises(DocumentTooLargeError, match=r"^/a\.zip: "):
        found(packed({f"{k}.zip": inner for k in range(4)}), max_archive_bytes=1_200_000)


def test_archives_are_not_opened_without_end() -> None:
    content = packed({"x.txt": b"x"})
    for _ in range(5):
        content = packed({"in.zip": content})
    assert "deeper than 3" in found(content)[0]


def test_too_many_files_are_refused() -> None:
    with pytest.raises(DocumentTooLargeError, match="too many files"):
        found(packed({f"{k}.txt": b"" for k in range(20)}), max_archive_files=10)


def test_a_table_of_contents_that_would_fill_the_memory_is_not_read() -> None:
    content = packed({f"{k:0200}.txt": b"" for k in range(6_000)})
    with pytest.raises(DocumentTooLargeError, match="lists too many"):
        found(content, max_archive_files=10)


def test_an_encrypted_member_and_a_broken_one_are_told_and_the_rest_is_read() -> None:
    content = bytearray(packed({"a.txt": b"secret", "b.txt": b"fine", "c.zip": b"no zip"}))
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + offset] |= 1
    shown = found(bytes(content))
    assert "encrypted" in shown[0]
    assert shown[1] == "/a.zip!/b.txt"
    assert "/a.zip!/c.zip: it is no ZIP archive" in shown[2]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello"])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError, match="no ZIP archive"):
        found(content)
