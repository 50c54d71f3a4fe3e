"""Reports of a suite: Markdown for a pull request, HTML for people, JSON for programs, MLflow.

The HTML stands alone (styles inside, no script, light and dark); intervals are drawn with their
gates. Knows nothing of how figures were made.
"""

from html import escape
from importlib.resources import files
from pathlib import Path

from common.evaluation.estimates import Estimate, EvaluationError
from common.evaluation.suites import CaseResult, GateResult, SuiteResult

STYLE = """
body { margin: 0 auto; max-width: 60rem; padding: var(--s-8) var(--s-4); background: var(--ground);
  color: var(--ink); font: 400 0.9375rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.0625rem; margin: var(--s-8) 0 var(--s-2) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: var(--s-2) var(--s-3); border-bottom: 1px solid var(--line) }
th, td { white-space: nowrap } th { color: var(--ink-2); font-weight: 500 }
.number { font-variant-numeric: tabular-nums }
.hint { color: var(--ink-2) } .good { color: var(--good) } .bad { color: var(--bad) }
svg { display: block } .range { stroke: var(--accent); stroke-width: 3; stroke-linecap: round }
.axis { stroke: var(--line) } .point { fill: var(--accent) } .bound { stroke: var(--ink);
  stroke-dasharray: 2 2 }
"""


def to_markdown(result: SuiteResult) -> str:
    """Write the result as a table a case."""
    parts = [f"# {_md(result.suite)}: {_word(result.is_passed)}", ""]
    if result.description:
        parts += [_md(result.description), ""]
    for case in result.cases:
        parts += [f"## {_md(case.name)}: {_case_word(case)}", ""]
        if case.error:
            parts += [_md(case.error), ""]
            continue
        parts += ["| metric | value | interval | n | gate |", "| --- | ---: | --- | ---: | --- |"]
        for name, one in case.estimates.items():
            gates = "; ".join(f"{g.gate}: {_word(g.is_passed)}" for g in _gates_of(case, name))
            parts.append(
                f"| {_md(name)} | {one.value:.4g} | {one.low:.4g} to {one.high:.4g} | {one.n} "
                f"| {_md(gates) or '–'} |"
            )
        parts += ["", *_method_lines(case), ""]
    return "\n".join(parts)


def to_json(result: SuiteResult) -> str:
    """Write everything that was found; `SuiteResult.model_validate_json` reads it back."""
    return result.model_dump_json(indent=2)


def to_html(result: SuiteResult) -> str:
    """Write a page that stands alone."""
    tokens = files("common.web").joinpath("design", "tokens.css").read_text(encoding="utf-8")
    cases = "".join(_case_html(case) for case in result.cases)
    when = result.measured_at.strftime("%Y-%m-%d %H:%M UTC")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(result.suite)}</title><style>{tokens}{STYLE}</style></head><body>"
        f"<h1>{escape(result.suite)}: {_badge(result.is_passed)}</h1>"
        f'<p class="hint">{escape(result.description)} Measured {when}.</p>{cases}</body></html>\n'
    )


def write_report(result: SuiteResult, path: Path) -> None:
    """Write the report that the file's ending asks for: .md, .html or .json."""
    writers = {".md": to_markdown, ".html": to_html, ".json": to_json}
    if path.suffix not in writers:
        raise EvaluationError(f"no report for {path.name!r}; accepted: .md, .html, .json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(writers[path.suffix](result), encoding="utf-8")


def log_to_mlflow(
    result: SuiteResult, data_dir: Path, *, experiment: str = "evaluation"
) -> str | None:
    """Record the figures and their bounds as a run; return its id, None when MLflow is absent."""
    from common.models.tracking import record_run  # noqa: PLC0415 - only when asked

    figures: dict[str, float] = {}
    for case in result.cases:
        for name, one in case.estimates.items():
            key = _mlflow_name(f"{case.name}/{name}")
            figures |= {key: one.value, f"{key}_low": one.low, f"{key}_high": one.high}
    return record_run(
        data_dir,
        experiment=experiment,
        run_name=result.suite,
        params={"n_cases": str(len(result.cases))},
        metrics=figures,
        tags={"is_passed": str(result.is_passed).lower(), "suite": result.suite},
    )


def _case_html(case: CaseResult) -> str:
    head = f"<h2>{escape(case.name)}: {_badge(case.is_passed)}</h2>"
    if case.error:
        return f'{head}<p class="bad">{escape(case.error)}</p>'
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="number">{one.value:.4g}</td>'
        f'<td class="number">{one.low:.4g} to {one.high:.4g}</td>'
        f"<td>{_drawing(one, _gates_of(case, name))}</td><td>{_gates_html(_gates_of(case, name))}"
        "</td></tr>"
        for name, one in case.estimates.items()
    )
    method = escape(" ".join(_method_lines(case)))
    return (
        f'{head}<div class="scroll" tabindex="0" role="region" aria-label="{escape(case.name)}">'
        "<table><thead><tr><th>Metric</th><th>Value</th><th>Interval</th><th>Drawn</th>"
        f'<th>Gate</th></tr></thead><tbody>{rows}</tbody></table></div><p class="hint">{method}</p>'
    )


def _gates_html(gates: list[GateResult]) -> str:
    return "<br>".join(f"{escape(str(g.gate))}: {_badge(g.is_passed)}" for g in gates) or "–"


def _drawing(one: Estimate, gates: list[GateResult], width: int = 160) -> str:
    """Draw the interval, its figure and the bounds of its gates on a scale of their own."""
    bounds = [
        bound for g in gates for bound in (g.gate.at_least, g.gate.at_most) if bound is not None
    ]
    marks = [one.low, one.value, one.high, *bounds]
    start, span = min(marks), (max(marks) - min(marks)) or 1.0

    def x(value: float) -> str:
        return f"{6 + (value - start) / span * (width - 12):.1f}"

    lines = "".join(
        f'<line class="bound" x1="{x(bound)}" x2="{x(bound)}" y1="2" y2="18"/>' for bound in bounds
    )
    return (
        f'<svg width="{width}" height="20" role="img" aria-label="{escape(str(one))}">'
        f'<line class="axis" x1="6" x2="{width - 6}" y1="10" y2="10"/>'
        f'<line class="range" x1="{x(one.low)}" x2="{x(one.high)}" y1="10" y2="10"/>'
        f'{lines}<circle class="point" cx="{x(one.value)}" cy="10" r="4"/></svg>'
    )


def _gates_of(case: CaseResult, metric: str) -> list[GateResult]:
    return [gate for gate in case.gates if gate.gate.metric == metric]


def _method_lines(case: CaseResult) -> list[str]:
    by_method: dict[str, list[str]] = {}
    for name, one in case.estimates.items():
        by_method.setdefault(f"{one.level:.0%} intervals, {one.method}", []).append(name)
    return [f"{method}: {', '.join(names)}." for method, names in by_method.items()]


def _word(is_passed: bool) -> str:
    return "passed" if is_passed else "FAILED"


def _case_word(case: CaseResult) -> str:
    return "COULD NOT BE MEASURED" if case.error else _word(case.is_passed)


def _badge(is_passed: bool) -> str:
    return f'<span class="{"good" if is_passed else "bad"}">{_word(is_passed)}</span>'


def _md(text: str) -> str:
    for character in ("\\", "|", "<", "*", "`"):
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def _mlflow_name(name: str) -> str:
    """Replace what MLflow refuses in a metric's name."""
    return "".join(c if c.isalnum() or c in "_-. /" else "_" for c in name.replace("@", "_at_"))
