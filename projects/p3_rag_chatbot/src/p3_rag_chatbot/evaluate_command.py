"""The work behind `p3-rag-chatbot evaluate`: a question set through one or more depths, in figures.

Each configuration is a case of a suite of `common.evaluation`: its gates, reports and MLflow runs
are the house's own. Two configurations are compared on the same questions.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import anyio
import typer
from common.evaluation import (
    Estimate,
    EvaluationError,
    Gate,
    SuiteResult,
    log_to_mlflow,
    to_markdown,
    write_report,
)
from common.evaluation.answers import token_f1
from common.evaluation.comparison import compare_scores
from common.evaluation.suites import CaseResult
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from p3_rag_chatbot.contracts import Depth, RagOptions
from p3_rag_chatbot.evaluating.figures import Figures, Prices, figures, percentiles
from p3_rag_chatbot.evaluating.fitting import fit_trust, marks_of
from p3_rag_chatbot.evaluating.grounding import grounds_of
from p3_rag_chatbot.evaluating.indexing import indexed
from p3_rag_chatbot.evaluating.question_sets import QuestionSet, open_questions
from p3_rag_chatbot.evaluating.running import Configuration, Outcome, ask_all
from p3_rag_chatbot.reading.reader import TRUST_FILE
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.workshop import Workshop

LOWER_IS_BETTER = frozenset({"latency_ms", "cost_usd", "failed"})


@dataclass(frozen=True)
class Order:
    """What a person asked to be measured."""

    path: Path
    depths: tuple[Depth, ...]
    collection: str | None = None
    n: int = 200
    k: int | None = None
    gates: tuple[Gate, ...] = ()
    report: Path | None = None
    is_fitting: bool = False
    prices: Prices = field(default_factory=Prices)
    seed: int = 0


def parse_depths(text: str) -> tuple[Depth, ...]:
    """Read depths by comma; raises `EvaluationError`."""
    known: dict[str, Depth] = {one: one for one in get_args(Depth)}
    named = [one.strip() for one in text.split(",") if one.strip()]
    for one in named or [text]:
        if one not in known:
            raise EvaluationError(f"--depths {one!r}; accepted: {', '.join(known)}, by comma")
    return tuple(known[one] for one in dict.fromkeys(named))


def parse_gate(text: str) -> Gate:
    """Read `f1>=0.6` or `latency_ms<=300`; raises `EvaluationError`."""
    for sign, name in ((">=", "at_least"), ("<=", "at_most")):
        metric, found, bound = text.partition(sign)
        if found:
            try:
                return Gate.model_validate({"metric": metric.strip(), name: float(bound)})
            except ValueError as error:
                raise EvaluationError(f"--gate {text!r}: {bound!r} is no number") from error
    raise EvaluationError(f"--gate {text!r}; accepted: such as f1>=0.6 or latency_ms<=300")


def carry_out(order: Order, settings: Settings) -> int:
    """Measure, print, report; returns 0, 1 where a gate failed, 2 where one was not measured."""
    questions = open_questions(order.path).sample(order.n, order.seed)
    with Workshop.open(settings) as workshop, _bar() as bar:
        collection = order.collection or settings.collection
        if questions.documents:
            collection = _index(questions, workshop, bar)
        measured = {
            depth: _measure(depth, order, questions, collection, workshop, bar)
            for depth in order.depths
        }
        if order.is_fitting:
            _fit(questions, collection, workshop, bar)
    result = _result(order, questions, {depth: one[1] for depth, one in measured.items()})
    typer.echo(to_markdown(result))
    for line in _comparisons(measured):
        typer.echo(line)
    if order.report is not None:
        write_report(result, order.report)
    log_to_mlflow(result, settings.data_dir, experiment="p3-evaluation")
    return result.exit_code


def _index(questions: QuestionSet, workshop: Workshop, bar: Progress) -> str:
    task = bar.add_task("documents", total=len(questions.documents))
    return indexed(
        questions, workshop.library, workshop.models.embedder,
        max_tokens=workshop.settings.chunk_tokens,
        told=lambda done, _: bar.update(task, completed=done),
    )  # fmt: skip


def _measure(
    depth: Depth,
    order: Order,
    questions: QuestionSet,
    collection: str,
    workshop: Workshop,
    bar: Progress,
) -> tuple[list[Outcome], Figures]:
    configuration = Configuration(depth, RagOptions(collection=collection, depth=depth, k=order.k))
    task = bar.add_task(depth, total=len(questions.questions))

    async def ask() -> list[Outcome]:
        async with workshop.answering(needs_generator=depth != "extract") as rag:
            return await ask_all(
                rag, questions.questions, configuration,
                told=lambda n: bar.update(task, completed=n),
            )  # fmt: skip

    outcomes = anyio.run(ask)
    reader, threshold = workshop.models.reader, workshop.settings.support_threshold
    grounds = [grounds_of(one, collection, workshop, reader, threshold) for one in outcomes]
    return outcomes, figures(outcomes, grounds, order.prices)


def _fit(questions: QuestionSet, collection: str, workshop: Workshop, bar: Progress) -> None:
    """Weigh the reader's and the search's marks anew, for this data directory."""
    task = bar.add_task("fitting", total=len(questions.questions))
    marks = marks_of(
        questions.questions, collection, workshop, workshop.models.reader,
        lambda n: bar.update(task, completed=n),
    )  # fmt: skip
    known = [one.is_answerable for one in questions.questions if one.has_answers]
    found = fit_trust(marks, known)
    path = workshop.settings.data_dir / TRUST_FILE
    path.write_text(found.trust.model_dump_json(indent=2) + "\n", encoding="utf-8")
    typer.echo(
        f"weights are in {path}; held out, F1 {found.f1:.3f} at "
        f"P3_ANSWER_THRESHOLD={found.threshold:.2f}"
    )


def _result(order: Order, questions: QuestionSet, found: dict[Depth, Figures]) -> SuiteResult:
    return SuiteResult(
        suite=questions.name,
        description=f"{len(questions.questions)} questions",
        measured_at=datetime.now(UTC),
        cases=tuple(_case(depth, one, order.gates) for depth, one in found.items()),
    )


def _case(name: str, found: dict[str, Estimate], gates: Sequence[Gate]) -> CaseResult:
    if missing := [gate.metric for gate in gates if gate.metric not in found]:
        measured = ", ".join(found)
        return CaseResult(name=name, error=f"{missing[0]} was not measured; measured: {measured}")
    return CaseResult(
        name=name,
        n=max((one.n for one in found.values()), default=0),
        estimates=found,
        directions={one: "lower" if one in LOWER_IS_BETTER else "higher" for one in found},
        gates=tuple(gate.check(found[gate.metric]) for gate in gates),
    )


def _comparisons(measured: dict[Depth, tuple[list[Outcome], Figures]]) -> list[str]:
    """Compare each further depth with the first, by the F1 of the questions that have answers."""
    names = list(measured)
    lines = [
        f"{depth}: p50 {told['latency_p50_ms']:,.0f} ms, p95 {told['latency_p95_ms']:,.0f} ms"
        for depth, (outcomes, _) in measured.items()
        if (told := percentiles(outcomes))
    ]
    for other in names[1:]:
        first, second = (_f1_scores(measured[name][0]) for name in (names[0], other))
        if len(first) > 1:
            compared = compare_scores(first, second, metric="f1", names=(names[0], other))
            lines.append(f"f1, {other} against {names[0]}: {compared.verdict}")
    return lines


def _f1_scores(outcomes: Sequence[Outcome]) -> list[float]:
    return [token_f1(one.answer, one.asked.accepted) for one in outcomes if one.asked.has_answers]


@contextmanager
def _bar() -> Generator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield bar
