// What each bench of the probability room can be set to, what it asks, and what is drawn of the answer. Knows no DOM.

import { percent, spelled } from "/design/scales.js";

const SOURCES = [
  { value: "normal", label: "Normal" }, { value: "uniform", label: "Uniform" }, { value: "exponential", label: "Exponential" },
  { value: "coin", label: "Coin" }, { value: "poisson", label: "Poisson" }, { value: "cauchy", label: "Cauchy" },
];
const again = { kind: "buttons", buttons: [{ label: "Draw again", change: ({ seed }) => ({ seed: Number(seed) + 1 }) }] };
const size = (name, label, min, max) => ({ kind: "slider", name, label, min, max, scale: "sizes" });

/** Bars of what was drawn, and the curve of what theory says, over the same bins. */
function spread({ x, low, high, observed, expected }, { title, axis, theory, height = 300, extra = {} }) {
  return {
    title, ...extra, x: { title: axis, kind: "number", values: x, domain: [low, high] },
    panels: [{ height, y: { title: "Density", zero: true }, marks: [
      { kind: "bars", y: observed, name: "drawn", token: "--series-1", faint: () => true },
      { kind: "line", y: expected, name: theory, token: "--series-2" },
    ] }],
  };
}

const PARAMETERS = {
  normal: [{ label: "Mean", usual: 0, min: -5, max: 5, step: 0.1 }, { label: "Standard deviation", usual: 1, min: 0.1, max: 5, step: 0.1 }],
  uniform: [{ label: "Low end", usual: 0, min: -5, max: 4.9, step: 0.1 }, { label: "High end", usual: 1, min: -4.9, max: 5, step: 0.1 }],
  exponential: [{ label: "Rate", usual: 1, min: 0.1, max: 5, step: 0.1 }],
  coin: [{ label: "Share of heads", usual: 0.5, min: 0, max: 1, step: 0.01 }, { label: "Flips", usual: 10, min: 1, max: 60, step: 1 }],
  poisson: [{ label: "Rate", usual: 3, min: 0.1, max: 30, step: 0.1 }],
  cauchy: [{ label: "Middle", usual: 0, min: -5, max: 5, step: 0.1 }, { label: "Scale", usual: 1, min: 0.1, max: 5, step: 0.1 }],
};

const distributions = {
  id: "distributions", label: "Distributions",
  see: "the bars of a sample close in on the curve they are drawn from.",
  try: "draw more; then take the Cauchy, whose average never finds a mean.",
  defaults: { source: "normal", a: 0, b: 1, n: 500, seed: 0 },
  controls: ({ source }) => [
    { kind: "choice", name: "source", label: "Distribution", options: SOURCES, then: (next) => ({ a: PARAMETERS[next][0].usual, b: PARAMETERS[next][1]?.usual ?? 1 }) },
    ...(PARAMETERS[source] || []).map((one, k) => ({ kind: "slider", name: "ab"[k], ...one })),
    size("n", "Values drawn", 10, 100_000), again,
  ],
  pictures: ({ says, histogram, mean, std }, { source }) => [spread(histogram, { title: says, axis: "Value", theory: source, extra: { note: mean === null ? "No mean, no variance; only part of the tails is shown" : `Mean ${spelled(mean)}, standard deviation ${spelled(std)}` } })],
};

const largeNumbers = {
  id: "large-numbers", label: "Large numbers",
  see: "averages of more and more draws settle, and the funnel of chance narrows as 1/√k.",
  try: "the Cauchy: one wild draw moves even an average of thousands.",
  defaults: { source: "coin", n: 2000, n_paths: 5, seed: 0 },
  controls: () => [{ kind: "choice", name: "source", label: "Drawn from", options: SOURCES }, size("n", "Draws", 10, 50_000), { kind: "slider", name: "n_paths", label: "Paths", min: 1, max: 8, step: 1 }, again],
  pictures: ({ says, at, paths, mean, low, high }) => [{
    title: says, note: low.length ? "Shaded: where 95 % of averages lie, mean ± 1.96 σ/√k" : "",
    x: { title: "Draws averaged, each step a factor", kind: "number", values: at.map((k) => Math.log10(k)), format: (value) => spelled(Math.round(10 ** value)) },
    panels: [{ height: 320, y: { title: "Average" }, marks: [
      ...(low.length ? [{ kind: "area", low, high, token: "--series-1" }] : []),
      ...(mean === null ? [] : [{ kind: "level", at: mean, name: `mean ${spelled(mean)}` }]),
      ...paths.map((y, k) => ({ kind: "line", y, name: "", token: `--series-${k + 1}`, isQuiet: k > 0 })),
    ] }],
    table: { columns: ["draws", ...paths.map((_, k) => `average, path ${k + 1}`)], rows: at.map((k, n) => [k, ...paths.map((path) => path[n])]) },
  }],
};

