// How figures, intervals, metrics and moments are written on every page. No DOM.
//
//   figure(0.8312) → "0.831"       estimated({ value, low, high }) → "0.83 (0.80 to 0.86)"       delta(-0.01) → "−0.01"
//   metricName("roc_auc") → "ROC AUC"       count(1, "row") → "1 row"       ago(moment) → "2 hours ago"

import { percent, spelled } from "/design/scales.js";

export const METRICS = {
  roc_auc: "ROC AUC", average_precision: "Average precision", accuracy: "Accuracy", balanced_accuracy: "Balanced accuracy", precision: "Precision",
  recall: "Recall", ece: "Calibration error", ece_uncalibrated: "Calibration error before scaling", log_loss: "Log loss", brier_score: "Brier score", r2: "R²",
  mean_absolute_error: "Mean absolute error", root_mean_squared_error: "Root mean squared error",
};
// Of these a smaller figure is the better one.
const ERRORS = new Set(["log_loss", "brier_score", "mean_absolute_error", "root_mean_squared_error", "ece", "ece_uncalibrated"]);

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

export { percent, spelled };

export function ago(moment) {
  const minutes = (Date.now() - new Date(moment)) / 60000;
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  if (minutes < 60) return words.format(-Math.round(minutes), "minute");
  if (minutes < 60 * 24) return words.format(-Math.round(minutes / 60), "hour");
  return words.format(-Math.round(minutes / 60 / 24), "day");
}

export const dateWords = (moment) => new Date(moment).toLocaleString(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
