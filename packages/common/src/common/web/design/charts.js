// Charts: Plotly.js with the tokens' colours, and around it what every chart here owes its reader.
//
//   import { chart } from "/design/charts.js";
//   const c = chart({
//     title: "Boosted trees miss by 41 units on average, 12 fewer than the mean",   // the finding, in words
//     note: "Held-out set, 89 patients",
//     x: { title: "Measured progression", unit: "points" },
//     y: { title: "Predicted", unit: "points", zero: true },                        // zero: the axis starts at 0
//     data: [{ type: "scatter", mode: "markers", name: "patients", x: [...], y: [...] }],   // Plotly traces
//     layout: {}, height: 320, file: "residuals",                                   // name of the downloads
//     table: { columns: ["Measured", "Predicted"], rows: [[151, 162]] },            // default: made from the traces
//   });
//   main.append(c.element);   await c.drawn;   c.update({ data, title });
//
// Traces without colours take --series-1… in order; lines are labelled at their end (no legend), unless they say
// `isInLegend`; a trace may carry `token: "--bad"` for a meaning and `fillToken` for its area, a shape a `token`. Tools: table view, PNG, SVG, CSV. Plotly (4.8 MB) loads on the first
// chart only; without it the table stands in. Without Plotly: plots.js (axes, a cursor, panels), sparks.js (bars).
// Colours follow the theme. `color("--accent")` gives any token as "#rrggbb".

import { h } from "/design/elements.js";
import { figureFrame } from "/design/figure.js";

const PLOTLY_URL = "/design/plotly.min.js";
const NARROW_PX = 420;
const NAMES_SHARE = 0.45;
const LETTER_PX = 6.4;
let loading = null;
let pixel = null;

/** Load Plotly once. */
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = h("script", { src: PLOTLY_URL });
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => { loading = null; reject(new Error("Plotly could not be loaded")); });
    document.head.append(script);
  });
  return loading;
}

