// What a network sees, as a picture: an array of channels, rows, columns; with the weights of its evidence over it.

import { color } from "/design/charts.js";
import { h } from "/design/elements.js";

const MOST_OPAQUE = 225;

/** A canvas of the pixels, one to one; the stylesheet enlarges it without smoothing. */
export function seenPicture(pixels, label) {
  const [height, width] = [pixels[0].length, pixels[0][0].length];
  const canvas = h("canvas", { class: "seen", width, height, role: "img", "aria-label": label });
  const image = new ImageData(width, height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const colour = [0, 1, 2].map((channel) => 255 * pixels[pixels.length === 1 ? 0 : channel][y][x]);
      image.data.set([...colour, 255], 4 * (y * width + x));
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Weights from 0 to 1, rows from the top, as a veil: opaque where the evidence is. */
export function evidence(weights, label) {
  const [height, width] = [weights.length, weights[0].length];
  const canvas = h("canvas", { class: "evidence", width, height, role: "img", "aria-label": label });
  const image = new ImageData(width, height);
  const shade = color("--accent").match(/[0-9a-f]{2}/g).map((two) => Number.parseInt(two, 16));
  weights.flat().forEach((weight, k) => image.data.set([...shade, Math.round(MOST_OPAQUE * weight)], 4 * k));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
