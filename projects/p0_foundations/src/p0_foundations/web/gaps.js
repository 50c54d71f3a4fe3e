// Where cells are missing: a strip a column, the rows from top to bottom, the fuller the more is missing.
// Knows the `gaps` of a profile and the design system. Read next: profile.js.

import { h, s } from "/design/elements.js";
import { figureFrame, svgImages } from "/design/figure.js";
import { percent } from "/marks.js";

const [STRIP, BAND, LETTER, NAMED] = [28, 4, 6.6, 16];
const FILE = "missing-cells";
const SAME = 0.3; // a phi that is worth a sentence

export function gapsFigure(gaps) {
  const svg = picture(gaps);
  const current = () => ({ title: finding(gaps), note: "Each strip is a column, its rows from top to bottom; the fuller, the more is missing", file: FILE, table: tableOf(gaps) });
  const frame = figureFrame({ current, plot: h("div", { class: "chart-plot gaps" }, svg), draw: () => {}, images: svgImages(() => svg, () => FILE) });
  frame.show();
  return frame.element;
}

function finding({ columns, pairs }) {
  const [best] = pairs;
  if (!best || Math.abs(best.value) < SAME) return columns.length > 1 ? "No two columns miss the same rows much more often than chance" : `Where ${columns[0]} is missing`;
  const how = best.value > 0 ? "miss the same rows" : "hardly ever miss the same row";
  return `${best.a} and ${best.b} ${how} (phi ${best.value.toFixed(2)})`;
}

function picture({ columns, edges, n_missing }) {
  const names = columns.map((name) => (name.length <= NAMED ? name : `${name.slice(0, NAMED - 1)}…`));
  const last = edges.at(-1).toLocaleString("en");
  const top = Math.max(...names.map((name) => name.length)) * LETTER * 0.75 + 16;
  const left = last.length * LETTER + 10;
  const [width, tall] = [left + STRIP * names.length + top, BAND * (edges.length - 1)];
  const strips = columns.flatMap((name, k) => {
    const x = left + STRIP * k;
    const cells = n_missing[k].map((n, band) => {
      const share = n / Math.max(1, edges[band + 1] - edges[band]);
      const rows = `rows ${(edges[band] + 1).toLocaleString("en")} to ${edges[band + 1].toLocaleString("en")}`;
      return n > 0 && s("rect", { x, y: top + BAND * band, width: STRIP - 3, height: BAND, fill: "var(--accent)", "fill-opacity": Math.max(0.08, share).toFixed(2) }, s("title", {}, `${name}, ${rows}: ${percent(share)} missing`));
    });
    const ground = s("rect", { x, y: top, width: STRIP - 3, height: tall, fill: "var(--grid)", "fill-opacity": 0.5 });
    const label = s("text", { class: "label", transform: `translate(${x + STRIP / 2} ${top - 6}) rotate(-45)` }, names[k]);
    return [ground, ...cells.filter(Boolean), label];
  });
  const row = (y, text) => s("text", { class: "label", x: left - 8, y, "text-anchor": "end" }, text);
  return s("svg", { class: "svg-chart", viewBox: `0 0 ${width} ${top + tall + 4}`, width, height: top + tall + 4, style: { width: `${width}px`, "max-width": "100%", height: "auto" }, role: "img", "aria-label": "Where cells are missing, down the rows of each column" }, strips, row(top + 10, "1"), row(top + tall, last));
}

function tableOf({ columns, edges, n_missing }) {
  const rows = columns.flatMap((name, k) => n_missing[k].map((n, band) => [name, edges[band] + 1, edges[band + 1], n]));
  return { columns: ["Column", "From row", "To row", "Missing"], rows };
}
