"""From outcomes to figures with intervals: retrieval, answers, refusals, citations, grounds, cost.

A figure is left out where a set says nothing about it (no judgements, no answers, no unanswerable
question). Formulas and intervals are those of `common.evaluation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from common.evaluation import Estimate, answer_metrics, mean_interval, retrieval_metrics
from common.evaluation.intervals import wilson_interval

from p3_rag_chatbot.evaluating.running import Outcome

RETRIEVAL = ("recall@1", "recall@5", "recall@10", "ndcg@10", "mrr")
Figures = dict[str, Estimate]


@dataclass(frozen=True)
class Prices:
    """Of a model that is paid for, in dollars a million tokens."""

    prompt: float = 0.0
    completion: float = 0.0


@dataclass(frozen=True)
class Grounds:
    """Of an answer's sentences, how many were checked and how many a retrieved passage supports."""

    n_checked: int
    n_supported: int


def figures(
    outcomes: Sequence[Outcome], grounds: Sequence[Grounds], prices: Prices = Prices()
) -> Figures:
    """Measure all that can be; `grounds` are the outcomes' own, in their order."""
    whole = [one for one in outcomes if not one.error]
    found = _retrieval(whole) | _answers(whole) | _refusals(whole) | _citations(whole)
    return found | _grounded(grounds) | _spent(whole, prices) | _failed(outcomes)


def _retrieval(outcomes: Sequence[Outcome]) -> Figures:
    judged = [one for one in outcomes if one.asked.relevant and one.passages]
    if len(judged) < 2:
        return {}
    rankings = {
        one.asked.id: list(dict.fromkeys(passage.source for passage in one.passages))
        for one in judged
    }
    relevant: Mapping[str, Mapping[str, float]] = {
        one.asked.id: one.asked.relevant for one in judged
    }
    found = retrieval_metrics(relevant, rankings, ks=(1, 5, 10))
    return {name: found[name] for name in RETRIEVAL}


def _answers(outcomes: Sequence[Outcome]) -> Figures:
    known = [one for one in outcomes if one.asked.has_answers]
    if len(known) < 2:
        return {}
    found = dict(
        answer_metrics(
            [one.answer for one in known], [one.asked.accepted for one in known]
        ).estimates
    )
    answerable = [one for one in known if one.asked.is_answerable]
    if 2 <= len(answerable) < len(known):
        accepted = [one.asked.accepted for one in answerable]
        only = answer_metrics([one.answer for one in answerable], accepted)
        found["f1_answerable"] = only["f1"]
    return found


def _refusals(outcomes: Sequence[Outcome]) -> Figures:
    """Precision: of what was refused, what is not to be answered; recall the other way round."""
    known = [one for one in outcomes if one.asked.has_answers]
    refused = [one for one in known if one.is_refused]
    unanswerable = [one for one in known if not one.asked.is_answerable]
    right = sum(not one.asked.is_answerable for one in refused)
    found: Figures = {}
    if unanswerable:
        found["refusal_recall"] = wilson_interval(right, len(unanswerable))
        if refused:
            found["refusal_precision"] = wilson_interval(right, len(refused))
    return found


def _citations(outcomes: Sequence[Outcome]) -> Figures:
    """Precision: of citations, those of a relevant document; recall: questions that have one."""
    judged = [one for one in outcomes if one.asked.relevant and one.about is not None]
    answered = [one for one in judged if not one.is_refused]
    right = [
        [citation.source in one.asked.relevant for citation in one.about.citations]
        for one in answered
        if one.about is not None
    ]
    n_cited = sum(map(len, right))
    found: Figures = {}
    if n_cited:
        found["citation_precision"] = wilson_interval(sum(map(sum, right)), n_cited)
        found["citation_recall"] = wilson_interval(sum(map(any, right)), len(judged))
    return found


def _grounded(grounds: Sequence[Grounds]) -> Figures:
    """Share of checked sentences that are supported; answers are what is resampled."""
    checked = [one for one in grounds if one.n_checked]
    if len(checked) < 2:
        return {}
    shares = [one.n_supported / one.n_checked for one in checked]
    return {"groundedness": mean_interval(shares)}


def _spent(outcomes: Sequence[Outcome], prices: Prices) -> Figures:
    if len(outcomes) < 2:
        return {}
    seconds = np.array([one.latency_s for one in outcomes])
    found = {"latency_ms": mean_interval(seconds * 1e3)}
    used = [one.usage for one in outcomes if one.usage is not None]
    if len(used) > 1 and (prices.prompt or prices.completion):
        cost = [
            (one.prompt_tokens * prices.prompt + one.completion_tokens * prices.completion) / 1e6
            for one in used
        ]
        found["cost_usd"] = mean_interval(cost)
    return found


def _failed(outcomes: Sequence[Outcome]) -> Figures:
    n_failed = sum(bool(one.error) for one in outcomes)
    return {"failed": wilson_interval(n_failed, len(outcomes))} if n_failed else {}


def percentiles(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the median and the 95th percentile of the time a question took, in milliseconds."""
    if not outcomes:
        return {}
    middle, high = np.percentile([one.latency_s * 1e3 for one in outcomes], (50, 95))
    return {"latency_p50_ms": float(middle), "latency_p95_ms": float(high)}