/** A token as the browser computes it at `element`, in sRGB. */
export function color(token, element = document.body) {
  const probe = h("span", { style: { color: `var(${token})`, display: "none" } });
  element.append(probe);
  const computed = getComputedStyle(probe).color;
  probe.remove();
  pixel ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }); // one for all: making it takes a millisecond
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = computed;
  pixel.fillRect(0, 0, 1, 1);
  const [r, g, b] = pixel.getImageData(0, 0, 1, 1).data;
  return `#${[r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

export function chart(spec) {
  let current = { height: 300, file: "chart", layout: {}, x: {}, y: {}, ...spec };
  const plot = h("div", { class: "chart-plot" });
  const draw = async () => {
    plot.style.height = `${current.height}px`;
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", current.title);
    try {
      const Plotly = await loadPlotly();
      const root = frame.element.isConnected ? frame.element : document.body;
      await Plotly.react(plot, themedTraces(current, root), themedLayout(current, root, plot.clientWidth), { displayModeBar: false, responsive: true });
    } catch (error) {
      console.warn("chart", error);
      frame.onlyTable();
    }
  };
  const frame = figureFrame({ current: () => ({ ...current, table: tableOf(current) }), plot, draw, images: plotlyImages(plot, () => current) });
  const { element } = frame;
  document.addEventListener("themechange", () => element.isConnected && !frame.isTable() && draw());
  return { element, drawn: frame.show(), update: (change) => { current = { ...current, ...change }; return frame.show(); } };
}

function plotlyImages(plot, spec) {
  const image = (format) => async () => {
    const Plotly = await loadPlotly();
    const { width } = plot.getBoundingClientRect();
    await Plotly.downloadImage(plot, { format, filename: spec().file, width: Math.max(width, 640), height: spec().height, scale: 2 });
  };
  return { PNG: image("png"), SVG: image("svg") };
}

/** The numbers behind the picture: given, or one row per point. */
function tableOf({ table, data, x, y }) {
  if (table) return table;
  const withUnit = (axis, fallback) => (axis.title || fallback) + (axis.unit ? ` (${axis.unit})` : "");
  const many = data.length > 1;
  const columns = [...(many ? ["Series"] : []), withUnit(x, "x"), withUnit(y, "y")];
  const rows = data.flatMap((trace) =>
    Array.from(trace.x || trace.y || [], (_, k) => [...(many ? [trace.name || ""] : []), trace.x?.[k] ?? k, trace.y?.[k] ?? ""]),
  );
  return { columns, rows };
}

function themedTraces({ data }, root) {
  return data.map((trace, k) => {
    const { token, fillToken, isInLegend, ...rest } = trace;
    const shade = color(token || `--series-${(k % 8) + 1}`, root);
    const paint = { marker: { color: shade, ...(rest.type === "bar" ? {} : { size: 6 }), ...rest.marker }, line: { color: shade, width: 2, ...rest.line } };
    if (["heatmap", "contour"].includes(rest.type)) return { colorscale: ramp(root), ...rest };
    return { ...rest, ...paint, ...(fillToken ? { fillcolor: color(fillToken, root) } : {}), hoverlabel: { namelength: -1 } };
  });
}

/** Sequential scale from the surface to the accent. */
function ramp(root) {
  return [[0, color("--accent-wash", root)], [1, color("--accent", root)]];
}

function themedLayout({ layout, x, y, data }, root, width) {
  const at = (token) => color(token, root);
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: at("--ink-2") };
  const axis = ({ title = "", unit = "", zero = false, ...rest }) => ({
    title: { text: unit ? `${title} (${unit})` : title, font, standoff: 8 },
    gridcolor: at("--grid"), linecolor: at("--edge"), zerolinecolor: at("--edge"), zeroline: zero, tickfont: font,
    automargin: true, ...(zero ? { rangemode: "tozero" } : {}), ...rest,
  });
  const isNarrow = width < NARROW_PX;
  const ends = isNarrow ? [] : data.map((trace, k) => endLabel(trace, k, root)).filter(Boolean); // a legend leaves more room
  const names = y.type === "category" ? shortNames(data, width) : {};
  return {
    font, paper_bgcolor: at("--surface"), plot_bgcolor: at("--surface"), margin: { l: 8, r: 12 + Math.max(0, ...ends.map(widthOf)), t: 8, b: 8 },
    showlegend: data.length > 1 && ends.length < data.length, legend: { orientation: "h", y: 1.12, x: 0, font },
    hoverlabel: { bgcolor: at("--raised"), bordercolor: at("--edge"), font: { ...font, color: at("--ink") } },
    bargap: 0.25, ...layout, shapes: (layout.shapes || []).map(({ token, ...shape }) => (token ? { ...shape, line: { ...shape.line, color: at(token) } } : shape)),
    xaxis: { ...axis({ showgrid: false, ...x }), ...layout.xaxis }, yaxis: { ...axis({ ...names, ...y }), ...layout.yaxis },
    annotations: [...ends, ...(layout.annotations || [])],
  };
}

/** Long names of categories, cut to leave the bars the better part of the width; hovering and the table have them whole. */
function shortNames(data, width) {
  const all = [...new Set(data.flatMap((trace) => Array.from(trace.y || [])))];
  const letters = Math.max(8, Math.floor((width * NAMES_SHARE) / LETTER_PX));
  return { tickvals: all, ticktext: all.map((name) => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name)) };
}

const ruler = new OffscreenCanvas(1, 1).getContext("2d");

function widthOf({ text }) {
  ruler.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return Math.ceil(ruler.measureText(text).width) + 8;
}

/** A named line carries its name at its last point, in its colour. */
function endLabel(trace, k, root) {
  const isLine = (trace.type || "scatter") === "scatter" && (trace.mode || "lines").includes("lines");
  if (!isLine || trace.isInLegend || !trace.name || !trace.x?.length) return null;
  const last = trace.x.length - 1;
  const shade = color(trace.token || `--series-${(k % 8) + 1}`, root);
  return { x: trace.x[last], y: trace.y[last], text: trace.name, showarrow: false, xanchor: "left", xshift: 6, font: { color: shade, size: 12 } };
}
