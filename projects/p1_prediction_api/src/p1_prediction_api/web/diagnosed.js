// The diagnosis as charts: each title is what was found. The same sections, in the same order, as the full report.
// Knows the `Diagnosis` of the API (diagnosis/contracts.py). Draws with charts.js; next: traces.js for the shapes.

import { chart } from "/design/charts.js";
import { h } from "/design/elements.js";
import { tableElement } from "/design/figure.js";
import { band, bars, diagonal, dots, heat, spread, vertical } from "/traces.js";
import { capital, count, estimated, figure, metricName, percent, quoted, signed } from "/words.js";

const N_SHOWN = 15;

export function sections(d) {
  return [
    { slug: "learning", title: "How it learns", lead: "Inside the training part, by cross-validation.", figures: learns(d) },
    { slug: "errors", title: "How it errs", lead: `On the ${d.n_test.toLocaleString()} rows held out, seen once.`, figures: errs(d) },
    { slug: "slices", title: "Where it errs", lead: d.slices && `${count(d.slices.n_looked_at, "slice")} of one and two columns were looked at, on ${count(d.slices.n_rows, "row")} it did not learn from; intervals and odds pay for every one.`, figures: where(d) },
    { slug: "use", title: "What it uses", lead: "On rows held out. Columns that go together share their weight.", figures: uses(d) },
    { slug: "data", title: "The data", lead: "Faults that no model mends.", figures: data(d) },
    { slug: "shape", title: "The data without its target", lead: "Where to look, not a verdict.", figures: shape(d) },
  ].map((one) => ({ ...one, figures: one.figures.filter(Boolean) })).filter((one) => one.figures.length);
}

const drawn = (spec) => ({ element: chart({ height: 290, ...spec }).element });

/** A finding whose figures say more than a picture would. */
function tabled(title, note, columns, rows, isWide = false) {
  return { isWide, element: h("figure", { class: "chart" }, h("div", {}, h("h3", { class: "chart-title" }, title), note && h("p", { class: "chart-note" }, note)), h("div", { class: "scroll-x", tabindex: 0 }, tableElement({ columns, rows }))) };
}

function learns(d) {
  const metric = metricName(d.fit.metric);
  return [d.learning && learning(d.learning, metric), d.validation && validation(d.validation, metric), d.fit.rivals.length > 0 && rivals(d, metric)];
}

const curvePair = (points, x) => [
  dots("rows it learned from", x, points.map((p) => p.train), { mode: "lines+markers", token: "--series-2" }),
  dots("rows it did not", x, points.map((p) => p.validation), { mode: "lines+markers", token: "--series-1", error_y: { type: "data", array: points.map((p) => p.standard_error), thickness: 1, width: 3 } }),
];

function learning({ points, verdict }, metric) {
  const [title, ...more] = verdict.split("; ");
  return drawn({ title, note: more.length ? `${capital(more.join("; "))}. Whiskers: one standard error.` : "Whiskers: one standard error.", file: "learning-curve", x: { title: "Rows to learn from" }, y: { title: metric }, data: curvePair(points, points.map((p) => p.x)) });
}

function validation({ points, parameter, chosen, verdict }, metric) {
  const at = points.findIndex((p) => p.label === chosen);
  const mark = at >= 0 ? { shapes: [vertical(at)], annotations: [{ x: at, y: 1, yref: "paper", yanchor: "bottom", text: "chosen", showarrow: false }] } : {};
  const places = points.map((_, k) => k);
  return drawn({ title: verdict, note: "From simple to flexible. Whiskers: one standard error.", file: "validation-curve", x: { title: parameter, tickvals: places, ticktext: points.map((p) => p.label) }, y: { title: metric }, data: curvePair(points, places), layout: mark,
    table: { columns: [parameter, "learned from", "others", "± standard error"], rows: points.map((p) => [p.label, p.train, p.validation, p.standard_error]) } });
}

