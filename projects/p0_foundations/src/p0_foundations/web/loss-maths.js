// Each loss of one row, as in losses.py, so that a drag needs no request; and the points to fit. No DOM.
//
//   TASKS.values.losses.huber.of(residual, delta)       TASKS.labels.losses.hinge.of(margin)
// Of values the error is line − y; of labels (y = −1 or 1) what counts is the margin, y times the score.

import { spelled } from "/design/scales.js";

export const TASKS = {
  values: {
    x: [0, 10], y: [-2, 12], ends: [1, 9], xTitle: "x", yTitle: "y", outlier: [9.2, 0.4], line: [3, 3], error: "error, line − y", span: [-8, 8],
    errorOf: (line, [x, y]) => at(line, x) - y,
    losses: {
      squared: { name: "squared", token: "--series-6", of: (r) => r * r },
      absolute: { name: "absolute", token: "--series-3", of: (r) => Math.abs(r) },
      huber: { name: "Huber", token: "--series-5", of: (r, delta) => (Math.abs(r) <= delta ? (r * r) / 2 : delta * (Math.abs(r) - delta / 2)) },
    },
  },
  labels: {
    x: [-5, 11], y: [-4, 4], ends: [-4, 4], xTitle: "x", yTitle: "score; its sign decides", outlier: [9.5, 1], line: [-1, 2.5], error: "margin, y · score", span: [-4, 6],
    errorOf: (line, [x, y]) => at(line, x) * y,
    losses: {
      squared: { name: "squared", token: "--series-6", of: (m) => (1 - m) ** 2 },
      logistic: { name: "logistic", token: "--series-3", of: (m) => Math.max(0, -m) + Math.log1p(Math.exp(-Math.abs(m))) },
      hinge: { name: "hinge", token: "--series-5", of: (m) => Math.max(0, 1 - m) },
    },
  },
};

export const at = ({ slope, intercept }, x) => slope * x + intercept;

/** The line through two heights at the task's two handles. */
export function lineOf(task, [a, b]) {
  const [from, to] = TASKS[task].ends;
  const slope = (b - a) / (to - from);
  return { slope, intercept: a - slope * from };
}

export function meanLoss(task, name, line, points, delta) {
  const { errorOf, losses } = TASKS[task];
  return points.reduce((sum, point) => sum + losses[name].of(errorOf(line, point), delta), 0) / points.length;
}

/** Twelve points of a seed, without the outlier: the same on every machine. */
export function pointsOf(task, seed) {
  const random = mulberry(seed);
  const bell = () => random() + random() + random() + random() - 2; // about normal, deviation 0.58
  const to2 = (value) => Math.round(value * 100) / 100;
  if (task === "values") return Array.from({ length: 12 }, (_, k) => { const x = 0.5 + k * 0.78 + 0.3 * bell(); return [to2(x), to2(1.5 + 0.75 * x + 1.1 * bell())]; });
  return Array.from({ length: 12 }, (_, k) => { const y = k % 2 ? 1 : -1; return [to2(1.5 * y + 2.2 * bell()), y]; });
}

/** Mulberry32, by Tommy Ettinger: a small generator of numbers from 0 to 1. */
function mulberry(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** What the outlier does to each best line, in one sentence: `fits` with it, `clean` without. */
export function findingOf(task, fits, clean, outlier) {
  const { losses } = TASKS[task];
  const moved = fits.flatMap((fit, k) => {
    const was = clean[k];
    if (!was || !fit.is_settled || !was.is_settled) return [];
    const boundary = (line) => -line.intercept / line.slope;
    const by = task === "values" ? at(fit, outlier[0]) - at(was, outlier[0]) : boundary(fit) - boundary(was);
    return Number.isFinite(by) ? [{ name: losses[fit.loss].name, by: Math.abs(by) }] : [];
  }).sort((a, b) => b.by - a.by);
  if (moved.length < 2) return "These labels can be separated by a line";
  const [most, least] = [moved[0], moved.at(-1)];
  const what = task === "values" ? "line" : "boundary";
  if (most.by < 0.05) return `One point more moves no ${what} by as much as 0.05`;
  const by = least.by < 0.005 ? "not at all" : `by ${spelled(least.by, 2)}`;
  return `One point moves the ${most.name} ${what} by ${spelled(most.by, 2)}, the ${least.name} ${what} ${by}`;
}
