// Charts without Plotly: SVG with axes, panels that share one x, a cursor, and everything figure.js gives.
//
//   import { plot } from "/design/plots.js";
//   const p = plot({
//     title: "Chance of churn falls until month 20, then stays", note: "…", file: "what-if",
//     x: { title: "Tenure", unit: "months", values: [0, 3, 6], kind: "number" },  // "number" | "time" (Date) | "names"
//     panels: [{                               // one above the other; a cursor runs through all of them
//       title: "", height: 180,
//       y: { title: "Probability", unit: "", zero: true, domain: [0, 1], format: (v) => … },
//       marks: [
//         { kind: "line", y: [0.4, null, 0.2], name: "Yes" },          // null breaks the line; isSparse: is passed over
//         { kind: "area", low: […], high: […] },                       // an interval around it
//         { kind: "bars", y: […], name: "rows" },                      // several share a place; faint: (k) => true dims one
//         { kind: "range", y: […], low: […], high: […] },              // dots with whiskers
//         { kind: "level", at: 0.5, name: "threshold" },               // a horizontal line
//       ] }],
//     shade: { from: 0, to: 72, name: "seen in training" },            // a stretch of x
//     mark: 12,                                                         // a moment of x, as a vertical line with a dot
//     onPick: (x) => …,                                                 // a press or a drag in the picture
//     onHover: (k) => …,                                                // the place the cursor is at, null when it left
//   });
//   main.append(p.element);   p.update({ mark: 13 });
//
// x.values are shared by every mark. A mark may carry `token: "--bad"`; else --series-1… in order. Draws at the
// true width, so that text stays 12 px; follows the theme by itself. Next: figure.js, for the table and downloads.

import { h, s } from "/design/elements.js";
import { figureFrame, svgImages } from "/design/figure.js";
import { spelled, ticks, timeTicks, timeWords } from "/design/scales.js";

const MARGIN = { left: 52, right: 16, top: 6, bottom: 24 };
const TITLE_HEIGHT = 16;
const PANEL_HEAD = 20;
const PANEL_GAP = 20;
const LETTER_PX = 6.4;
const LONGEST_NAME = 14;

export function plot(spec) {
  let current = { file: "chart", ...spec };
  let width = 0;
  const holder = h("div", { class: "chart-plot plot" });
  const draw = () => width && holder.replaceChildren(picture(current, width));
  const frame = figureFrame({
    current: () => ({ ...current, table: current.table || tableOf(current) }),
    plot: holder, draw, images: svgImages(() => holder.querySelector("svg"), () => current.file),
  });
  const watcher = new ResizeObserver(([entry]) => { const wide = Math.round(entry.contentRect.width); if (wide && wide !== width) { width = wide; if (!frame.isTable()) draw(); } });
  watcher.observe(holder);
  follow(holder, () => current, () => width, (k) => holder.querySelector(".passing")?.replaceChildren(...passing(current, width, k)));
  frame.show();
  return { element: frame.element, update: (change) => { current = { ...current, ...change }; return frame.show(); } };
}

/** The pointer and the arrow keys move the cursor; a press picks. */
function follow(holder, spec, width, move) {
  const nearest = (event) => {
    const { x } = spec();
    const scale = xScale(x, width());
    const at = event.clientX - holder.getBoundingClientRect().left;
    let best = null;
    x.values.forEach((value, k) => { const far = Math.abs(scale.at(value, k) - at); if (best === null || far < best[0]) best = [far, k]; });
    return { k: best?.[1] ?? null, x: scale.back?.(at) };
  };
  let isDragging = false;
  let shown = null;
  const show = (k) => { if (k !== shown) { move(k); spec().onHover?.(k); } shown = k; };
  const pick = (event) => { const { x } = nearest(event); if (x !== undefined) spec().onPick(x); };
  holder.addEventListener("pointermove", (event) => { show(nearest(event).k); if (isDragging) pick(event); });
  holder.addEventListener("pointerleave", () => show(null));
  holder.addEventListener("pointerdown", (event) => { if (!spec().onPick) return; isDragging = true; holder.setPointerCapture(event.pointerId); pick(event); });
  const end = () => { isDragging = false; };
  holder.addEventListener("pointerup", end);
  holder.addEventListener("pointercancel", end);
}

