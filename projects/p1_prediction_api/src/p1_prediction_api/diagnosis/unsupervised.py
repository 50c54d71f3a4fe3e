"""The inputs without the target: principal components, k-means segments, rows that lie alone.

Components: Pearson (1901), Hotelling (1933). Number of segments by the silhouette (Rousseeuw,
1987) of k-means (Lloyd, 1982). Rows that lie alone: isolation forest (Liu, Ting and Zhou, ICDM
2008). Nothing here is a verdict on the model; it is where to look.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from p1_prediction_api.diagnosis.case import Case, Floats
from p1_prediction_api.diagnosis.contracts import Outlier, Point, Segment, Unsupervised

MAX_ROWS = 3000
MAX_SILHOUETTE_ROWS = 1000
MAX_POINTS = 500
MAX_COMPONENTS = 10
MAX_SEGMENTS = 6
N_OUTLIERS = 8
N_TRAITS = 2
OUTLIER_SCORE = 0.6
"""Isolation scores near 0.5 are ordinary, near 1 alone (Liu et al., section 2)."""
CLEAR, SOME = 0.5, 0.25
"""Silhouettes from which segments are reasonable, or may be artificial (Kaufman and Rousseeuw,
1990, table 4)."""


def unsupervised(case: Case) -> Unsupervised | None:
    """Describe the rows that have an honest prediction, without their target."""
    rows = case.sampled(case.seen, MAX_ROWS, "the view without the target")
    X = case.data.X.iloc[rows]
    dense = _dense(X, case.data.labels)
    if dense.shape[1] < 2:
        case.skip("the view without the target", "it needs two columns")
        return None
    scaled = StandardScaler().fit_transform(dense)
    pca = PCA(min(MAX_COMPONENTS, *scaled.shape), random_state=case.seed)
    placed = pca.fit_transform(scaled)
    silhouettes, segment = _segments(placed, case.seed)
    best = silhouettes[max(silhouettes, key=lambda k: silhouettes[k])]
    forest = IsolationForest(n_estimators=100, random_state=case.seed).fit(scaled)
    alone = -np.asarray(forest.score_samples(scaled))
    shown = case.sampled(np.arange(len(rows)), MAX_POINTS)
    return Unsupervised(
        explained=tuple(float(one) for one in pca.explained_variance_ratio_),
        axes=(_axis(pca.components_[0], dense.columns), _axis(pca.components_[1], dense.columns)),
        silhouettes=silhouettes,
        silhouette=best,
        segments=_described(scaled, list(dense.columns), segment, case.errors(rows)),
        points=tuple(
            Point(
                x=float(placed[k, 0]),
                y=float(placed[k, 1]),
                segment=int(segment[k]),
                is_outlier=bool(alone[k] >= OUTLIER_SCORE),
            )
            for k in shown
        ),
        outliers=_outliers(alone, scaled, dense, rows),
        verdict=_words(best, len(np.unique(segment))),
    )


def _dense(X: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """Fill numbers by their median and spread labels over columns; drop what is constant."""
    numbers = X[[name for name in X.columns if name not in labels]].astype(np.float64)
    filled = numbers.fillna(numbers.median()).fillna(0.0)
    dense = filled
    if labels:
        spread = pd.get_dummies(X[list(labels)], prefix_sep=" = ", dtype=np.float64)
        dense = pd.concat([filled, spread], axis=1)
    return dense.loc[:, dense.nunique() > 1]


def _segments(placed: Floats, seed: int) -> tuple[dict[int, float], NDArray[np.int64]]:
    silhouettes: dict[int, float] = {}
    found: dict[int, NDArray[np.int64]] = {}
    for k in range(2, min(MAX_SEGMENTS, len(placed) - 1) + 1):
        found[k] = KMeans(k, n_init=4, random_state=seed).fit_predict(placed).astype(np.int64)
        silhouettes[k] = float(
            silhouette_score(
                placed,
                found[k],
                sample_size=min(MAX_SILHOUETTE_ROWS, len(placed)),
                random_state=seed,
            )
        )
    best = max(silhouettes, key=lambda k: silhouettes[k])
    sizes = np.bincount(found[best])
    rank = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return silhouettes, rank[found[best]]


def _described(
    scaled: Floats, names: list[str], segment: NDArray[np.int64], errors: Floats
) -> tuple[Segment, ...]:
    described = []
    for k in np.unique(segment):
        rows = segment == k
        middle = scaled[rows].mean(axis=0)
        top = np.argsort(-np.abs(middle), kind="stable")[:N_TRAITS]
        traits = ", ".join(f"{'high' if middle[j] > 0 else 'low'} {names[j]}" for j in top)
        described.append(
            Segment(
                name="ABCDEF"[k], n=int(rows.sum()), traits=traits, error=float(errors[rows].mean())
            )
        )
    return tuple(described)


def _outliers(
    alone: Floats, scaled: Floats, dense: pd.DataFrame, rows: NDArray[np.int64]
) -> tuple[Outlier, ...]:
    order = np.argsort(-alone, kind="stable")[:N_OUTLIERS]
    found = []
    for k in order[alone[order] >= OUTLIER_SCORE]:
        j = int(np.abs(scaled[k]).argmax())
        why = f"{dense.columns[j]} is {dense.iloc[k, j]:.4g}, {scaled[k, j]:+.1f} deviations"
        found.append(Outlier(row=int(rows[k]), score=float(alone[k]), why=why))
    return tuple(found)


def _axis(weights: Floats, names: pd.Index) -> str:
    top = np.argsort(-np.abs(weights), kind="stable")[:N_TRAITS]
    return ", ".join(f"{'+' if weights[j] > 0 else '-'}{names[j]}" for j in top)


def _words(silhouette: float, n_segments: int) -> str:
    if silhouette >= CLEAR:
        return f"The rows fall into {n_segments} clear groups (silhouette {silhouette:.2f})"
    if silhouette >= SOME:
        return f"There may be {n_segments} groups of rows (silhouette {silhouette:.2f})"
    return f"The rows form no groups: one cloud (silhouette {silhouette:.2f})"