const centralLimit = {
  id: "central-limit", label: "Central limit",
  see: "averages become normal, whatever they are averages of.",
  try: "size 1, then 2, 5, 30; and the Cauchy, which refuses.",
  defaults: { source: "exponential", size: 2, n_samples: 5000, seed: 0 },
  controls: () => [{ kind: "choice", name: "source", label: "Drawn from", options: SOURCES }, size("size", "Values in each average", 1, 500), size("n_samples", "Averages", 100, 20_000), again],
  pictures: ({ says, histogram, distance }) => [spread(histogram, { title: says, axis: distance === null ? "Average" : "Average, in standard errors from the mean", theory: distance === null ? "one Cauchy value" : "normal" })],
};

const TRUTHS = { "waiting times": [0.2, 5, 1], counts: [0.2, 15, 3], coin: [0.05, 0.95, 0.6], measurements: [0.1, 10, 2] };
const PARAMETER_NAMES = { "waiting times": "Rate", counts: "Rate", coin: "Share of heads", measurements: "Mean" };
const likelihood = {
  id: "likelihood", label: "Likelihood",
  see: "each parameter makes the data more or less likely; the best is the top of the curve.",
  try: "drag in the curve, or use the slider, and watch the density leave the data; then draw fewer values and see the curve widen.",
  defaults: { model: "waiting times", truth: 1, n: 20, at: "", seed: 0 },
  ask: ({ at, ...rest }) => ({ ...rest, at: at === "" ? null : at }),
  controls: ({ model }, answer) => [
    { kind: "choice", name: "model", label: "Data", options: Object.keys(TRUTHS).map((one) => ({ value: one, label: one[0].toUpperCase() + one.slice(1) })), then: (next) => ({ truth: TRUTHS[next][2], at: "" }) },
    { kind: "slider", name: "truth", label: `${PARAMETER_NAMES[model]} they are drawn with`, min: TRUTHS[model]?.[0] ?? 0.1, max: TRUTHS[model]?.[1] ?? 5, step: 0.05 },
    size("n", "Values", 2, 1000),
    ...(answer ? [{ kind: "slider", name: "at", label: `${PARAMETER_NAMES[model]} you try`, min: answer.parameter[0], max: answer.parameter.at(-1), step: "any", value: answer.at }] : []),
    { kind: "buttons", buttons: [{ label: "Go to the top", change: () => ({ at: answer?.best ?? "" }) }, ...again.buttons] },
  ],
  pictures: ({ says, parameter, likelihood: share, best, low, high, at, at_likelihood, histogram }, { model }, set) => [
    {
      title: says, note: `You try ${spelled(at, 3)}: ${percent(at_likelihood)} as likely as the top. Shaded: 95 % interval`,
      x: { title: PARAMETER_NAMES[model], kind: "number", values: parameter }, shade: { from: low, to: high }, mark: at,
      panels: [{ height: 220, y: { title: "Share of the top", domain: [0, 1] }, marks: [{ kind: "line", y: share, name: "likelihood", token: "--series-1" }] }],
      onPick: (x) => set({ at: Number(x.toPrecision(4)) }), best,
    },
    spread(histogram, { title: Math.abs(at - best) < 0.02 * Math.abs(high - low) ? "This density fits the data best" : "The density you try, over the data", axis: "Value", theory: "tried", height: 220 }),
  ],
};

