"""Retrieval: rankings of documents against judged relevance, as trec_eval computes them.

A judged gain above 0 is relevant. nDCG takes the gain itself over log2(rank + 1) (Järvelin &
Kekäläinen, 2002) against the best ranking of all judged documents; precision@k divides by k, also
when fewer were returned; a document without a judgement is not relevant. Each figure is the mean
over queries, and queries are what is resampled.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from common.evaluation.estimates import EvaluationError
from common.evaluation.inputs import Floats
from common.evaluation.metrics import Metrics, Resampling, mean_measure, measured

DEFAULT_KS = (1, 5, 10)


def retrieval_metrics(
    judged: Mapping[str, Mapping[str, float]],
    rankings: Mapping[str, Sequence[str]],
    *,
    ks: Sequence[int] = DEFAULT_KS,
    groups: ArrayLike | None = None,
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen
) -> Metrics:
    """Measure rankings: MRR, MAP, and recall, precision and nDCG at each of `ks`.

    `judged` holds each query's documents with their gains, `rankings` the documents returned for
    it, best first; a query that returned nothing has an empty ranking.
    """
    _check(judged, rankings, ks)
    rows = [_scores(judged[query], list(rankings[query]), ks) for query in judged]
    measures = {
        name: mean_measure(np.array([row[name] for row in rows], dtype=np.float64))
        for name in rows[0]
    }
    return measured(measures, len(rows), resampling, groups)


def _scores(
    gains: Mapping[str, float], ranking: Sequence[str], ks: Sequence[int]
) -> dict[str, float]:
    """Return one query's scores."""
    gain = np.array([gains.get(document, 0.0) for document in ranking], dtype=np.float64)
    best = np.sort(np.array(list(gains.values()), dtype=np.float64))[::-1]
    hits = gain > 0
    n_relevant = int((best > 0).sum())
    ranks = np.flatnonzero(hits) + 1
    found = {
        "mrr": 1 / float(ranks[0]) if len(ranks) else 0.0,
        "map": float(np.sum(np.arange(1, len(ranks) + 1) / ranks)) / n_relevant,
    }
    for k in ks:
        found[f"recall@{k}"] = float(hits[:k].sum()) / n_relevant
        found[f"precision@{k}"] = float(hits[:k].sum()) / k
        found[f"ndcg@{k}"] = _dcg(gain[:k]) / _dcg(best[:k])
    return found


def _dcg(gains: Floats) -> float:
    return float(np.sum(gains / np.log2(np.arange(2, len(gains) + 2))))


def _check(
    judged: Mapping[str, Mapping[str, float]],
    rankings: Mapping[str, Sequence[str]],
    ks: Sequence[int],
) -> None:
    if len(judged) < 2:
        raise EvaluationError(f"judged has {len(judged)} quer(ies); accepted: two or more")
    if not ks or min(ks) < 1:
        raise EvaluationError(f"ks is {tuple(ks)}; accepted: whole numbers from 1")
    if set(judged) != set(rankings):
        odd = min(set(judged) ^ set(rankings))
        where = "rankings lacks" if odd in judged else "judged lacks"
        raise EvaluationError(f"{where} the query {odd!r}; accepted: the same queries in both")
    for query, gains in judged.items():
        if not all(np.isfinite(gain) and gain >= 0 for gain in gains.values()):
            raise EvaluationError(f"query {query!r} has a gain that is no number from 0 up")
        if not any(gain > 0 for gain in gains.values()):
            raise EvaluationError(
                f"query {query!r} has no relevant document; accepted: one or more (leave it out)"
            )
        if len(set(rankings[query])) != len(rankings[query]):
            raise EvaluationError(f"the ranking of query {query!r} names a document twice")