function rivals({ fit, model }, metric) {
  const best = fit.rivals.reduce((a, b) => (b.lead > a.lead ? b : a));
  const title = best.lead > 0 ? `On the same folds ${best.name} scored ${figure(best.score)}` : "Neither a simpler nor a more flexible rival does better";
  return tabled(title, "Lead: its score less the chosen model's, fold by fold.", ["Model", metric, "Lead", "± standard error"], [[`${model} (chosen)`, fit.cross_validated, null, null], ...fit.rivals.map((one) => [`${one.name} (${one.is_simpler ? "simpler" : "more flexible"})`, one.score, one.lead, one.lead_error])]);
}

function errs(d) {
  return [
    d.confusion && confusion(d),
    d.roc.length > 0 && rates(d.roc, true), d.precision_recall.length > 0 && rates(d.precision_recall, false),
    d.calibration && calibration(d.calibration),
    d.residuals && residuals(d.residuals, d), d.residuals && residualBins(d.residuals, d),
  ];
}

function confusion({ confusion: { classes, counts }, n_test: n, classes: shares }) {
  const right = counts.reduce((sum, row, k) => sum + row[k], 0);
  const wrong = counts.flatMap((row, i) => row.map((value, j) => (i === j ? null : [value, i, j])).filter(Boolean)).sort((a, b) => b[0] - a[0])[0];
  const mistake = wrong?.[0] ? `; most often ${classes[wrong[1]]} is taken for ${classes[wrong[2]]}` : "";
  const found = shares.map((one) => `${one.label} ${percent(one.recall.value)}`).slice(0, 6).join(", ");
  return drawn({
    title: `${percent(right / Math.max(n, 1))} right${mistake}`, note: `Found (recall): ${found}. Colour: share of the true class.`, file: "confusion",
    x: { title: "Said", type: "category" }, y: { title: "True", type: "category", autorange: "reversed" }, data: [heat(classes, counts)],
    table: { columns: ["True", ...classes.map((name) => `said ${name}`)], rows: counts.map((row, k) => [classes[k], ...row]) },
  });
}

function rates(curves, isRoc) {
  const least = curves.reduce((a, b) => (b.area.value < a.area.value ? b : a));
  const [x, y] = isRoc ? ["False positive rate", "True positive rate"] : ["Recall", "Precision"];
  const lines = curves.map((one) => dots(one.label, one.x, one.y, { mode: "lines", isInLegend: true, line: { shape: isRoc ? "linear" : "hv" } }));
  const guess = isRoc ? diagonal() : dots("guessing", [0, 1], [least.guess, least.guess], { mode: "lines", token: "--ink-3", line: { dash: "dash", width: 1.5 }, isInLegend: true });
  return drawn({ title: `${isRoc ? "ROC area" : "Average precision"} ${estimated(least.area)} for ${least.label}${curves.length > 1 ? ", the lowest" : ""}`, note: "Dashed: guessing.", file: isRoc ? "roc" : "precision-recall", x: { title: x, range: [0, 1] }, y: { title: y, range: [0, 1.02] }, data: [...lines, guess] });
}

function calibration({ bins, error, z, label }) {
  const seen = bins.map((bin) => bin.seen);
  return drawn({
    title: `Its probabilities are off by ${percent(error)} on average`, note: `On the dashed line they mean what they say. Spiegelhalter's z is ${signed(z)}.`, file: "calibration",
    x: { title: `Probability said of ${label}`, range: [0, 1] }, y: { title: "How often it was so", range: [0, 1] },
    data: [dots("bins", bins.map((bin) => bin.said), seen.map((one) => one.value), { mode: "markers", error_y: spread(seen), isInLegend: true }), diagonal("as said")],
    table: { columns: ["said", "was so", "from", "to", "rows"], rows: bins.map((bin) => [bin.said, bin.seen.value, bin.seen.low, bin.seen.high, bin.n]) },
  });
}

function residuals({ predicted, residual, spread_correlation: grows, spread_p: p }, { target, unit }) {
  const title = p < 0.01 && Math.abs(grows) > 0.1 ? `Errors ${grows > 0 ? "grow" : "shrink"} with the prediction (rank correlation ${figure(grows)})` : "Errors are as large at one end as at the other";
  return drawn({ title, note: "A curve means a relation that is missing; a funnel, errors that grow.", file: "residuals", x: { title: `Predicted ${target}`, unit }, y: { title: "Truth less prediction", unit, zeroline: true }, data: [dots("rows", predicted, residual, { mode: "markers", marker: { size: 4, opacity: 0.5 }, isInLegend: true })] });
}

