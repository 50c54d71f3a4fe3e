// The network, drawn: each neuron a small picture of its answer over the square, each weight a line as wide as it
// is large, dashed where it is negative. SVG, redrawn a few times a second. Knows `begin` and an anatomy; no stream.

import { h, s } from "/design/elements.js";
import { figureFrame, svgImages } from "/design/figure.js";
import { painted, ramp } from "/surface.js";

const NEURON = 30;
const GAP = 8;
const TOP = 22;
const MARGIN = 30;
const INPUTS = ["x", "y"];
const WIDEST = 5;

export function anatomyFigure() {
  let begun = null;
  let latest = null;
  let step = 0;
  let width = 0;
  const holder = h("div", { class: "chart-plot anatomy" });
  const current = () => ({ title: title(begun), note: "Line: weight, wider is larger, dashed is negative", file: "playground-network", table: tableOf(latest) });
  const redraw = () => begun && latest && width && fits(begun, latest) && holder.replaceChildren(picture(begun, latest, step, width));
  const frame = figureFrame({ current, plot: holder, draw: redraw, images: svgImages(() => holder.querySelector("svg"), () => "playground-network") });
  new ResizeObserver(([entry]) => { const wide = Math.round(entry.contentRect.width); if (wide && wide !== width) { width = wide; redraw(); } }).observe(holder);
  frame.show();
  return {
    element: frame.element,
    begin: (data) => { begun = data; if (latest && !fits(begun, latest)) latest = null; if (!frame.isTable()) frame.show(); },
    draw: (anatomy, at) => { latest = anatomy; step = at; if (!frame.isTable()) redraw(); },
  };
}

const fits = ({ sizes }, { weights }) => weights.length === sizes.length - 1 && weights.every((matrix, k) => matrix.length === sizes[k] && matrix[0].length === sizes[k + 1]);

const title = (begun) => (begun ? `${begun.n_parameters.toLocaleString()} numbers to learn` : "The network");

function picture({ sizes, neuron_grid }, { weights, biases, neurons }, step, width) {
  const tallest = Math.max(...sizes);
  const height = TOP + tallest * (NEURON + GAP) + 4;
  const x = (layer) => MARGIN + (layer / (sizes.length - 1)) * (width - 2 * MARGIN);
  const y = (layer, k) => TOP + ((tallest - sizes[layer]) / 2 + k + 0.5) * (NEURON + GAP);
  const most = Math.max(1, ...weights.flat(2).map(Math.abs));
  const lines = weights.map((matrix, layer) => matrix.map((row, from) => row.map((weight, to) => edge(x(layer), y(layer, from), x(layer + 1), y(layer + 1, to), weight, most))));
  const shades = ramp(document.body);
  const places = sizes.map((n, layer) => Array.from({ length: n }, (_, k) => node({ x: x(layer), y: y(layer, k), image: neurons[layer - 1]?.[k], side: neuron_grid, shades, ...wordsOf(layer, k, sizes, biases) })));
  const heads = sizes.map((n, layer) => s("text", { class: "label", x: Math.max(24, Math.min(width - 24, x(layer))), y: 12, "text-anchor": "middle" }, layer === 0 ? "inputs" : layer === sizes.length - 1 ? "classes" : String(n)));
  return s("svg", { class: "svg-chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Network of layers ${sizes.join(", ")} at step ${step}` }, lines, places, heads);
}

function edge(x1, y1, x2, y2, weight, most) {
  const share = Math.abs(weight) / most;
  const bend = (x2 - x1) / 2;
  return s("path", { class: "weight", "data-sign": weight < 0 ? "-" : "+", d: `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`, style: { "stroke-width": (0.4 + share * WIDEST).toFixed(2), opacity: (0.2 + 0.7 * Math.sqrt(share)).toFixed(2) } });
}

function wordsOf(layer, k, sizes, biases) {
  if (layer === 0) return { letter: INPUTS[k], words: `Input ${INPUTS[k]}` };
  const bias = `bias ${biases[layer - 1][k]}`;
  return layer === sizes.length - 1 ? { letter: String(k), words: `Score of class ${k}, ${bias}`, token: k ? "--series-1" : "--series-2" } : { letter: "", words: `Layer ${layer}, neuron ${k + 1}, ${bias}` };
}

function node({ x, y, image, side, shades, letter, words, token = "--edge" }) {
  const box = { x: x - NEURON / 2, y: y - NEURON / 2, width: NEURON, height: NEURON };
  return s("g", {}, s("title", {}, words),
    s("rect", { class: "neuron", ...box, rx: 4, style: { stroke: `var(${token})` } }),
    image && s("image", { ...box, href: dataUrl(image, side, shades), preserveAspectRatio: "none" }),
    image && s("rect", { class: "neuron frame-only", ...box, rx: 2, style: { stroke: `var(${token})`, fill: "none" } }),
    letter && s("text", { x, y: y + 4, "text-anchor": "middle" }, letter));
}

const pad = h("canvas", {});

function dataUrl(text, side, shades) {
  pad.width = side;
  pad.height = side;
  pad.getContext("2d").putImageData(painted(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), side, shades), 0, 0);
  return pad.toDataURL();
}

function tableOf(anatomy) {
  const rows = (anatomy?.weights || []).flatMap((matrix, layer) => matrix.flatMap((row, from) => row.map((weight, to) => [layer + 1, from + 1, to + 1, weight])));
  return { columns: ["layer", "from", "to", "weight"], rows };
}
