"""A profile or a drift report as one HTML file: verdict first, then why, then every column.

Styles and pictures are inside, no script, nothing is fetched; reads in light, dark and on paper.
Every text of the table is escaped. Read next: `plots.py`.
"""

from html import escape

from p0_foundations.contracts import ColumnDrift, ColumnProfile, DriftReport, Kind, Profile
from p0_foundations.plots import (
    distribution_svg,
    gaps_svg,
    heatmap_svg,
    missing_together_svg,
    shortened,
)
from p0_foundations.report_figures import all_facts, figure, making_facts, table_facts

MAX_PLOTS = 80
MAX_PREDICTORS = 15
MAX_PAIRS = 12
TOGETHER = 0.3

_STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#1c2027,#e9ebf0);--soft:light-dark(#535a67,#a9b0bc);
--line:light-dark(#dfe2e8,#323843);--page:light-dark(#fbfbfc,#12151a);--card:light-dark(#fff,#191d23);
--accent:light-dark(#2f6db5,#7db4f0);--against:light-dark(#b5442f,#f0907a);
--problem:light-dark(#b3261e,#ff9a90);
--warning:light-dark(#855300,#f0b955);--note:light-dark(#535a67,#a9b0bc)}
*{box-sizing:border-box}
body{font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;margin:0 auto;
max-width:74rem;padding:2.5rem 1.25rem 4rem;color:var(--ink);background:var(--page);
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
header p{color:var(--soft);margin:0}h1{font-size:1.55rem;line-height:1.3;letter-spacing:-.015em;
margin:.35rem 0 .75rem;text-wrap:balance}h2{font-size:1.05rem;margin:2.5rem 0 .75rem}
h3{font-size:.95rem;margin:0}.small{color:var(--soft);font-size:.85rem}
ul.findings{list-style:none;padding:0;margin:0;border-bottom:1px solid var(--line)}
ul.findings li{display:grid;grid-template-columns:6rem 1fr;gap:.75rem;padding:.5rem 0;
border-top:1px solid var(--line)}.severity{font-size:.82rem;font-weight:600}
.problem,.strong{color:var(--problem)}.warning,.moderate{color:var(--warning)}
.note,.slight,.none{color:var(--note)}
.columns{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:1rem}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:1rem;min-width:0}
article header{display:flex;justify-content:space-between;gap:.75rem;align-items:baseline}
dl{display:grid;grid-template-columns:fit-content(9.5rem) minmax(0,1fr);
gap:.1rem .9rem;margin:.6rem 0 0;font-size:.85rem}
dt{color:var(--soft)}dd{margin:0;text-align:right}
dl.facts{grid-template-columns:max-content minmax(0,1fr);max-width:44rem}
dl.facts dd{text-align:left}
details{margin-top:.6rem;font-size:.85rem}summary{color:var(--accent);cursor:pointer}
footer{margin-top:2.5rem;border-top:1px solid var(--line)}
svg{display:block;max-width:100%;height:auto;
margin-top:.6rem;color:var(--soft)}.wide{overflow-x:auto}.wide svg{max-width:none}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .9rem .4rem 0;
border-bottom:1px solid var(--line);vertical-align:top}th{font-size:.82rem;color:var(--soft);
font-weight:500}.rows{white-space:nowrap;overflow-wrap:normal}.num{text-align:right;white-space:nowrap}
.bar{display:inline-block;height:.6rem;background:var(--accent);border-radius:0 2px 2px 0}
@media(max-width:34rem){ul.findings li{grid-template-columns:1fr;gap:0}}
@media print{article{break-inside:avoid}}
"""
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may do with a report: show it."""


def profile_html(profile: Profile, *, title: str = "Table profile") -> str:
    """Return the whole page."""
    cards = "".join(_card(c, is_plotted=k < MAX_PLOTS) for k, c in enumerate(profile.columns))
    body = (
        f"{_header(title, profile.verdict)}{_pairs(table_facts(profile), 'facts')}"
        f"{_findings(profile)}{_predictors(profile)}"
        f"{_relations(profile)}{_missing(profile)}<h2>Columns</h2>"
        f"<div class=columns>{cards}</div>{_rows(profile)}"
        f"<footer>{_pairs(making_facts(profile), 'facts')}</footer>"
    )
    return _page(title, body)


def drift_html(report: DriftReport, *, title: str = "Table drift") -> str:
    """Return a drift report as a page: the verdict, then a row a column."""
    rows = "".join(_drift_row(column) for column in report.columns)
    head = "<tr><th>Column<th>Drift<th>What moved<th class=num>PSI<th class=num>Adjusted p</tr>"
    body = (
        f"{_header(title, report.verdict)}"
        f"<p class=small>{report.n_before:,} rows before, {report.n_after:,} after. "
        f"{report.n_tests} tests, corrected together by Benjamini–Hochberg; the chance of any "
        f"alarm without a change is {report.alpha:.0%}. Moderate and strong are also large.</p>"
        f"<div class=wide><table>{head}{rows}</table></div>"
    )
    return _page(title, body)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )


def _header(title: str, verdict: str) -> str:
    return f"<header><p>{escape(title)}</p><h1>{escape(verdict)}</h1></header>"


def _findings(profile: Profile) -> str:
    items = "".join(
        f'<li><span class="severity {one.severity}">{one.severity.capitalize()}</span>'
        f"<span>{escape(one.message)}</span></li>"
        for one in profile.findings
    )
    return f"<h2>What to look at</h2><ul class=findings>{items}</ul>" if items else ""


def _predictors(profile: Profile) -> str:
    if not profile.predictors:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one.column)}"
        f"{' <span class=problem>may leak</span>' if one.is_suspect else ''}"
        f"<td style='width:45%'><span class=bar style='width:{one.power:.1%}'></span>"
        f"<td class=num>{one.power:.2f}</tr>"
        for one in profile.predictors[:MAX_PREDICTORS]
    )
    measure = {"gini": "Gini (2 AUC - 1)", "brier_skill": "Brier skill", "r2": "R²"}
    return (
        f"<h2>What each column alone tells of {escape(profile.target or '')}</h2>"
        f"<p class=small>{measure[profile.predictors[0].measure]}, out of fold{_sampled(profile)}."
        f"</p><table>{rows}</table>"
    )