function residualBins({ bins }, { target, unit }) {
  const off = bins.filter((bin) => bin.mean.low > 0 || bin.mean.high < 0).length;
  return drawn({ title: off ? `${off} of ${bins.length} bins of predictions are off on average` : "No part of the range is off on average", note: "Mean of truth less prediction, bins of equally many rows, 95 % intervals.", file: "residual-bins", x: { title: `Predicted ${target}`, unit }, y: { title: "Mean of truth less prediction", unit, zeroline: true }, data: [dots("bins", bins.map((bin) => bin.predicted), bins.map((bin) => bin.mean.value), { mode: "markers", error_y: spread(bins.map((bin) => bin.mean)), isInLegend: true })] });
}

function where({ slices }) {
  if (!slices?.worst.length) return [];
  const { worst, measure, overall } = slices;
  const n = worst.filter((one) => one.is_found).length;
  const isShare = measure.startsWith("share");
  const ordered = [...worst].reverse();
  const names = ordered.map((one) => one.where);
  const picture = drawn({
    title: n ? `${n} ${n === 1 ? "slice errs" : "slices err"} more than chance allows` : "No slice errs more than chance allows; these come closest",
    note: "Dots with corrected intervals; the tick is what was expected there, the dashed line the mean of all rows.", file: "slices", height: 90 + 34 * worst.length,
    x: { title: capital(measure), tickformat: isShare ? ".0%" : undefined }, y: { type: "category" },
    data: [
      dots("beyond chance", ordered.map((one) => one.error.value), names, { mode: "markers", token: n ? "--bad" : "--series-1", isInLegend: true, marker: { size: 8 }, error_x: spread(ordered.map((one) => one.error)) }),
      dots("expected", ordered.map((one) => one.expected), names, { mode: "markers", token: "--ink-2", isInLegend: true, marker: { symbol: "line-ns-open", size: 14 } }),
    ].map((trace, k) => (k === 0 && n < worst.length ? { ...trace, name: n ? "error (found ones first)" : "error" } : trace)),
    layout: { shapes: [vertical(overall)] },
    table: { columns: ["slice", "rows", measure, "from", "to", "expected", "adjusted p"], rows: worst.map((one) => [one.where, one.n, one.error.value, one.error.low, one.error.high, one.expected, one.p_adjusted]) },
  });
  const odds = tabled("Their sizes, and the odds against chance", `Error is the ${measure}.`, ["Slice", "Rows", "Adjusted p", ""], worst.map((one) => [one.where, one.n, one.p_adjusted, one.is_found ? "beyond chance" : "could be chance"]), true);
  return [{ ...picture, isWide: true }, odds];
}

function uses(d) {
  const metric = metricName(d.fit.metric);
  const [top] = d.importance;
  const shown = d.importance.slice(0, N_SHOWN).reverse();
  return [
    top && drawn({ title: `${quoted(top.column)} matters most: shuffled, ${metric} falls by ${figure(top.drop)}`, file: "importance", note: "Whiskers: spread over shuffles.", height: 90 + 22 * shown.length, x: { title: `Fall of ${metric}`, zero: true }, y: { type: "category" }, data: [bars(shown.map((one) => one.column), shown.map((one) => one.drop), { error_x: { type: "data", array: shown.map((one) => one.spread), thickness: 1, width: 3 } })] }),
    ...d.partial_dependence.map(dependence),
  ];
}

function dependence(one) {
  const [low, high] = [Math.min(...one.mean), Math.max(...one.mean)];
  const isCategory = one.labels.length > 0;
  const x = isCategory ? one.labels : one.x;
  const data = isCategory
    ? [dots("mean", x, one.mean, { mode: "markers", isInLegend: true, marker: { size: 8 }, error_y: spread(one.mean.map((value, k) => ({ value, low: one.low[k], high: one.high[k] }))) })]
    : [...band(x, one.low, one.high), dots("mean", x, one.mean, { mode: "lines", token: "--series-1", isInLegend: true })];
  return drawn({ title: `${quoted(one.column)} moves it by ${figure(high - low)}, from ${figure(low)} to ${figure(high)}`, note: "Mean prediction as the column is set to each value; the band holds 80 % of the rows.", file: `dependence-${one.column.replace(/\W+/g, "-")}`, x: { title: one.column, ...(isCategory ? { type: "category" } : {}) }, y: { title: one.of }, data, table: { columns: [one.column, "mean", "10 %", "90 %"], rows: one.mean.map((value, k) => [x[k], value, one.low[k], one.high[k]]) } });
}

