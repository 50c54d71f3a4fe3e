"""The picture of the system as SVG, drawn from `roadmap.toml`: solid is built, dashed planned.

`generate.py` writes it to `docs/pictures/system.svg`; GitHub and the guides show the same file. It
follows the reader's light or dark theme. Layout is in pixels of a 960-wide canvas, top to bottom:
who calls, the front door, the six phases, what carries them, what they grow to.
"""

from html import escape

from common.learn.roadmap import load_roadmap
from common.platform.services import SERVICES

WIDTH, HEIGHT, MARGIN, GAP = 960, 506, 16, 8
HUES = (250, 300, 350, 38, 78, 155)  # the phases' accents in common/web/design/tokens.css
DOES = (
    ("profiles tables,", "measures drift"),
    ("trains, explains,", "serves, swaps"),
    ("trains and serves", "neural networks"),
    ("answers from", "documents, cites"),
    ("keys, budgets,", "guards, routing"),
    ("plans, uses tools,", "recovers"),
)
STYLE = """
  svg { font: 17px system-ui, -apple-system, "Segoe UI", sans-serif;
        --ink: #1b1d22; --soft: #5c616b; --line: #c9cdd4;
        --card: #ffffff; --back: #f8f9fb; --l: 50%; }
  @media (prefers-color-scheme: dark) { svg { --ink: #eceef1; --soft: #a2a7b0; --line: #3a3f47;
        --card: #14161a; --back: #0b0c0e; --l: 76%; } }
  text { fill: var(--ink); } .soft { fill: var(--soft); font-size: 15px; }
  .name { font-weight: 600; } .number { fill: var(--card); }
  .box { fill: var(--card); stroke: var(--line); } .back { fill: var(--back); }
  .wire { stroke: var(--line); fill: none; } .planned { stroke-dasharray: 3 4; }
"""


def _text(x: float, y: float, words: str, css: str = "", anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def _box(x: float, y: float, width: float, height: float, css: str = "box", style: str = "") -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8" '
        f'class="{css}" style="{style}"/>'
    )


def _wire(x: float, top: float, bottom: float) -> str:
    return f'<path class="wire" d="M{x:g} {top:g}V{bottom:g}"/>'


def _bar(y: float, name: str, words: str) -> list[str]:
    """Draw a box over the whole width: its name, and what it holds."""
    middle = WIDTH / 2
    return [
        _box(MARGIN, y, WIDTH - 2 * MARGIN, 58),
        _text(middle, y + 25, name, "name"),
        _text(middle, y + 46, words, "soft"),
    ]


def _phase(number: int, *, is_built: bool) -> list[str]:
    width = (WIDTH - 2 * MARGIN - 5 * GAP) / 6
    x, y = MARGIN + number * (width + GAP), 190
    middle = x + width / 2
    accent = f"oklch(var(--l) 0.11 {HUES[number]})"
    dashed = "" if is_built else " planned"
    title = SERVICES[f"p{number}"].title.replace("Neural network", "Network").split()
    names = [_text(middle, y + 36 + 20 * k, word, "name") for k, word in enumerate(title)]
    rows = [_text(middle, y + 84 + 19 * k, row, "soft") for k, row in enumerate(DOES[number])]
    return [
        _wire(middle, 164, y),
        _box(x, y, width, 140, f"box{dashed}", f"stroke: {accent}; stroke-width: 1.5"),
        f'<circle cx="{middle:g}" cy="{y:g}" r="13" style="fill: {accent}"/>',
        _text(middle, y + 6, str(number), "name number"),
        *names,
        *rows,
        "" if is_built else _text(middle, y + 128, "not built yet", "soft"),
        _wire(middle, y + 140, y + 162),
    ]


def system_picture() -> str:
    """Draw the whole picture."""
    callers = "browser · curl · OpenAI SDK · MCP hosts · Open Inference Protocol clients"
    door = "home page: the map, live services, your progress"
    protocols = "OpenAI Chat Completions · MCP · Open Inference Protocol V2"
    kit = "service kit · batching · model registry · store · evaluation · course · design system"
    grows = "a folder → S3, MLflow  ·  SQLite → PostgreSQL  ·  /metrics, traces → Prometheus, OTLP"
    phases = [
        p for phase in load_roadmap().phases for p in _phase(phase.number, is_built=phase.is_built)
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>The system: callers, roadmap up, six phases, common, what they grow to</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}" rx="12"/>',
        _text(WIDTH / 2, 34, callers),
        _wire(WIDTH / 2, 46, 64),
        *_bar(64, "roadmap up", door),
        _wire(WIDTH / 2, 122, 136),
        _text(WIDTH / 2, 154, protocols, "soft"),
        *phases,
        *_bar(352, "common", kit),
        _wire(WIDTH / 2, 410, 428),
        *_bar(428, "grows by a setting", grows),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"
