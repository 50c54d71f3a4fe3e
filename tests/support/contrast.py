"""Contrast as WCAG 2.2 computes it, from what Chromium really paints: tokens and rendered text."""

from collections.abc import Iterable
from dataclasses import dataclass

from playwright.sync_api import Page

TEXT_MINIMUM = 4.5
LARGE_TEXT_MINIMUM = 3.0
GRAPHICS_MINIMUM = 3.0

_TO_SRGB = """
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const srgb = (css) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = css;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
"""
_TOKENS = (
    "([names, phase]) => {"
    + _TO_SRGB
    + """
  const probe = document.createElement('span');
  if (phase !== null) probe.dataset.phase = phase;
  document.body.append(probe);
  const found = names.map((name) => {
    probe.style.color = `var(${name})`;
    return srgb(getComputedStyle(probe).color);
  });
  probe.remove();
  return found;
}"""
)
_TEXTS = (
    "() => {"
    + _TO_SRGB
    + """
  const over = (top, under) => {
    const a = top[3] / 255;
    return [0, 1, 2].map((k) => Math.round(top[k] * a + under[k] * (1 - a))).concat(255);
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const painted = srgb(getComputedStyle(at).backgroundColor);
      if (painted[3]) layers.push(painted);
      if (painted[3] === 255) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 255]);
  };
  const opacity = (element) => {
    let value = 1;
    for (let at = element; at; at = at.parentElement) value *= Number(getComputedStyle(at).opacity);
    return value;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const box = element.getBoundingClientRect();
    if (!node.data.trim() || !box.width) continue;
    if (element.closest('script, noscript, .visually-hidden')) continue;
    if (element.closest(':disabled, [hidden], .js-plotly-plot') || !opacity(element)) continue;
    const style = getComputedStyle(element);
    const isSvg = element instanceof SVGElement;
    const disc = element.closest('.station') && element.classList.contains('station-number');
    const under = disc
      ? srgb(getComputedStyle(element.closest('.station').querySelector('.station-disc')).fill)
      : ground(isSvg ? element.ownerSVGElement.parentElement : element);
    const paint = srgb(isSvg ? style.fill : style.color);
    paint[3] *= opacity(element);
    const sizePx = parseFloat(style.fontSize);
    const isLarge = sizePx >= 24 || (sizePx >= 18.66 && Number(style.fontWeight) >= 700);
    found.push([node.data.trim().slice(0, 40), over(paint, under), under, isLarge]);
  }
  return found;
}"""
)

Colour = tuple[int, ...]


@dataclass(frozen=True)
class RenderedText:
    """A piece of text as it is painted."""

    text: str
    colour: Colour
    ground: Colour
    is_large: bool

    @property
    def is_legible(self) -> bool:
        """Whether it reaches the ratio that its size asks for."""
        minimum = LARGE_TEXT_MINIMUM if self.is_large else TEXT_MINIMUM
        return ratio(self.colour, self.ground) >= minimum


def ratio(one: Colour, other: Colour) -> float:
    """Contrast ratio of two sRGB colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (value / 255 for value in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def token_colours(page: Page, names: Iterable[str], phase: int | None) -> dict[str, Colour]:
    """Read tokens as the page paints them, under a phase's accent."""
    asked = list(names)
    found = page.evaluate(_TOKENS, [asked, phase])
    return {name: tuple(colour) for name, colour in zip(asked, found, strict=True)}


def rendered_texts(page: Page) -> list[RenderedText]:
    """Read every visible piece of text with its colour and what lies under it."""
    return [
        RenderedText(text, tuple(colour), tuple(ground), is_large)
        for text, colour, ground, is_large in page.evaluate(_TEXTS)
    ]