const bayes = {
  id: "bayes", label: "Bayes",
  see: "each flip moves the belief and narrows it; a strong prior needs more flips to be moved.",
  try: "a prior of 50 and 50, then flips of a coin that shows heads 90 % of the time.",
  defaults: { a: 1, b: 1, share: 0.7, n_flips: 0, seed: 0 },
  controls: (_, answer) => [
    { kind: "buttons", buttons: [{ label: "Flip one", kind: "primary", change: ({ n_flips }) => ({ n_flips: n_flips + 1 }) }, { label: "Flip ten", change: ({ n_flips }) => ({ n_flips: n_flips + 10 }) }, { label: "Forget", change: ({ seed }) => ({ n_flips: 0, seed: seed + 1 }) }] },
    { kind: "slider", name: "a", label: "Prior: heads, plus one", min: 0.5, max: 60, step: 0.5 },
    { kind: "slider", name: "b", label: "Prior: tails, plus one", min: 0.5, max: 60, step: 0.5 },
    { kind: "slider", name: "share", label: "The coin's true share of heads", min: 0, max: 1, step: 0.01 },
    ...(answer ? [{ kind: "figures", rows: [["Expected share", spelled(answer.mean, 3)], ["95 % of the belief", `${spelled(answer.low, 2)} to ${spelled(answer.high, 2)}`]] }] : []),
  ],
  pictures: ({ says, share, prior, posterior, low, high }, { share: truth }) => [{
    title: says, note: "Solid: belief now; dashed: prior; shaded: the middle 95 %; line: the coin's true share",
    x: { title: "Share of heads", kind: "number", values: share, domain: [0, 1] }, shade: { from: low, to: high }, mark: Number(truth),
    panels: [{ height: 320, y: { title: "Belief", zero: true }, marks: [
      { kind: "line", y: posterior, name: "now", token: "--series-1" },
      { kind: "line", y: prior, name: "prior", token: "--series-2", isDashed: true, isQuiet: true },
    ] }],
  }],
};

const MINUTES = "4.1, 5.0, 5.3, 5.9, 6.2, 6.4, 7.1, 7.7, 8.3, 9.6, 12.4, 31.0";
const bootstrap = {
  id: "bootstrap", label: "Bootstrap",
  see: "drawing again from the sample itself shows how far its statistic would move.",
  try: "the median instead of the mean; then take the 31 away, or paste numbers of your own.",
  defaults: { values: MINUTES, statistic: "mean", level: 0.95, n_resamples: 2000, seed: 0 },
  ask: ({ values, ...rest }) => ({ ...rest, values: values.split(/[\s,;]+/).filter(Boolean).map((one) => (Number.isNaN(Number(one)) ? one : Number(one))) }),
  controls: () => [
    { kind: "numbers", name: "values", label: "The sample", note: "2 to 500 numbers" },
    { kind: "choice", name: "statistic", label: "Statistic", options: [{ value: "mean", label: "Mean" }, { value: "median", label: "Median" }, { value: "std", label: "Standard deviation" }] },
    { kind: "slider", name: "level", label: "Level", min: 0.5, max: 0.99, step: 0.01 }, size("n_resamples", "Resamples", 100, 10_000), again,
  ],
  pictures: ({ says, histogram, low, high, estimate }) => [spread(histogram, { title: says, axis: "Statistic of a resample", theory: "normal", extra: { shade: { from: low, to: high }, note: `Shaded: the interval. The curve is a normal of the same spread around ${spelled(estimate)}` } })],
};

const manyTests = {
  id: "many-tests", label: "Many tests",
  see: "test enough things of which none is there, and something is “found”.",
  try: "one test, then twenty, then two hundred; and look which corrections keep the promise.",
  defaults: { n_tests: 20, alpha: 0.05, seed: 0 },
  controls: () => [size("n_tests", "Tests in an experiment", 1, 500), { kind: "slider", name: "alpha", label: "False alarms you accept (α)", min: 0.01, max: 0.2, step: 0.01 }, again],
  pictures: ({ says, alarms, p_values, n_repeats }, { alpha }) => [
    {
      title: says, note: `Over ${n_repeats.toLocaleString()} experiments, with 95 % intervals`,
      x: { title: "Correction", kind: "names", values: alarms.map((one) => one.correction) },
      panels: [{ height: 240, y: { title: "Experiments with a false alarm", domain: [0, 1], format: (value) => percent(value) }, marks: [
        { kind: "range", y: alarms.map((one) => one.rate), low: alarms.map((one) => one.low), high: alarms.map((one) => one.high), name: "" },
        { kind: "level", at: Number(alpha), name: `α = ${alpha}` },
      ] }],
    },
    {
      title: `In this experiment ${alarms[0].n_now} of ${p_values.length} are below α, ${alarms.find((one) => one.correction === "holm").n_now} after Holm's correction`,
      x: { title: "Tests, smallest p-value first", kind: "number", values: p_values.map((_, k) => k + 1), domain: [0.5, p_values.length + 0.5], format: (k) => (Number.isInteger(k) ? String(k) : "") },
      panels: [{ height: 200, y: { title: "p-value", domain: [0, 1] }, marks: [{ kind: "bars", y: p_values, name: "p", token: "--series-1", faint: (k) => p_values[k] > alpha }, { kind: "level", at: Number(alpha) }] }],
    },
  ],
};

export const BENCHES = [distributions, largeNumbers, centralLimit, likelihood, bayes, bootstrap, manyTests];
