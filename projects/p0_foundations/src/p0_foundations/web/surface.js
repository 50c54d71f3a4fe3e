// The decision surface: what the network answers over the square, with the points on it. A canvas, for speed.
// Knows `begin` and the bytes of a picture; no stream. Colours are tokens, drawn anew with the theme.

import { color } from "/design/charts.js";
import { h, s } from "/design/elements.js";
import { figureFrame, saveBlob, saveText } from "/design/figure.js";

const SIDE = 440; // of the drawing, in its own pixels; shown as wide as its place
const CLASS_TOKENS = ["--series-2", "--series-1"];

export function surfaceFigure() {
  const scale = Math.min(2, devicePixelRatio || 1);
  const canvas = h("canvas", { class: "surface", width: SIDE * scale, height: SIDE * scale, role: "img", "aria-label": "Decision surface" });
  const context = canvas.getContext("2d");
  const points = new OffscreenCanvas(canvas.width, canvas.height);
  let small = null; // one pixel a point of the grid
  let known = null;
  let spec = { title: "What it answers", note: "", file: "playground-surface" };
  let shades = null;
  let bytes = null;

  function repaint() {
    shades = ramp(canvas);
    if (known) drawPoints(points.getContext("2d"), known, canvas);
  }
  function begin(data) {
    known = data;
    small = new OffscreenCanvas(data.grid, data.grid);
    repaint();
  }
  function draw({ surface, step }) {
    if (!known) return;
    bytes = Uint8Array.from(atob(surface), (letter) => letter.charCodeAt(0));
    small.getContext("2d").putImageData(painted(bytes, known.grid, shades), 0, 0);
    context.imageSmoothingQuality = "high";
    // the outermost points of the grid lie on the edge: half a cell of the picture hangs over it
    const cell = canvas.width / (known.grid - 1);
    context.drawImage(small, -cell / 2, -cell / 2, canvas.width + cell, canvas.height + cell);
    context.drawImage(points, 0, 0);
    canvas.dataset.step = step; // what is seen, which may lag behind what is told
  }
  const images = {
    PNG: () => new Promise((done) => canvas.toBlob((blob) => { saveBlob(blob, `${spec.file}.png`); done(); })),
    SVG: () => saveText(asSvg(known, small, canvas), `${spec.file}.svg`, "image/svg+xml"),
  };
  const table = () => ({ columns: ["x", "y", "class", "used for"], rows: (known?.points || []).map(([x, y, label], k) => [x, y, label, k < known.n_train ? "training" : "test"]) });
  const legend = h("p", { class: "hint play-legend" }, mark(1), " class 1 ", mark(0), " class 0; hollow: held back");
  const frame = figureFrame({ current: () => ({ ...spec, table: table() }), plot: h("div", { class: "chart-plot" }, canvas, legend), draw: () => {}, images });
  frame.show();
  const words = ({ step, test_accuracy }, { task }) => {
    spec = { title: `${Math.round(test_accuracy * 100)} % right on points it never saw`, note: "Colour: which class it answers; paler: less sure", file: `playground-${task}-${step}` };
    canvas.setAttribute("aria-label", `Decision surface at step ${step}: ${spec.title}`);
    if (frame.isTable()) return;
    frame.show();
  };
  return { element: frame.element, begin, draw, repaint, words };
}

const mark = (label) => s("svg", { viewBox: "0 0 10 10", width: 10, height: 10, "aria-hidden": "true", style: { fill: `var(${CLASS_TOKENS[label]})` } }, label ? s("circle", { cx: 5, cy: 5, r: 4.5 }) : s("rect", { x: 1, y: 1, width: 8, height: 8 }));

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** 256 colours from class 0 over the ground to class 1; softened, so that points stand out. */
export function ramp(element) {
  const [zero, one] = CLASS_TOKENS.map((token) => rgb(color(token, element.isConnected ? element.parentElement : document.body)));
  const ground = rgb(color("--surface"));
  return Array.from({ length: 256 }, (_, k) => {
    const share = k / 255;
    const end = share < 0.5 ? zero : one;
    const much = Math.abs(share - 0.5) * 2 * 0.62;
    return ground.map((value, c) => Math.round(value + (end[c] - value) * much));
  });
}

/** Bytes, row 0 at the bottom, as a picture. */
export function painted(bytes, side, shades) {
  const image = new ImageData(side, side);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const [r, g, b] = shades[bytes[(side - 1 - row) * side + column]];
      image.data.set([r, g, b, 255], (row * side + column) * 4);
    }
  }
  return image;
}

function placed({ points, extent, n_train }, side) {
  const at = (value) => ((value + extent) / (2 * extent)) * side;
  return points.map(([x, y, label], k) => ({ x: at(x), y: side - at(y), label, isHeld: k >= n_train }));
}

function drawPoints(context, known, canvas) {
  const side = canvas.width;
  const unit = side / SIDE;
  const [fills, ground] = [CLASS_TOKENS.map((token) => color(token)), color("--surface")];
  context.clearRect(0, 0, side, side);
  context.lineWidth = 1.4 * unit;
  for (const { x, y, label, isHeld } of placed(known, side)) {
    context.beginPath();
    if (label) context.arc(x, y, 3.6 * unit, 0, 2 * Math.PI);
    else context.rect(x - 3.2 * unit, y - 3.2 * unit, 6.4 * unit, 6.4 * unit);
    context.fillStyle = isHeld ? ground : fills[label];
    context.strokeStyle = isHeld ? fills[label] : ground;
    context.fill();
    context.stroke();
  }
}

/** The same picture as a drawing: the surface as an image within, the points as shapes. */
function asSvg(known, small, canvas) {
  const fills = CLASS_TOKENS.map((token) => color(token));
  const ground = color("--surface");
  const big = h("canvas", { width: SIDE, height: SIDE });
  const cell = SIDE / (known.grid - 1);
  big.getContext("2d").drawImage(small, -cell / 2, -cell / 2, SIDE + cell, SIDE + cell);
  const shapes = placed(known, SIDE).map(({ x, y, label, isHeld }) => {
    const paint = `fill="${isHeld ? ground : fills[label]}" stroke="${isHeld ? fills[label] : ground}" stroke-width="1.4"`;
    return label ? `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.6" ${paint}/>` : `<rect x="${(x - 3.2).toFixed(1)}" y="${(y - 3.2).toFixed(1)}" width="6.4" height="6.4" ${paint}/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}" viewBox="0 0 ${SIDE} ${SIDE}"><title>${canvas.getAttribute("aria-label")}</title><image href="${big.toDataURL()}" width="${SIDE}" height="${SIDE}"/>${shapes.join("")}</svg>`;
}