function picture(spec, width) {
  const { x } = spec;
  const scale = xScale(x, width);
  const boxes = boxesOf(spec, width);
  const parts = spec.panels.map((panel, k) => [panel.title && s("text", { class: "panel-title", x: MARGIN.left, y: boxes[k].top - 9 }, panel.title), onePanel(panel, spec, scale, boxes[k])]);
  const bottom = boxes.length ? boxes.at(-1).top + boxes.at(-1).height : MARGIN.top;
  const height = bottom + MARGIN.bottom + (x.title ? TITLE_HEIGHT : 0);
  return s("svg", { class: `svg-chart${spec.onPick ? " picks" : ""}`, viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": spec.title },
    shade(spec, scale, bottom), parts, xAxis(spec, scale, bottom, width), s("g", { class: "passing", "data-passing": "" }));
}

function boxesOf({ panels }, width) {
  let top = MARGIN.top;
  return panels.map(({ title, height = 180 }) => {
    const head = title ? PANEL_HEAD : 0;
    const box = { top: top + head, height: height - head, width };
    top += height + PANEL_GAP;
    return box;
  });
}

/** What follows the pointer: a line through all panels, each panel's figures there, and the moment. */
function passing(spec, width, k) {
  const { x, panels } = spec;
  if (k === null || !panels.length) return [];
  const boxes = boxesOf(spec, width);
  const bottom = boxes.at(-1).top + boxes.at(-1).height;
  const at = xScale(x, width).at(x.values[k], k);
  const said = panels.map((panel, n) => s("text", { class: "readout", x: width - MARGIN.right, y: boxes[n].top + (panel.title ? -9 : 8), "text-anchor": "end" }, readout(panel, k)));
  const words = x.kind === "time" ? timeWords(x.values[k]) : "";
  return [s("line", { class: "cursor", x1: at, x2: at, y1: boxes[0].top, y2: bottom }), said, words && s("text", { class: "readout", x: within(at, words, width), y: bottom + 17, "text-anchor": "middle" }, words)].flat().filter(Boolean);
}

function readout({ marks, y }, k) {
  const format = written(y);
  const isSaid = (mark) => mark.y && !mark.isQuiet && !(mark.isSparse && (mark.y[k] ?? null) === null);
  return marks.filter(isSaid).map((mark) => `${mark.name ? `${mark.name} ` : ""}${mark.y[k] === null || mark.y[k] === undefined ? "none" : format(mark.y[k])}`).join(" · ");
}

const written = (y) => y.format || ((value) => `${spelled(value)}${y.unit ? ` ${y.unit}` : ""}`);

function shade({ shade: zone }, scale, bottom) {
  if (!zone) return null;
  const [from, to] = [scale.at(zone.from), scale.at(zone.to)];
  return s("g", {}, s("rect", { class: "zone", x: from, y: MARGIN.top, width: Math.max(1, to - from), height: bottom - MARGIN.top }));
}

function onePanel(panel, spec, xs, box) {
  const { marks, y } = panel;
  const range = yRange(marks, y);
  const at = (value) => box.top + box.height - ((value - range[0]) / (range[1] - range[0])) * box.height;
  const lines = ticks(range[0], range[1], box.height > 120 ? 5 : 3).map((value) => [
    s("line", { class: "rule", x1: MARGIN.left, x2: box.width - MARGIN.right, y1: at(value), y2: at(value) }),
    s("text", { class: "label", x: MARGIN.left - 8, y: at(value) + 4, "text-anchor": "end" }, written(y)(value)),
  ]);
  const bars = marks.filter((mark) => mark.kind === "bars");
  const shown = { xs, at, box, marks, zero: at(Math.max(range[0], Math.min(0, range[1]))), values: spec.x.values };
  const drawn = marks.map((mark, k) => DRAWN[mark.kind](mark, shadeOf(mark, k), shown, { slot: bars.indexOf(mark), of: bars.length }));
  const now = spec.mark !== undefined && spec.mark !== null && marker(spec, panel, shown);
  return [lines, drawn, now];
}

const shadeOf = (mark, k) => `var(${mark.token || `--series-${(k % 8) + 1}`})`;

const DRAWN = {
  line: ({ y, name, isDashed, isSparse }, stroke, { xs, at, values, box }) => {
    const runs = [[]];
    const missing = () => isSparse || runs.push([]);
    y.forEach((value, k) => (value === null || value === undefined ? missing() : runs.at(-1).push([xs.at(values[k], k), at(value)])));
    const path = runs.filter((run) => run.length).map((run) => (run.length > 1 ? `M${run.map(([a, b]) => `${a.toFixed(1)},${b.toFixed(1)}`).join("L")}` : `M${run[0][0] - 1.5},${run[0][1]}h3`)).join("");
    const last = runs.flat().at(-1);
    const label = name && last && last[0] + name.length * LETTER_PX < box.width && s("text", { x: last[0] + 6, y: last[1] + 4, style: { fill: stroke } }, name);
    const dots = isSparse && runs[0].map(([cx, cy]) => s("circle", { cx, cy, r: 3, style: { fill: stroke } }));
    return [s("path", { class: "line", d: path, style: { stroke, ...(isDashed ? { "stroke-dasharray": "4 3" } : {}) } }), dots, label];
  },
  area: ({ low, high }, fill, { xs, at, values }) => {
    const up = high.map((value, k) => `${xs.at(values[k], k).toFixed(1)},${at(value).toFixed(1)}`);
    const down = low.map((value, k) => `${xs.at(values[k], k).toFixed(1)},${at(value).toFixed(1)}`).reverse();
    return s("path", { class: "area", d: `M${[...up, ...down].join("L")}Z`, style: { fill } });
  },
  bars: ({ y, faint }, fill, { xs, at, zero, values }, { slot, of }) => y.map((value, k) => {
    if (!value) return null;
    const wide = Math.max(1, (xs.step * 0.78) / of);
    const x = xs.at(values[k], k) - (wide * of) / 2 + slot * wide;
    return s("rect", { x, width: Math.max(1, wide - 1), y: Math.min(at(value), zero), height: Math.max(1, Math.abs(at(value) - zero)), rx: Math.min(2, wide / 4), style: { fill, ...(faint?.(k) ? { "fill-opacity": "0.45" } : {}) } });
  }),
  range: ({ y, low, high }, stroke, { xs, at, values }) => y.map((value, k) => value === null || value === undefined ? null : [
    s("line", { class: "whisker", x1: xs.at(values[k], k), x2: xs.at(values[k], k), y1: at(low[k]), y2: at(high[k]), style: { stroke } }),
    s("circle", { cx: xs.at(values[k], k), cy: at(value), r: 4, style: { fill: stroke } }),
  ]),
  level: ({ at: value, name }, _, { at, box, marks }) => {
    const isLeft = clearOf(marks.find((mark) => mark.kind === "line")?.y, value) === "left";
    return [
      s("line", { class: "level", x1: MARGIN.left, x2: box.width - MARGIN.right, y1: at(value), y2: at(value) }),
      name && s("text", { class: "label haloed", x: isLeft ? MARGIN.left + 6 : box.width - MARGIN.right, y: at(value) - 5, "text-anchor": isLeft ? "start" : "end" }, name),
    ];
  },
};

/** The end at which a line keeps away from a level, so that the level's name can stand there. */
function clearOf(y, level) {
  const known = (y || []).filter((value) => value !== null && value !== undefined);
  const quarter = Math.ceil(known.length / 4);
  const far = (part) => Math.min(...part.map((value) => Math.abs(value - level)));
  return known.length && far(known.slice(0, quarter)) > far(known.slice(-quarter)) ? "left" : "right";
}

/** Where the reader stands: a line down to the axis and a dot on each line of the panel. */
function marker({ mark, x }, { marks }, { xs, at, box }) {
  const here = xs.at(mark, x.values.indexOf(mark));
  const dots = marks.filter((one) => one.kind === "line" && !one.isQuiet).map((one) => {
    const value = between(x.values, one.y, mark);
    return value === null ? null : s("circle", { class: "here", cx: here, cy: at(value), r: 5 });
  });
  return [s("line", { class: "here-line", x1: here, x2: here, y1: box.top, y2: box.top + box.height }), dots];
}

/** The height of a line at a place between two of its points. */
export function between(values, y, place) {
  const k = values.findIndex((value) => value >= place);
  if (k < 0) return y.at(-1) ?? null;
  if (k === 0 || values[k] === place) return y[k];
  const share = (place - values[k - 1]) / (values[k] - values[k - 1]);
  return y[k - 1] + share * (y[k] - y[k - 1]);
}

function yRange(marks, { domain, zero }) {
  if (domain) return domain;
  const all = marks.flatMap((mark) => [...(mark.y || []), ...(mark.low || []), ...(mark.high || []), ...(mark.kind === "level" ? [mark.at] : [])]).filter((value) => Number.isFinite(value));
  let low = Math.min(...all, zero ? 0 : Infinity);
  let high = Math.max(...all, zero ? 0 : -Infinity);
  if (!all.length) [low, high] = [0, 1];
  if (low === high) [low, high] = zero ? [Math.min(low, 0), Math.max(high, 1)] : [low - 1, high + 1];
  const steps = ticks(low, high, 4);
  const step = steps.length > 1 ? steps[1] - steps[0] : high - low;
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step];
}

