// How figures, intervals and names are written on this page. No DOM.

import { percent, spelled } from "/design/scales.js";

export const METRICS = {
  roc_auc: "ROC AUC", average_precision: "Average precision", accuracy: "Accuracy", balanced_accuracy: "Balanced accuracy", precision: "Precision",
  recall: "Recall", log_loss: "Log loss", brier_score: "Brier score", r2: "R²",
  mean_absolute_error: "Mean absolute error", root_mean_squared_error: "Root mean squared error",
};
// Of these a smaller figure is the better one.
const ERRORS = new Set(["log_loss", "brier_score", "mean_absolute_error", "root_mean_squared_error"]);

export const metricName = (name) => METRICS[name] || name.replaceAll("_", " ");
export const isError = (name) => ERRORS.has(name);

/** Three significant digits, with a true minus. */
export const figure = (value) =>
  value === null || value === undefined ? "" : value.toLocaleString(undefined, { maximumSignificantDigits: 3, minimumSignificantDigits: 3 }).replace("-", "−");
export const signed = (value) => `${value < 0 ? "−" : "+"}${figure(Math.abs(value))}`;
export const between = (estimate, write = figure) => `${write(estimate.low)} to ${write(estimate.high)}`;

/** An estimate with its interval, in the digits that the interval leaves a meaning. */
export function estimated(estimate, write = digitsOf(estimate)) {
  return `${write(estimate.value)} (${between(estimate, write)})`;
}

export function estimatedChange(estimate) {
  const write = digitsOf(estimate);
  const signedly = (value) => `${value < 0 ? "−" : "+"}${write(Math.abs(value))}`;
  return `${signedly(estimate.value)} (${signedly(estimate.low)} to ${signedly(estimate.high)})`;
}

function digitsOf({ low, high }) {
  const half = (high - low) / 2;
  if (!(half > 0)) return figure;
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(half))));
  return (value) => value.toLocaleString(undefined, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).replace("-", "−");
}

/** By how much, in two digits: "+0.001". */
export const delta = (value) => `${value < 0 ? "−" : "+"}${spelled(Math.abs(value), 2)}`;

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const count = (n, one, many = `${one}s`) => `${n.toLocaleString()} ${n === 1 ? one : many}`;
export const quoted = (name) => `“${name}”`;

export function valueWords(value, unit = "") {
  if (value === null || value === undefined) return "missing";
  return typeof value === "number" ? `${spelled(value, 5)}${unit ? ` ${unit}` : ""}` : String(value);
}

/** What the model said, for the result line. */
export function answerWords({ prediction }, unit = "") {
  return typeof prediction === "number" ? valueWords(prediction, unit) : prediction;
}

/** How sure the answer is, as conformal prediction lets one say it; empty where the model cannot. */
export function surenessWords(one, level, unit = "") {
  if (!level) return "";
  const often = `${Math.round(100 * level)} times in 100`;
  if (one.interval) return `The truth lies between ${figure(one.interval[0])} and ${figure(one.interval[1])}${unit ? ` ${unit}` : ""} ${often}.`;
  if (!one.prediction_set) return "";
  if (!one.prediction_set.length) return `Unlike the rows it learned from: no class is plausible at ${often}.`;
  const last = one.prediction_set.at(-1);
  const others = one.prediction_set.slice(0, -1);
  return `Sets made like this one hold the truth ${often}: ${others.length ? `${others.join(", ")} or ${last}` : last}.`;
}

export { percent, spelled };

export function ago(moment) {
  const minutes = (Date.now() - new Date(moment)) / 60000;
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  if (minutes < 60) return words.format(-Math.round(minutes), "minute");
  if (minutes < 60 * 24) return words.format(-Math.round(minutes / 60), "hour");
  return words.format(-Math.round(minutes / 60 / 24), "day");
}

export const dateWords = (moment) => new Date(moment).toLocaleString(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
