import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from p3_rag_chatbot.ingestion.chunks import Chunk, chunk, embedding_text
from p3_rag_chatbot.ingestion.documents import DocumentBuilder, LoadedDocument

WORDS = st.text("abé漢", max_size=8)
TEXTS = st.text("ab é漢.。,\u3000\n\t", max_size=80)
ROWS = st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=6)
BLOCKS = st.one_of(
    st.tuples(st.just("heading"), TEXTS, st.integers(1, 6)),
    st.tuples(st.just("page"), st.integers(1, 9)),
    st.tuples(st.just("paragraph"), TEXTS),
    st.tuples(st.just("code"), TEXTS, WORDS, st.integers(0, 3)),
    st.tuples(st.just("item"), TEXTS, st.integers(0, 3)),
    st.tuples(st.just("table"), ROWS, st.lists(WORDS, max_size=4)),
)


def count_words(texts: Sequence[str]) -> list[int]:
    """As WordPiece does: words and marks; any word, however long, is one token."""
    return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def count_by_three(texts: Sequence[str]) -> list[int]:
    """Tokens that cross words: joined texts may have more than their parts, or fewer."""
    return [(len(text) + 2) // 3 for text in texts]


def build(blocks: Sequence[tuple]) -> LoadedDocument:
    builder = DocumentBuilder()
    for kind, *values in blocks:
        getattr(builder, kind)(*values)
    return builder.finish("untitled", "text/plain")


def starts_and_ends_ascend(chunks: Sequence[Chunk]) -> bool:
    return all(a.start < b.start and a.end < b.end for a, b in pairwise(chunks))


@pytest.mark.parametrize("count", [count_words, count_by_three])
@given(
    blocks=st.lists(BLOCKS, max_size=12), max_tokens=st.integers(1, 60), overlap=st.integers(0, 30)
)
def test_chunks_are_slices_in_order_that_cover_every_character_and_fit(
    count, blocks, max_tokens, overlap
) -> None:
    document = build(blocks)
    overlap = min(overlap, max_tokens - 1)
    chunks = chunk(document, count, max_tokens=max_tokens, overlap_tokens=overlap)
    assert all(document.text[one.start : one.end] == one.text for one in chunks)
    assert starts_and_ends_ascend(chunks)
    assert max(count([one.text for one in chunks]), default=0) <= max_tokens
    ends = [0, *(one.end for one in chunks)]
    starts = [*(one.start for one in chunks), len(document.text)]
    left_out = [document.text[a:b] for a, b in zip(ends, starts, strict=True)]
    assert "".join(left_out).strip() == ""
    assert overlap or all(a <= b for a, b in zip(ends, starts, strict=True))


@given(st.lists(BLOCKS, max_size=12))
def test_marks_of_a_built_document_are_in_order_and_inside_its_text(blocks) -> None:
    document = build(blocks)
    starts = [mark.start for mark in document.marks]
    assert starts == sorted(starts)
    assert all(start < len(document.text) for start in starts)
    for mark in document.marks:
        assert mark.start == 0 or document.text[mark.start - 1] == "\n"


def test_a_chunk_knows_its_headings_and_the_page_it_begins_on() -> None:
    builder = DocumentBuilder()
    builder.page(1)
    builder.heading("Terms", 1)
    builder.heading("Notice", 2)
    builder.paragraph("Four weeks.")
    builder.page(2)
    builder.heading("Fees", 2)
    builder.paragraph("Ten euros.")
    builder.heading("Annex", 1)
    builder.paragraph("Nothing.")
    chunks = chunk(builder.finish("", ""), count_words, max_tokens=50)
    assert [(one.headings, one.page) for one in chunks] == [
        (("Terms", "Notice"), 1),
        (("Terms", "Fees"), 2),
        (("Annex",), 2),
    ]
    assert chunks[0].text == "Terms\n\nNotice\n\nFour weeks."


def test_a_section_is_cut_between_paragraphs_rather_than_sentences() -> None:
    builder = DocumentBuilder()
    builder.paragraph("One two three. Four five six. Seven eight nine.")
    builder.paragraph("Ten eleven twelve. Thirteen fourteen fifteen. Sixteen.")
    parts = [one.text for one in chunk(builder.finish("", ""), count_words, max_tokens=18)]
    assert parts == [
        "One two three. Four five six. Seven eight nine.",
        "Ten eleven twelve. Thirteen fourteen fifteen. Sixteen.",
    ]


def test_a_table_is_cut_between_rows_and_each_row_reads_alone() -> None:
    builder = DocumentBuilder()
    builder.table([[f"Ada {k}", str(k)] for k in range(20)], ["Name", "Age"])
    parts = [one.text for one in chunk(builder.finish("", ""), count_words, max_tokens=30)]
    rows = [line for part in parts for line in part.splitlines()]
    assert rows == [f"Name: Ada {k}; Age: {k}" for k in range(20)]
    assert max(count_words(parts)) <= 30


def test_code_is_cut_between_its_blocks() -> None:
    builder = DocumentBuilder()
    builder.code("a = 1\nb = 2\n\n    c = 3\n    d = 4\n")
    parts = [one.text for one in chunk(builder.finish("", ""), count_words, max_tokens=7)]
    assert parts == ["a = 1\nb = 2", "c = 3\n    d = 4"]


def test_what_is_repeated_are_whole_sentences_of_the_chunk_before() -> None:
    builder = DocumentBuilder()
    builder.paragraph("Aa bb cc. Dd ee ff. Gg hh ii. Jj kk ll. Mm nn oo. Pp qq rr.")
    document = builder.finish("", "")
    parts = [one.text for one in chunk(document, count_words, max_tokens=12, overlap_tokens=4)]
    assert parts[0].endswith(parts[1].split(". ")[0] + ".")
    assert parts[1].startswith("Gg hh ii. ")


def test_an_endless_word_is_cut_though_the_tokenizer_calls_it_one_token() -> None:
    builder = DocumentBuilder()
    builder.paragraph("x" * 100_000)
    chunks = chunk(builder.finish("", ""), count_words, max_tokens=100)
    assert max(len(one.text) for one in chunks) <= 1200


def test_a_large_table_is_cut_in_time_that_grows_with_its_length_alone() -> None:
    """Each piece is sized once and looked at for one or two chunks."""
    asked: list[int] = []

    def count(texts: Sequence[str]) -> list[int]:
        asked.append(len(texts))
        return count_words(texts)

    builder = DocumentBuilder()
    builder.table([[str(k), "x"] for k in range(20_000)], ["n", "v"])
    chunks = chunk(builder.finish("", ""), count, max_tokens=200)
    assert sum(asked) == 20_000 + len(chunks)


def test_what_is_embedded_tells_what_the_chunk_stands_under() -> None:
    part = Chunk(0, 4, ("Terms", "Fees"), None, "Fees\n\nTen.")
    assert embedding_text("Contract", part) == "Contract > Terms\nFees\n\nTen."
