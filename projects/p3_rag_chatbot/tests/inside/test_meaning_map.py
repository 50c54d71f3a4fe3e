"""The map of a collection: what the plane keeps, what is nearest, what has no map."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from p3_rag_chatbot.errors import RequestError, UnknownCollectionError
from p3_rag_chatbot.fakes import FakeEmbedder
from p3_rag_chatbot.ingestion.chunks import Chunk
from p3_rag_chatbot.inside.meaning_map import DrawnMap, Plane
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.settings import Settings

PASSAGES = (
    "roses bloom in march", "roses bloom in june", "wine rests in oak", "wine rests in barrels",
)  # fmt: skip


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(Settings(data_dir=tmp_path)) as library:
        library.create_collection("house")
        yield library


def put(library: Library, source: str, passages: tuple[str, ...]) -> None:
    text = "".join(passages)
    ends = np.cumsum([len(one) for one in passages]).tolist()
    chunks = [
        Chunk(start=end - len(one), end=end, headings=(), page=None, text=one)
        for one, end in zip(passages, ends, strict=True)
    ]
    library.put_document(
        "house",
        NewDocument(
            source=source, title=source.title(), media_type="text/plain", sha256="0" * 64,
            text=text, chunks=chunks, vectors=FakeEmbedder().embed(passages), embedder="fake",
        ),
    )  # fmt: skip


def test_points_in_a_plane_are_shown_whole_with_their_distances() -> None:
    chance = np.random.default_rng(0)
    axes = np.linalg.qr(chance.standard_normal((12, 2)))[0].T
    flat = chance.standard_normal((50, 2)) * [3, 1]
    vectors = (flat @ axes + chance.standard_normal(12)).astype(np.float32)
    plane = Plane.of(vectors)
    assert plane.shown_variance == pytest.approx(1)
    places = plane.places(vectors)
    assert np.linalg.norm(places[0] - places[1]) == pytest.approx(
        np.linalg.norm(vectors[0] - vectors[1]), rel=1e-4
    )
    assert places[:, 0].std() > places[:, 1].std()


def test_equal_vectors_lie_on_one_point() -> None:
    plane = Plane.of(np.ones((4, 8), dtype=np.float32))
    assert plane.shown_variance == 1
    assert np.abs(plane.places(np.ones((1, 8), dtype=np.float32))).max() < 1e-6


def test_a_collection_is_drawn_and_a_text_is_placed_by_its_nearest(library: Library) -> None:
    put(library, "cellar", PASSAGES[2:])
    put(library, "garden", PASSAGES[:2])
    map_ = DrawnMap.of(library, "house")
    assert [one.title for one in map_.drawn.documents] == ["Cellar", "Garden"]
    assert [one.document for one in map_.drawn.points] == [0, 0, 1, 1]
    assert map_.drawn.n_passages == 4
    placed = map_.placed(FakeEmbedder().embed(["roses in june"]))
    texts = [library.passages([one.passage_id])[0].text for one in placed.nearest]
    assert texts[0] == "roses bloom in june"
    assert [one.cosine for one in placed.nearest] == sorted(
        (one.cosine for one in placed.nearest), reverse=True
    )


def test_a_large_collection_is_shown_in_part_from_its_beginning_to_its_end(
    library: Library,
) -> None:
    put(library, "long", tuple(f"word{k} " for k in range(12)))
    drawn = DrawnMap.of(library, "house", max_points=5).drawn
    assert (len(drawn.points), drawn.n_passages) == (4, 12)
    shown = library.passages([one.passage_id for one in drawn.points])
    assert [one.text for one in shown] == ["word0 ", "word3 ", "word6 ", "word9 "]


def test_too_few_passages_span_no_plane(library: Library) -> None:
    put(library, "short", PASSAGES[:2])
    with pytest.raises(RequestError, match="has 2 passages"):
        DrawnMap.of(library, "house")
    with pytest.raises(UnknownCollectionError):
        DrawnMap.of(library, "nowhere")
