// The maths of one step of a search, with its numbers, and how a search ended in words. No DOM, no requests.
//
//   stepMaths("adam", run, 12) → [{ says: "slope", formula: "g = ∇f(x, y)", numbers: "(−1.2, 0.4)" }, …]
//   verdictOf(run, asked) → { tone: "bad", title, text, fix: { label, change } | null }
// `run` is the answer of /v1/descend. Each rule is written as in optimisers.py.

import { spelled } from "/design/scales.js";

export const OPTIMISERS = [
  { value: "gradient-descent", label: "Gradient descent", range: [1e-4, 10] },
  { value: "momentum", label: "Momentum", range: [1e-4, 10] },
  { value: "nesterov", label: "Nesterov", range: [1e-4, 10] },
  { value: "rmsprop", label: "RMSProp", range: [1e-4, 10] },
  { value: "adam", label: "Adam", range: [1e-4, 10] },
  { value: "newton", label: "Newton", range: [1e-4, 10] },
];
export const titleOf = (name) => OPTIMISERS.find((one) => one.value === name).label;
export const pair = ([x, y]) => `(${spelled(x)}, ${spelled(y)})`;

/** What was computed at point k to come to point k + 1. */
export function stepMaths(name, run, k) {
  const [point, slope, next] = [run.points[k], run.gradients[k], run.points[k + 1]];
  const rows = [
    { says: "stands at", formula: "p", numbers: pair(point) },
    { says: "loss", formula: "f(p)", numbers: spelled(run.losses[k]) },
    { says: "slope", formula: "g = ∇f(p)", numbers: pair(slope) },
  ];
  if (!next) return rows;
  const rules = RULES[name](run, k);
  return [...rows, ...rules, { says: "next", formula: UPDATES[name], numbers: pair(next), isResult: true }];
}

const UPDATES = {
  "gradient-descent": "p ← p − η g",
  momentum: "p ← p − η v",
  nesterov: "p ← p − η (g + μ v)",
  rmsprop: "p ← p − η g / (√s + ε)",
  adam: "p ← p − η m̂ / (√ŝ + ε)",
  newton: "p ← p − η |H|⁻¹ g",
};

const before = (rows, k) => (k ? rows[k - 1] : [0, 0]);
const step = ({ settings }) => ({ says: "step size", formula: "η", numbers: spelled(settings.step_size) });

const RULES = {
  "gradient-descent": (run, k) => [step(run), { says: "change", formula: "−η g", numbers: pair(run.gradients[k].map((g) => -run.settings.step_size * g)) }],
  momentum: (run, k) => [velocity(run, k), step(run)],
  nesterov: (run, k) => [
    velocity(run, k),
    { says: "looking ahead", formula: "g + μ v", numbers: pair(run.gradients[k].map((g, c) => g + run.settings.momentum * run.memory.velocity[k][c])) },
    step(run),
  ],
  rmsprop: (run, k) => [
    { says: "mean of g²", formula: `s ← ${spelled(run.settings.decay)} s + ${spelled(1 - run.settings.decay)} g²`, numbers: pair(run.memory.square[k]) },
    { says: "each its own step", formula: "η / (√s + ε)", numbers: pair(run.memory.square[k].map((v) => run.settings.step_size / (Math.sqrt(v) + run.settings.epsilon))) },
  ],
  adam: (run, k) => {
    const { momentum, decay } = run.settings;
    return [
      { says: "mean of g", formula: `m ← ${spelled(momentum)} m + ${spelled(1 - momentum)} g`, numbers: pair(run.memory.mean[k]) },
      { says: "mean of g²", formula: `s ← ${spelled(decay)} s + ${spelled(1 - decay)} g²`, numbers: pair(run.memory.square[k]) },
      { says: "unbiased", formula: `m̂ = m / (1 − ${spelled(momentum)}^${k + 1})`, numbers: pair(run.memory.mean[k].map((v) => v / (1 - momentum ** (k + 1)))) },
      { says: "unbiased", formula: `ŝ = s / (1 − ${spelled(decay)}^${k + 1})`, numbers: pair(run.memory.square[k].map((v) => v / (1 - decay ** (k + 1)))) },
      step(run),
    ];
  },
  newton: (run, k) => {
    const [xx, xy, yy] = run.hessians[k];
    return [{ says: "bend", formula: "H", numbers: `[${spelled(xx)}, ${spelled(xy)}; ${spelled(xy)}, ${spelled(yy)}]` }, step(run)];
  },
};

