"""A profile as one HTML page: verdict first, then what to look at, then each column with its plot.

Self-contained: styles inside, plots as SVG by Matplotlib, readable in light and dark. Draws on a
`Figure` of its own, so that several reports may be made at once.
"""

import html
import io
from collections.abc import Iterable

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from p0_foundations.contracts import Association, ColumnProfile, DriftReport, Kind, Profile

MAX_PLOTS = 60
MAX_HEATMAP = 24
INK = "#808691"
FILL = "#4c7fd9"

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f27;--soft:#5b6270;--line:#d9dde5;--page:#fff;
--card:#f7f8fa;--problem:#b3261e;--warning:#8a5a00;--note:#2b5fb0}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#a3a9b6;--line:#343a46;--page:#14171d;
--card:#1c2028;--problem:#ff8a80;--warning:#ffc14d;--note:#8db8ff}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:72rem;
margin:0 auto;padding:2rem 1rem;font-variant-numeric:tabular-nums}
h1{font-size:1.4rem;margin:0 0 .25rem}.verdict{font-size:1.15rem;margin:.5rem 0 1.5rem}
ul.findings{list-style:none;padding:0}
ul.findings li{padding:.35rem 0;border-top:1px solid var(--line)}
.problem{color:var(--problem)}.warning{color:var(--warning)}.note{color:var(--note)}
.columns{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}
article{background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:1rem;min-width:0}
article h3{margin:0;overflow-wrap:anywhere}article p{margin:.15rem 0;color:var(--soft)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.15rem .5rem .15rem 0}
td:last-child,th:last-child{text-align:right}svg{max-width:100%;height:auto}
"""


def profile_html(profile: Profile) -> str:
    """Return the whole page."""
    sampled = (
        f"<p>Relations were computed on a sample of {profile.n_sampled:,} rows.</p>"
        if profile.n_sampled
        else ""
    )
    plotted = {column.name for column in profile.columns[:MAX_PLOTS]}
    cards = "".join(_card(column, column.name in plotted) for column in profile.columns)
    body = (
        f"<h1>Table profile</h1><p class=verdict>{html.escape(profile.verdict)}</p>{sampled}"
        f"{_findings(profile)}{_predictors(profile)}{_heatmap(profile)}"
        f"<h2>Columns</h2><div class=columns>{cards}</div>"
    )
    return _page("Table profile", body)


def drift_html(report: DriftReport) -> str:
    """Return a drift report as a page: the verdict, then a row a column."""
    rows = "".join(
        f"<tr><td>{html.escape(one.column)}</td><td>{one.severity}</td>"
        f"<td>{html.escape(one.message) or 'no change shown'}</td>"
        f"<td>{'' if one.psi is None else f'{one.psi:.3f}'}</td></tr>"
        for one in report.columns
    )
    body = (
        f"<h1>Drift</h1><p class=verdict>{html.escape(report.verdict)}</p>"
        f"<p>{report.n_before:,} rows before, {report.n_after:,} after.</p>"
        f"<table><tr><th>column<th>drift<th>what moved<th>PSI</tr>{rows}</table>"
    )
    return _page("Drift", body)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def _findings(profile: Profile) -> str:
    items = "".join(
        f"<li><strong class={one.severity}>{one.severity}</strong> {html.escape(one.message)}</li>"
        for one in profile.findings
    )
    return f"<h2>What to look at</h2><ul class=findings>{items}</ul>" if items else ""


def _predictors(profile: Profile) -> str:
    if not profile.predictors:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(one.column)}{' (suspect)' if one.is_suspect else ''}</td>"
        f"<td>{one.power:.3f}</td></tr>"
        for one in profile.predictors[:15]
    )
    measure = profile.predictors[0].measure
    return (
        f"<h2>What each column alone tells of {html.escape(profile.target or '')}</h2>"
        f"<table><tr><th>column<th>{measure}</tr>{rows}</table>"
    )


def _card(column: ColumnProfile, is_plotted: bool) -> str:
    facts = [
        f"{column.kind.value}, stored as {html.escape(column.stored_as)}",
        f"{column.n_unique:,} distinct, {column.missing_share:.1%} missing",
    ]
    if column.number is not None:
        stats = column.number
        facts.append(f"mean {stats.mean:.4g}, standard deviation {stats.std:.4g}")
        facts.append(f"{stats.minimum:.4g} to {stats.maximum:.4g}")
    if column.kind is Kind.DATETIME:
        facts.append(f"{column.first} to {column.last}")
    lines = "".join(f"<p>{fact}</p>" for fact in facts)
    return (
        f"<article><h3>{html.escape(column.name)}</h3>{lines}"
        f"{_distribution(column) if is_plotted else ''}</article>"
    )


def _distribution(column: ColumnProfile) -> str:
    figure = Figure(figsize=(3.2, 1.4), layout="constrained")
    axes = figure.subplots()
    if column.number is not None and column.kind is not Kind.CONSTANT:
        histogram = column.number.histogram
        if len(histogram.edges) < 2:
            return ""
        axes.stairs(histogram.counts, histogram.edges, fill=True, color=FILL)
        axes.set_yticks([])
    elif column.kind in {Kind.CATEGORY, Kind.BOOLEAN}:
        top = column.top[:6][::-1]
        axes.barh([_short(one.value) for one in top], [one.n for one in top], color=FILL)
    else:
        return ""
    axes.tick_params(colors=INK, labelsize=7)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(INK)
    return _svg(figure, f"Distribution of {column.name}")


def _short(text: str) -> str:
    plain = text.replace("$", r"\$")
    return plain if len(plain) <= 18 else plain[:17] + "…"


def _heatmap(profile: Profile) -> str:
    pairs = [one for one in profile.associations if one.measure == "pearson"]
    names = list(dict.fromkeys(name for one in pairs for name in (one.a, one.b)))[:MAX_HEATMAP]
    if len(names) < 3:
        return ""
    size = max(4.0, 0.3 * len(names) + 1.5)
    figure = Figure(figsize=(size, size * 0.85), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(_matrix(pairs, names), cmap="RdBu_r", vmin=-1, vmax=1)
    labels = [_short(name) for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=90)
    axes.set_yticks(range(len(names)), labels)
    axes.tick_params(colors=INK, labelsize=7, length=0)
    bar = figure.colorbar(image, shrink=0.6)
    bar.ax.tick_params(colors=INK, labelsize=7)
    drawn = _svg(figure, "Correlation of each pair of numbers")
    return f"<h2>Which numbers move together</h2>{drawn}"


def _matrix(pairs: Iterable[Association], names: list[str]) -> np.ndarray[tuple[int, ...]]:
    at = {name: k for k, name in enumerate(names)}
    matrix = np.eye(len(names))
    for one in pairs:
        if one.a in at and one.b in at:
            matrix[at[one.a], at[one.b]] = matrix[at[one.b], at[one.a]] = one.value
    return matrix


def _svg(figure: Figure, title: str) -> str:
    sink = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "p0"}):
        figure.savefig(sink, format="svg", transparent=True, metadata={"Date": None})
    drawn = sink.getvalue()
    tag = f'<svg role="img" aria-label="{html.escape(title, quote=True)}" '
    return tag + drawn[drawn.index("<svg") + 5 :]