function xScale({ values, kind, domain }, width) {
  const [from, to] = [MARGIN.left, width - MARGIN.right];
  if (kind === "names") {
    const step = (to - from) / Math.max(1, values.length);
    return { step, at: (value, k) => from + ((k ?? values.indexOf(value)) + 0.5) * step };
  }
  const [low, high] = (domain || [values[0], values.at(-1)]).map(Number);
  const span = high - low || 1;
  return { step: (to - from) / Math.max(1, values.length), at: (value) => from + ((Number(value) - low) / span) * (to - from), back: (px) => Math.min(high, Math.max(low, low + ((px - from) / (to - from)) * span)) };
}

function xAxis({ x }, scale, bottom, width) {
  const line = s("line", { class: "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: bottom, y2: bottom });
  const title = x.title && s("text", { class: "label", x: (MARGIN.left + width - MARGIN.right) / 2, y: bottom + 34, "text-anchor": "middle" }, x.unit ? `${x.title} (${x.unit})` : x.title);
  return [line, title, xLabels(x, scale, width).map(([px, text]) => s("text", { class: "label", x: within(px, text, width), y: bottom + 17, "text-anchor": "middle" }, text))];
}

const within = (px, text, width) => Math.max((text.length * LETTER_PX) / 2, Math.min(width - (text.length * LETTER_PX) / 2, px));

function xLabels({ values, kind, domain, format = spelled }, scale, width) {
  if (!values.length) return [];
  const room = Math.max(2, Math.floor((width - MARGIN.left) / 90));
  if (kind === "names") {
    const longest = Math.min(LONGEST_NAME, Math.max(...values.map((name) => name.length)) + 1);
    const every = Math.max(1, Math.ceil((longest * LETTER_PX) / scale.step));
    return values.map((name, k) => [scale.at(name, k), k % every ? "" : shortened(name, Math.max(longest, Math.floor((every * scale.step) / LETTER_PX)))]);
  }
  const [low, high] = domain || [values[0], values.at(-1)];
  if (kind === "time") return timeTicks(low, high, room).map(([moment, text]) => [scale.at(moment), text]);
  return ticks(low, high, room).map((value) => [scale.at(value), format(value)]);
}

const shortened = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);

function tableOf({ x, panels }) {
  const first = x.unit ? `${x.title || "x"} (${x.unit})` : x.title || "x";
  const marks = panels.flatMap((panel) => panel.marks.filter((mark) => mark.y).map((mark) => ({ ...mark, named: [panel.title, mark.name].filter(Boolean).join(": ") || panel.y.title || "y" })));
  const spans = marks.filter((mark) => mark.low);
  const columns = [first, ...marks.map((mark) => mark.named), ...spans.flatMap((mark) => [`${mark.named}, from`, `${mark.named}, to`])];
  const rows = x.values.map((value, k) => [value instanceof Date ? value.toISOString() : value, ...marks.map((mark) => mark.y[k] ?? null), ...spans.flatMap((mark) => [mark.low[k], mark.high[k]])]);
  return { columns, rows };
}
