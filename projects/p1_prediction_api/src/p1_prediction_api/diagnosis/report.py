"""A diagnosis as one HTML file: verdict first, then what is wrong, then every figure behind it.

Styles and charts are inside, no script, nothing is fetched; reads in light, dark, on a phone and on
paper. Every text of the table is escaped. Read next: `sections.py`, `plots.py`.
"""

import re
from html import escape
from importlib.resources import files

from p1_prediction_api.diagnosis.contracts import Diagnosis, Finding
from p1_prediction_api.diagnosis.sections import Section, sections
from p1_prediction_api.diagnosis.words import METRIC_WORDS

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may do with a report: show it."""
_SEVERITY = {"problem": "Problem", "warning": "Warning", "note": "Note"}
LONG_TEXT = 20
_STYLE = """
*{box-sizing:border-box}html{scroll-behavior:smooth}
body{margin:0 auto;max-width:70rem;padding:var(--s-8) var(--s-6) var(--s-16);color:var(--ink);
background:var(--ground);font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
body>header{border-top:3px solid var(--accent);padding-top:var(--s-4)}
.eyebrow,.soft{color:var(--ink-2)}.eyebrow{margin:0;font-size:13px}
h1{font-size:clamp(1.35rem,1rem + 1.8vw,1.9rem);line-height:1.25;letter-spacing:-.018em;
font-weight:650;margin:var(--s-2) 0 var(--s-6);max-width:52rem;text-wrap:pretty}
h2{font-size:1.2rem;letter-spacing:-.01em;margin:var(--s-12) 0 var(--s-1);scroll-margin-top:1rem}
h2+.soft{margin:0 0 var(--s-4);max-width:46rem}h3{font-size:.95rem;line-height:1.4;margin:0;
font-weight:600;text-wrap:pretty}
dl.strip{display:grid;grid-template-columns:repeat(4,auto);gap:var(--s-3) var(--s-8);margin:0;
justify-content:start}dl.strip dt{font-size:12.5px;color:var(--ink-2)}dl.strip dd{margin:0;
font-size:1.2rem;font-weight:600}dl.strip small{display:block;font-size:12.5px;font-weight:400;
color:var(--ink-2)}
nav{display:flex;flex-wrap:wrap;gap:var(--s-1) var(--s-4);margin-top:var(--s-6);
padding:var(--s-3) 0;border-block:1px solid var(--line);font-size:13.5px}
a{color:var(--accent);text-underline-offset:3px;text-decoration-thickness:1px}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--accent);
outline-offset:2px}
ol.findings{list-style:none;margin:var(--s-4) 0 0;padding:0;display:grid;gap:var(--s-3)}
.finding{background:var(--surface);border:1px solid var(--line);border-radius:var(--r-3);
padding:var(--s-4);display:grid;grid-template-columns:6.5rem 1fr;gap:var(--s-1) var(--s-4)}
.finding h3{font-size:1.02rem}.finding ul{list-style:disc;margin:var(--s-1) 0 0;padding-left:1.1rem;
color:var(--ink-2)}.finding ul,.finding p{font-size:14px}.finding p{margin:var(--s-2) 0 0}
.tag{font-size:12.5px;font-weight:600;align-self:start;justify-self:start;border-radius:var(--r-full);
padding:1px 10px}.problem .tag{color:var(--bad);background:var(--bad-wash)}
.warning .tag{color:var(--warn);background:var(--warn-wash)}
.note .tag{color:var(--ink-2);background:var(--sunken)}.clear .tag{color:var(--good);
background:var(--good-wash)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));
gap:var(--s-4)}.charts:has(>:only-child:not(.wide)){max-width:34rem}
figure{margin:0;background:var(--surface);border:1px solid var(--line);
border-radius:var(--r-3);padding:var(--s-4);min-width:0;display:flex;flex-direction:column}
figure.wide{grid-column:1/-1}figcaption p{margin:var(--s-1) 0 0;font-size:13.5px;color:var(--ink-2)}
figure svg{display:block;width:100%;height:auto;margin-top:var(--s-3)}
figure svg text{font-family:system-ui,-apple-system,"Segoe UI",sans-serif!important}
details{margin-top:auto;padding-top:var(--s-2);font-size:13px}summary{color:var(--ink-2);
cursor:pointer;width:fit-content;border-radius:var(--r-1)}
.scroll{overflow-x:auto;margin-top:var(--s-2);background:
linear-gradient(90deg,var(--surface),transparent) 0 0/2rem 100% no-repeat local,
linear-gradient(-90deg,var(--surface),transparent) 100% 0/2rem 100% no-repeat local,
linear-gradient(90deg,var(--line),transparent) 0 0/.6rem 100% no-repeat scroll,
linear-gradient(-90deg,var(--line),transparent) 100% 0/.6rem 100% no-repeat scroll}
table{border-collapse:collapse;width:100%;
font-size:13px;overflow-wrap:normal}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:500;color:var(--ink-2)}td.n,th.n{text-align:right;white-space:nowrap}
tr:last-child td{border-bottom:0}td.t{min-width:10rem}
.skipped{color:var(--ink-2);font-size:14px;padding-left:1.1rem}
@media(max-width:40rem){body{padding:var(--s-4) var(--s-4) var(--s-12)}
dl.strip{grid-template-columns:1fr 1fr}.finding{grid-template-columns:1fr}
.charts{grid-template-columns:1fr}figure{padding:var(--s-3)}}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{figure,.finding{break-inside:avoid}nav{display:none}}
"""


def render_html(diagnosis: Diagnosis) -> str:
    """Return the whole page."""
    title = f"Diagnosis: {diagnosis.target} by {diagnosis.model}"
    shown = list(sections(diagnosis))
    body = (
        f"{_header(diagnosis)}<nav aria-label=Contents>{_links(shown)}</nav><main>"
        f"{_findings(diagnosis.findings)}{''.join(_section(one) for one in shown)}"
        f"{_skipped(diagnosis)}</main>{_footer(diagnosis)}"
    )
    return (
        '<!doctype html><html lang="en" data-phase="1"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_tokens()}{_STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _tokens() -> str:
    """Return the design system's values, without its comments."""
    text = files("common.web").joinpath("design", "tokens.css").read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _header(d: Diagnosis) -> str:
    fit, metric = d.fit, METRIC_WORDS[d.fit.metric]
    held_out = fit.held_out
    figures = (
        (f"{metric}, held out", held_out.value, f"{held_out.low:.2f} to {held_out.high:.2f}"),
        (
            "Cross-validated",
            fit.cross_validated,
            f"± {fit.standard_error:.2f}, {fit.n_folds} folds",
        ),
        ("On rows it learned from", fit.train, f"{d.n_train:,} rows"),
        ("Guessing", fit.no_skill, "ignores every column"),
    )
    strip = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{value:.2f}<small>{escape(more)}</small></dd></div>"
        for name, value, more in figures
    )
    return (
        f"<header><p class=eyebrow>Diagnosis of {escape(d.model)}, which predicts "
        f"{escape(d.target)}</p><h1>{escape(d.verdict)}</h1><dl class=strip>{strip}</dl></header>"
    )


