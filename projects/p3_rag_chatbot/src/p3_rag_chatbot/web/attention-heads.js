// A head in small: its weights as a picture, and its habit in words. Knows a matrix of weights: by token that looks, by
// token looked at.

import { s } from "/design/elements.js";
import { percent } from "/design/words.js";

/** A square of squares: dark is much. Rows look, columns are looked at. */
export function headPicture(weights) {
  const n = weights.length;
  const cells = weights.flatMap((row, y) => row.map((weight, x) => weight > 0.04 && s("rect", { x, y, width: 1, height: 1, "fill-opacity": Math.min(1, weight).toFixed(2) })));
  return s("svg", { viewBox: `0 0 ${n} ${n}`, class: "head-picture", "aria-hidden": "true" }, cells);
}

const HABITS = [
  { words: "to the token before", takes: (from, to) => to === from - 1 },
  { words: "to the token after", takes: (from, to) => to === from + 1 },
  { words: "at themselves", takes: (from, to) => to === from },
  { words: "at [CLS]", takes: (_, to) => to === 0 },
  { words: "at [SEP], which often means nowhere", takes: (_, to, tokens) => to === tokens.length - 1 },
];
const CLEAR = 0.3;

/** Where the words of a sentence look on average; the special tokens' own looks do not count. */
export function habitOf(weights, tokens) {
  const rows = weights.slice(1, -1).map((row, k) => [k + 1, row]);
  if (!rows.length) return "there are no words to look from";
  const share = ({ takes }) => rows.reduce((sum, [from, row]) => sum + row.reduce((part, weight, to) => part + (takes(from, to, tokens) ? weight : 0), 0), 0) / rows.length;
  const [best, most] = HABITS.map((one) => [one, share(one)]).reduce((a, b) => (b[1] > a[1] ? b : a));
  return most >= CLEAR ? `words look ${best.words} (${percent(most)} of their attention)` : "words look at many others; choose one to see which";
}

