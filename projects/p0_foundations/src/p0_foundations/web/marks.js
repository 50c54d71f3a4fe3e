// Distributions of a column: a small histogram, or bars of its most frequent values. SVG and DOM, no library.
// Knows a ColumnProfile of the API; no page. The first and last bin may reach far out: drawn no wider than two.

import { h, s } from "/design/elements.js";

const WIDTH = 200;
const HEIGHT = 46;
export const MEASURED = new Set(["number", "datetime", "text"]);

export function distribution(column, { levels = 3, isFull = false } = {}) {
  if (["category", "boolean", "code"].includes(column.kind) && column.top.length) return levelBars(column, isFull ? 12 : levels, isFull);
  if (column.number && column.number.histogram.counts.length > 1 && column.kind !== "id") return histogram(column);
  return h("div", { class: "none" }, { empty: "no value", id: "names the rows" }[column.kind] || "one value");
}

function histogram(column) {
  const { edges, counts } = column.number.histogram;
  const ends = [...edges];
  const widths = edges.slice(1).map((edge, k) => edge - edges[k]).sort((a, b) => a - b);
  const typical = widths[Math.floor(widths.length / 2)];
  ends[0] = Math.max(ends[0], ends[1] - 2 * typical);
  ends[ends.length - 1] = Math.min(ends.at(-1), ends.at(-2) + 2 * typical);
  const span = ends.at(-1) - ends[0];
  const most = Math.max(...counts);
  const at = (value) => ((value - ends[0]) / span) * WIDTH;
  const bars = counts.map((n, k) => {
    const tall = n ? Math.max(1, (n / most) * HEIGHT) : 0;
    return s("rect", { x: at(ends[k]), y: HEIGHT - tall, width: Math.max(0.6, at(ends[k + 1]) - at(ends[k]) - 0.7), height: tall });
  });
  const words = `Distribution of ${column.name}: ${written(column, column.number.minimum)} to ${written(column, column.number.maximum)}, median ${written(column, column.number.median)}`;
  return h(
    "div",
    {},
    s("svg", { class: "mini", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", height: HEIGHT, role: "img", "aria-label": words }, bars),
    h("div", { class: "mini-axis", "aria-hidden": "true" }, h("span", {}, written(column, column.number.minimum)), h("span", {}, written(column, column.number.maximum))),
  );
}

function levelBars(column, most, isFull) {
  const present = column.n_rows - column.n_missing;
  const rows = column.top.slice(0, most).map((one) => [
    h("span", { class: "truncate", title: one.value }, one.value),
    h("span", { class: "bar-track", "aria-hidden": "true" }, h("i", { style: { "--share": String(one.n / column.top[0].n) } })),
    h("span", { class: "num" }, percent(one.n / present)),
  ]);
  return h("div", { class: isFull ? "levels all" : "levels", role: "group", "aria-label": `Most frequent values of ${column.name}` }, rows);
}

/** A value of the column as a person reads it: a date for moments. */
export function written(column, value) {
  if (value === null || value === undefined) return "";
  if (column.kind === "datetime") return new Date(value * 1000).toISOString().slice(0, 10);
  return figure(value);
}

export function figure(value) {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) return value.toExponential(1);
  return value.toLocaleString("en", { maximumSignificantDigits: size >= 1000 ? 6 : 4 });
}

export function percent(share) {
  if (share > 0 && share < 0.001) return "<0.1%";
  return `${(share * 100).toLocaleString("en", { maximumFractionDigits: share < 0.1 ? 1 : 0 })}%`;
}
