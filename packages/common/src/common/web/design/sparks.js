// Tiny charts without Plotly: horizontal bars and a sparkline, as SVG that follows the theme by itself.
//
//   import { bars, sparkline } from "/design/sparks.js";
//   bars([{ name: "Boosted trees", value: 0.84, note: "± 0.02" }], { unit: "AUC", label: "AUC of each model", max: 1 })
//   sparkline([3, 5, 4, 8], { label: "Requests a minute, last hour" })
//
// Bars start at zero, carry their number, and read as a list to those who do not see them. For axes,
// hovering and downloads use charts.js.

import { h, s } from "/design/elements.js";

export function bars(items, { unit = "", label, max = null, format = (v) => v.toLocaleString(undefined, { maximumFractionDigits: 3 }) } = {}) {
  const top = max ?? Math.max(...items.map((item) => item.value), Number.MIN_VALUE);
  const rows = items.map((item) => [
    h("span", { class: "truncate", title: item.name }, item.name),
    h("span", { class: "bar-track", "aria-hidden": "true" }, h("i", { style: { "--share": String(Math.max(0, item.value) / top), ...(item.token ? { background: `var(${item.token})` } : {}) } })),
    h("span", { class: "num" }, `${format(item.value)}${unit ? ` ${unit}` : ""}`, item.note && h("small", { class: "muted" }, ` ${item.note}`)),
  ]);
  return h("div", { class: "bars", role: "group", "aria-label": label }, rows);
}

export function sparkline(values, { label, width = 120, height = 28 } = {}) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const pad = 3;
  const at = (value, k) => [
    pad + (values.length > 1 ? (k / (values.length - 1)) * (width - 2 * pad) : (width - 2 * pad) / 2),
    height - pad - ((value - low) / span) * (height - 2 * pad),
  ];
  const points = values.map(at);
  const [x, y] = points.at(-1) || [0, 0];
  return s(
    "svg",
    { class: "svg-chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, style: { "max-width": `${width}px` } },
    s("polyline", { class: "spark", points: points.map((p) => p.map((v) => v.toFixed(1)).join(",")).join(" ") }),
    points.length && s("circle", { class: "bar", cx: x, cy: y, r: 2.5 }),
  );
}
