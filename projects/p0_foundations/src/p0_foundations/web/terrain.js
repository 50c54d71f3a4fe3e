// A surface as a map: bands of colour and lines of equal height, from a grid of values with holes (null).
//
//   const levels = levelsOf(surface);               // heights that cut the window into equal areas
//   terrain(surface, levels, scale) → [SVG nodes]   // scale of plane.js
//
// Equal areas rather than equal heights: a valley stays readable beside a wall a thousand times higher.

import { s } from "/design/elements.js";
import { color } from "/design/charts.js";
import { spelled } from "/design/scales.js";

const N_BANDS = 13;
const FIELD_PX = 260;
const ROOM_PX = 34; // between two labels

export function levelsOf({ values }) {
  const known = values.flat().filter((value) => value !== null).sort((a, b) => a - b);
  const cuts = Array.from({ length: N_BANDS - 1 }, (_, k) => known[Math.floor(((k + 1) / N_BANDS) * known.length)]);
  return [...new Set(cuts)].filter((value) => value !== undefined && value > known[0]);
}

export function terrain(surface, levels, scale) {
  const { left, right, top, bottom } = scale;
  const image = s("image", { href: field(surface, levels), x: left, y: top, width: right - left, height: bottom - top, preserveAspectRatio: "none" });
  const outlines = levels.map((level) => outline(surface, level, scale));
  const lines = outlines.map((pieces) => s("path", { class: "height-line", d: pieces.map(([a, b]) => `M${spot(a)}L${spot(b)}`).join("") }));
  return [image, lines, labels(outlines, levels, scale)];
}

const spot = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;

/** The bands as a small picture, smooth between the points of the grid. */
function field({ values }, levels) {
  const rows = values.length;
  const columns = values[0].length;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [FIELD_PX, FIELD_PX];
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(FIELD_PX, FIELD_PX);
  const shades = bandColours(levels.length + 1);
  for (let j = 0; j < FIELD_PX; j += 1) {
    const v = (1 - (j + 0.5) / FIELD_PX) * (rows - 1);
    for (let i = 0; i < FIELD_PX; i += 1) {
      const value = sample(values, ((i + 0.5) / FIELD_PX) * (columns - 1), v);
      if (value === null) continue;
      const band = levels.findIndex((level) => value < level);
      pixels.data.set(shades[band < 0 ? levels.length : band], (j * FIELD_PX + i) * 4);
    }
  }
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

function sample(values, u, v) {
  const [i, j] = [Math.min(Math.floor(u), values[0].length - 2), Math.min(Math.floor(v), values.length - 2)];
  const [a, b, c, d] = [values[j][i], values[j][i + 1], values[j + 1][i], values[j + 1][i + 1]];
  if (a === null || b === null || c === null || d === null) return null;
  const [p, q] = [u - i, v - j];
  return (a * (1 - p) + b * p) * (1 - q) + (c * (1 - p) + d * p) * q;
}

/** Low ground carries the accent, high ground fades into the card. */
function bandColours(n) {
  const parts = (token) => [1, 3, 5].map((k) => parseInt(color(token).slice(k, k + 2), 16));
  const [low, high] = [parts("--accent"), parts("--surface")];
  return Array.from({ length: n }, (_, k) => {
    const share = 0.62 * (1 - k / Math.max(1, n - 1)) ** 1.25 + 0.03;
    return [...low.map((value, c) => Math.round(value * share + high[c] * (1 - share))), 255];
  });
}

/** Marching squares (Lorensen and Cline 1987, in two dimensions), the pieces of a level's line. */
function outline({ x, y, values }, level, scale) {
  const pieces = [];
  for (let j = 0; j + 1 < y.length; j += 1) {
    for (let i = 0; i + 1 < x.length; i += 1) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const heights = corners.map(([a, b]) => values[b][a]);
      if (heights.includes(null)) continue;
      const cuts = [];
      for (let k = 0; k < 4; k += 1) {
        const [from, to] = [heights[k], heights[(k + 1) % 4]];
        if (from < level === to < level) continue;
        const share = (level - from) / (to - from);
        const [[a, b], [c, d]] = [corners[k], corners[(k + 1) % 4]];
        cuts.push([scale.x(x[a] + share * (x[c] - x[a])), scale.y(y[b] + share * (y[d] - y[b]))]);
      }
      for (let k = 0; k + 1 < cuts.length; k += 2) pieces.push([cuts[k], cuts[k + 1]]);
    }
  }
  return pieces;
}

/** Every third height in figures, where its line comes nearest to the way from the centre to the lower right. */
function labels(outlines, levels, { left, right, top, bottom }) {
  const taken = [];
  return levels.map((level, n) => {
    if (n % 3 !== 1) return null;
    let best = [0.2, null];
    for (const [[x, y]] of outlines[n]) {
      const [u, v] = [(x - left) / (right - left), (y - top) / (bottom - top)];
      const isFree = u > 0.5 && u < 0.94 && v < 0.96 && taken.every(([a, b]) => Math.hypot(a - x, b - y) > ROOM_PX);
      if (isFree && Math.abs(u - v) < best[0]) best = [Math.abs(u - v), [x, y]];
    }
    if (!best[1]) return null;
    taken.push(best[1]);
    return s("text", { class: "height haloed", x: best[1][0], y: best[1][1] + 4, "text-anchor": "middle" }, spelled(level, 2));
  });
}
