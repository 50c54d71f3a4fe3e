"""A collection's passages in a plane: principal components of their vectors, by numpy alone.

The plane is that of the two directions in which the vectors differ most (Pearson 1901). It keeps a
small share of the differences, which is told: points that lie together need not mean the same, so
what is nearest to a text is measured in all dimensions.
"""

from dataclasses import dataclass

import numpy as np
from common.errors import FieldError

from p3_rag_chatbot.errors import RequestError
from p3_rag_chatbot.inside.contracts import MapDocument, MeaningMap, Neighbour, Placed, Point
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.ports import Vectors

MAX_POINTS = 2_000
N_NEAREST = 5
MIN_POINTS = 3
"""Fewer passages span no plane."""


@dataclass(frozen=True)
class Plane:
    """Where a vector lies: its distance from the mean, along two directions."""

    mean: Vectors
    axes: Vectors
    shown_variance: float

    @classmethod
    def of(cls, vectors: Vectors) -> "Plane":
        """Fit the plane in which the vectors differ most."""
        mean = vectors.mean(axis=0)
        spread = (vectors - mean).astype(np.float64)
        variances, directions = np.linalg.eigh(spread.T @ spread)
        axes = directions[:, :-3:-1].T
        # An axis may point either way: the largest entry is positive, so a map stays as it was.
        signs = np.sign(axes[[0, 1], np.abs(axes).argmax(axis=1)])
        total = float(variances.sum())
        share = float(variances[-2:].sum()) / total if total > 0 else 1.0
        return cls(mean, (axes * signs[:, None]).astype(np.float32), share)

    def places(self, vectors: Vectors) -> Vectors:
        """Return (n, 2) coordinates."""
        return ((vectors - self.mean) @ self.axes.T).astype(np.float32)


class DrawnMap:
    """The map of one state of a collection; places texts on it."""

    def __init__(self, plane: Plane, vectors: Vectors, drawn: MeaningMap) -> None:
        self._plane, self._vectors = plane, vectors
        self.drawn = drawn

    @classmethod
    def of(cls, library: Library, collection: str, *, max_points: int = MAX_POINTS) -> "DrawnMap":
        """Draw a collection; raises `UnknownCollectionError`, `RequestError` for too small a one.

        Of a large one, passages at equal steps through its documents are shown.
        """
        with library.view(collection) as view:
            chunks = view.chunks()
            _check_size(len(chunks))
            shown = chunks[:: -(-len(chunks) // max_points)]
            vectors = view.vectors([chunk for chunk, _ in shown])
            embedder = view.embedder
        plane = Plane.of(vectors)
        titles = {one.id: one.title for one in library.documents(collection)}
        order = {one: k for k, one in enumerate(dict.fromkeys(document for _, document in shown))}
        drawn = MeaningMap(
            collection=collection,
            embedder=embedder,
            documents=tuple(MapDocument(id=one, title=titles.get(one, one)) for one in order),
            points=tuple(
                Point(passage_id=str(chunk), document=order[one], x=round(x, 4), y=round(y, 4))
                for (chunk, one), (x, y) in zip(shown, plane.places(vectors).tolist(), strict=True)
            ),
            n_passages=len(chunks),
            shown_variance=round(plane.shown_variance, 4),
        )
        return cls(plane, vectors, drawn)

    def placed(self, vector: Vectors) -> Placed:
        """Place a text by its vector (1, d), with the passages shown that are nearest to it."""
        x, y = self._plane.places(vector)[0].tolist()
        cosines = self._vectors @ vector[0]
        nearest = np.argsort(-cosines)[:N_NEAREST]
        return Placed(
            x=round(x, 4),
            y=round(y, 4),
            nearest=tuple(
                Neighbour(
                    passage_id=self.drawn.points[k].passage_id, cosine=round(float(cosines[k]), 4)
                )
                for k in nearest
            ),
        )


def _check_size(n_passages: int) -> None:
    if n_passages < MIN_POINTS:
        message, accepted = f"has {n_passages} passages", f"{MIN_POINTS} or more"
        field = FieldError(field="collection", message=message, accepted=accepted)
        raise RequestError([field])