def _links(shown: list[Section]) -> str:
    first = "<a href='#findings'>What to do</a>"
    return first + "".join(f"<a href='#{one.slug}'>{escape(one.title)}</a>" for one in shown)


def _findings(found: tuple[Finding, ...]) -> str:
    items = "".join(_finding(one) for one in found) or (
        "<li class='finding clear'><span class=tag>Clear</span><div>"
        "<h3>No check that was made found a fault</h3>"
        "<p class=soft>Leakage, repeats, shift, noise, size, bias, variance and weak slices are "
        "looked for as far as time allows; the figures below are what this rests on.</p>"
        "</div></li>"
    )
    return f"<h2 id=findings>What to do</h2><ol class=findings>{items}</ol>"


def _finding(one: Finding) -> str:
    evidence = "".join(f"<li>{escape(text)}</li>" for text in one.evidence)
    return (
        f"<li class='finding {one.severity}' id='finding-{one.slug}'><span class=tag>"
        f"{_SEVERITY[one.severity]}</span><div><h3>{escape(one.headline)}</h3><ul>{evidence}</ul>"
        f"<p><strong>Next:</strong> {escape(one.next_step)}</p></div></li>"
    )


def _section(one: Section) -> str:
    charts = "".join(
        f"<figure{' class=wide' if chart.is_wide else ''}><figcaption>"
        f"<h3>{escape(chart.title)}</h3>"
        f"{f'<p>{escape(chart.note)}</p>' if chart.note else ''}</figcaption>"
        f"{f'<div class=picture>{chart.svg}</div>' if chart.svg else ''}"
        f"{_table(chart.title, chart.head, chart.rows, is_open=not chart.svg)}</figure>"
        for chart in one.charts
    )
    return (
        f"<section><h2 id={one.slug}>{escape(one.title)}</h2><p class=soft>{escape(one.lead)}</p>"
        f"<div class=charts>{charts}</div></section>"
    )


def _table(
    title: str, head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], *, is_open: bool
) -> str:
    if not rows:
        return ""
    is_number = [
        all(row[k][:1] in "0123456789-+±" for row in rows if row[k]) for k in range(len(head))
    ]
    is_text = [any(len(row[k]) > LONG_TEXT for row in rows) for k in range(len(head))]
    kinds = [
        " class=n" if number else " class=t" if text else ""
        for number, text in zip(is_number, is_text, strict=True)
    ]
    top = "".join(
        f"<th scope=col{kind}>{escape(name)}</th>" for name, kind in zip(head, kinds, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(v)}</td>" for v, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows
    )
    table = (
        f'<div class=scroll tabindex=0 role=region aria-label="{escape(title, quote=True)}">'
        f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return table if is_open else f"<details><summary>As a table</summary>{table}</details>"


def _skipped(d: Diagnosis) -> str:
    if not d.skipped:
        return ""
    items = "".join(f"<li>{escape(one.what)}: {escape(one.why)}</li>" for one in d.skipped)
    return f"<h2>What was not done in full</h2><ul class=skipped>{items}</ul>"


def _footer(d: Diagnosis) -> str:
    return (
        f"<footer class=soft><p>{d.n_train:,} rows to learn from, {d.n_test:,} held out "
        f"({escape(d.split)}). Seed {d.seed}, {d.seconds:.0f} s. Rows are numbered from 0 among "
        f"those whose {escape(d.target)} is known. Intervals are 95 %.</p></footer>"
    )