function data(d) {
  return [d.leakage && leakage(d.leakage, d.target), d.label_noise && noise(d.label_noise, d), d.shift && shift(d.shift, d.duplicates)];
}

function leakage({ measure, columns, suspects }, target) {
  const shown = columns.slice(0, N_SHOWN).reverse();
  const title = suspects.length ? `${quoted(suspects[0])} alone nearly gives ${target} away` : `No column alone gives ${target} away; ${quoted(columns[0].column)} tells most`;
  return drawn({ title, file: "leakage", height: 90 + 22 * shown.length, x: { title: `${measure} of a column alone`, zero: true }, y: { type: "category" }, data: [bars(shown.map((one) => one.column), shown.map((one) => one.power), { token: suspects.length ? "--bad" : "--series-1" })] });
}

function noise(one, { findings, task, target }) {
  const isNamed = findings.some((found) => found.slug === "label-noise");
  const title = isNamed ? `${count(one.n_suspects, "value")} of ${target} to check, the surest first` : one.n_suspects ? `No sign of wrong values of ${target}; these are the least likely` : `No value of ${target} stands out as wrong`;
  if (!one.suspects.length) return tabled(title, "", ["Rows looked at"], [[one.n_rows]]);
  return tabled(title, task === "classification" ? "By confident learning, out of fold." : "Out of fold.", ["Row", "Given", "Likely", task === "classification" ? "Probability" : "Typical errors away"], one.suspects.slice(0, N_SHOWN).map((each) => [String(each.row), each.given, each.likely, each.confidence]));
}

function shift({ told_apart: apart, columns }, copies) {
  const repeated = copies ? ` ${copies.n_found.toLocaleString()} of ${copies.n_test.toLocaleString()} rows held out repeat a training row.` : "";
  return tabled(`Trees tell held-out rows from training rows with AUC ${estimated(apart)}`, `0.50 is not at all.${repeated}`, ["Column", "What moved", "Distance", "Adjusted p"], columns.slice(0, 8).map((one) => [one.column, one.words, one.distance, one.p_adjusted]), true);
}

function shape({ unsupervised: one, task }) {
  if (!one) return [];
  const isClasses = task === "classification";
  const worst = one.segments.reduce((a, b) => (b.error > a.error ? b : a), one.segments[0]);
  const write = isClasses ? percent : figure;
  const named = isClasses ? "Wrong" : "Mean error";
  const groups = one.segments.map((segment, k) => ({ segment, points: one.points.filter((point) => point.segment === k) }));
  const alone = one.points.filter((point) => point.is_outlier);
  const traces = groups.map(({ segment, points }) => dots(`segment ${segment.name}`, points.map((p) => p.x), points.map((p) => p.y), { mode: "markers", marker: { size: 5, opacity: 0.7 }, isInLegend: true }));
  if (alone.length) traces.push(dots("lies alone", alone.map((p) => p.x), alone.map((p) => p.y), { mode: "markers", token: "--ink", isInLegend: true, marker: { symbol: "circle-open", size: 10 } }));
  return [
    drawn({ title: one.verdict, note: "Principal components; ringed rows lie alone.", file: "segments", height: 340, x: { title: one.axes[0] }, y: { title: one.axes[1] }, data: traces }),
    worst && tabled(`It errs most in segment ${worst.name}: ${write(worst.error)} ${named.toLowerCase()}`, "Segments by k-means; errors on rows it did not learn from.", ["Segment", "Rows", named, "Unlike the rest"], one.segments.map((each) => [each.name, each.n, write(each.error), each.traits])),
    one.outliers.length > 0 && tabled("Rows that lie alone", "Isolation near 0.5 is ordinary, near 1 alone.", ["Row", "Isolation", "Why"], one.outliers.map((each) => [String(each.row), each.score, each.why]), true),
  ];
}