def _sampled(profile: Profile) -> str:
    return f", on a sample of {profile.n_sampled:,} rows" if profile.n_sampled else ""


def _relations(profile: Profile) -> str:
    pairs = [one for one in profile.associations if one.measure != "pearson"][:MAX_PAIRS]
    if not pairs:
        return ""
    names = {"cramers_v": "Cramér's V", "correlation_ratio": "correlation ratio"}
    rows = "".join(
        f"<tr><td>{escape(one.a)}<td>{escape(one.b)}<td>{names.get(one.measure, 'Spearman')}"
        f"<td class=num>{one.value:.2f}</tr>"
        for one in pairs
    )
    return (
        f"<h2>What goes together</h2><p class=small>The strongest pairs{_sampled(profile)}.</p>"
        f"<div class=wide><table>{rows}</table></div>{heatmap_svg(profile.associations)}"
    )


def _missing(profile: Profile) -> str:
    """Show where cells are missing, and which columns miss the same rows."""
    if profile.gaps is None:
        return ""
    pairs = [one for one in profile.gaps.pairs if abs(one.value) >= TOGETHER][:MAX_PAIRS]
    rows = "".join(
        f"<tr><td>{escape(one.a)}<td>{escape(one.b)}<td class=num>{one.value:+.2f}</tr>"
        for one in pairs
    )
    told = "Columns that miss the same rows (+1) or never the same (-1), by phi"
    together = f"<p class=small>{told}.</p><div class=wide><table>{rows}</table></div>"
    return (
        "<h2>Where cells are missing</h2><p class=small>Each strip is a column, its rows from top "
        f"to bottom; the fuller, the more is missing.</p><div class=wide>{gaps_svg(profile.gaps)}"
        f"</div>{together if rows else ''}{missing_together_svg(profile.gaps)}"
    )


def _card(column: ColumnProfile, *, is_plotted: bool) -> str:
    plot = distribution_svg(column) if is_plotted else ""
    return (
        f"<article><header><h3>{escape(column.name)}</h3><span class=small>{column.kind.value}"
        f"</span></header>{plot}{_pairs(_facts(column))}"
        f"<details><summary>All figures</summary>{_pairs(all_facts(column))}</details></article>"
    )


def _rows(profile: Profile) -> str:
    """Show the rows that were asked for."""
    if profile.sample is None:
        return ""
    head = "".join(f"<th>{escape(column.name)}" for column in profile.columns)
    parts = {
        "First rows": profile.sample.first,
        "Last rows": profile.sample.last,
        "Rows that repeat an earlier one": profile.sample.repeated,
    }
    tables = []
    for title, rows in parts.items():
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(shortened(cell, 40))}' for cell in row)}</tr>"
            for row in rows
        )
        if body:
            tables.append(
                f"<h2>{title}</h2><div class='wide rows'><table><tr>{head}</tr>{body}</table></div>"
            )
    return "".join(tables)


def _pairs(facts: list[tuple[str, str]], style: str = "") -> str:
    items = "".join(f"<dt>{escape(name)}<dd>{escape(value)}</dd>" for name, value in facts)
    return f'<dl class="{style}">{items}</dl>' if items else ""


def _facts(column: ColumnProfile) -> list[tuple[str, str]]:
    """List what a column's card says."""
    facts = [("distinct", f"{column.n_unique:,}")]
    if column.n_missing:
        facts.append(("missing", f"{column.n_missing:,} ({column.missing_share:.1%})"))
    if column.kind is Kind.DATETIME:
        facts += [("from", column.first[:19]), ("to", column.last[:19])]
    elif column.number is not None and column.kind in {Kind.NUMBER, Kind.CODE, Kind.ID}:
        n = column.number
        quartiles = figure(n.median, 4), f"({figure(n.q1, 4)} to {figure(n.q3, 4)})"
        facts.append(("mean ± sd", f"{figure(n.mean, 4)} ± {figure(n.std, 3)}"))
        facts.append(("median (quartiles)", " ".join(quartiles)))
        facts.append(("range", f"{figure(n.minimum, 4)} to {figure(n.maximum, 4)}"))
    elif column.number is not None and column.kind is Kind.TEXT:
        facts.append(("median length", f"{column.number.median:.0f} characters"))
    if column.missing_spellings:
        spelled = ", ".join(repr(one.value) for one in column.missing_spellings)
        facts.append(("spelled missing", shortened(spelled, 30)))
    return facts


def _drift_row(column: ColumnDrift) -> str:
    psi = "" if column.psi is None else f"{column.psi:.3f}"
    p = "" if column.p_adjusted is None else f"{column.p_adjusted:.2g}"
    return (
        f"<tr><td>{escape(column.column)}<td class={column.severity}>{column.severity}"
        f"<td>{escape(column.message)}<td class=num>{psi}<td class=num>{p}</tr>"
    )
