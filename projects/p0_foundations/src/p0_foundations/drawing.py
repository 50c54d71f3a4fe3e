"""A Matplotlib figure as SVG that takes its colours from the page it stands in.

A figure is drawn in placeholder colours; here they become CSS, so that one picture reads in light
and in dark. Knows no table.
"""

import html
import io
import re
from collections.abc import Mapping
from threading import Lock

import matplotlib as mpl
from matplotlib.figure import Figure

_settings = Lock()
_RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "roadmap",
    "font.family": "sans-serif",
    "text.parse_math": False,
    "axes.formatter.useoffset": False,
}


def page_svg(figure: Figure, title: str, colours: Mapping[str, str]) -> str:
    """Render to SVG that can stand in a page: no prologue, no ids of groups, the page's colours.

    `title` is what a screen reader says; `colours` maps each placeholder (`#rrggbb`) to its CSS.
    """
    sink = io.StringIO()
    with _settings, mpl.rc_context(_RC):  # the settings are the process's: one drawing at a time
        figure.savefig(sink, format="svg", transparent=True, metadata={"Date": None})
    drawn = sink.getvalue()
    drawn = drawn[drawn.index("<svg") + len("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r'<g id="[^"]*"', "<g", drawn)
    for colour, css in colours.items():
        drawn = drawn.replace(colour, css)
    return f'<svg role="img" aria-label="{html.escape(title, quote=True)}"{drawn}'