const velocity = (run, k) => ({ says: "velocity", formula: `v ← ${spelled(run.settings.momentum)} ${pair(before(run.memory.velocity, k))} + g`, numbers: pair(run.memory.velocity[k]) });

/** How it ended, and what to do about it. */
export function verdictOf(run, asked) {
  const n = run.points.length - 1;
  const where = pair(run.points.at(-1).map((value) => (Math.abs(value) < 5e-5 ? 0 : Number(value.toPrecision(4)))));
  const fix = (label, change) => ({ label, change });
  const limit = run.step_limit;
  switch (run.verdict) {
    case "converged":
      if (/saddle/.test(run.reason)) return { tone: "warn", title: `Stopped after ${counted(n)} on a saddle or a top, at ${where}`, text: "The slope is 0, but the ground falls away from here. Move the start a little to the side.", fix: null };
      return { tone: "good", title: `Converged in ${counted(n)} to ${where}`, text: `The loss there is ${spelled(run.losses.at(-1))}, the slope as good as 0.`, fix: null };
    case "diverged": {
      const safe = limit && limit < asked.step ? rounded(0.8 * limit) : rounded(asked.step / 4);
      const why = limit && asked.step > limit ? `A step of ${spelled(asked.step)} is beyond the largest stable one here, ${spelled(limit, 3)}: each step overshoots by more than the last.` : "The function falls without end, or steepens along the way faster than this step allows.";
      return { tone: "bad", title: `Diverged after ${counted(n)}`, text: `${why} (${run.reason}.)`, fix: fix(`Use a step of ${spelled(safe)}`, { step: safe }) };
    }
    case "stalled":
      return { tone: "warn", title: `Stalled after ${counted(n)} at ${where}`, text: "It goes to and fro without getting lower. A smaller step may settle.", fix: fix(`Use a step of ${spelled(rounded(asked.step / 4))}`, { step: rounded(asked.step / 4) }) };
    default: {
      const more = [200, 1000, 2000].find((steps) => steps > asked.steps);
      return { tone: "warn", title: `On its way: ${counted(n)} took it to ${where}`, text: `The loss is down from ${spelled(run.losses[0])} to ${spelled(run.losses.at(-1))}, and the slope is not yet 0.`, fix: more ? fix(`Allow ${more.toLocaleString()} steps`, { steps: more }) : null };
    }
  }
}

const counted = (n) => `${n.toLocaleString()} step${n === 1 ? "" : "s"}`;
export const rounded = (value) => Number(value.toPrecision(2));

/** The step beside its limit, in words. */
export function limitWords(run, asked) {
  if (["rmsprop", "adam"].includes(asked.by)) return `${titleOf(asked.by)} has no largest stable step: it moves about η a step however steep the ground, and circles when η is large.`;
  if (asked.by === "newton") return asked.step < 2 ? "Newton divides by the bend itself: 1 jumps to the bottom of the fitted bowl, 2 would leave it." : "Newton leaves a bowl from a step of 2 on.";
  if (run.step_limit === null) return "Nothing bends upward at this start, so no largest stable step follows from here.";
  const formula = { "gradient-descent": "2/L", momentum: "2(1+μ)/L", nesterov: "2(1+μ)/((1+2μ)L)" }[asked.by];
  const ends = run.verdict === "diverged" ? "; yours is beyond it and diverges" : "; yours is beyond it";
  const stands = asked.step < run.step_limit ? `; yours is ${Math.max(1, Math.round((100 * asked.step) / run.step_limit))} % of it` : ends;
  return `Largest stable step at this start: ${spelled(run.step_limit, 3)} = ${formula}, L the strongest bend${stands}.`;
}
