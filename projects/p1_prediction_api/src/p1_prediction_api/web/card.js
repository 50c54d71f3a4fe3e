// How good the model is on rows it never saw, why it was chosen, and what was left out of the table.

import { badge, h } from "/design/elements.js";
import { between, estimated, figure, metricName, percent, quoted } from "/words.js";

export function modelCard({ card, signature }) {
  return h("section", { class: "card stack goes-stale", id: "card", "aria-labelledby": "card-title" },
    h("h2", { id: "card-title" }, "How good it is"),
    h("p", { class: "muted" }, `On ${card.n_test.toLocaleString()} rows it never saw: ${card.split}.`),
    figures(card, signature), certainty(card, signature), candidates(card), leftOut(card));
}

// Of two classes these are of saying the one that is looked for, from the threshold on.
const ofPositive = (name, { positive }) => (positive && ["precision", "recall"].includes(name) ? ` of ${quoted(positive)}` : "");

function figures(card, signature) {
  const first = ([name]) => (name === card.metric ? 0 : 1); // what the choice was made by stands first
  const rows = Object.entries(card.metrics).sort((a, b) => first(a) - first(b)).map(([name, m]) => h("tr", { class: name === card.metric ? "chosen" : null },
    h("th", { scope: "row" }, metricName(name), ofPositive(name, signature)), h("td", { class: "num" }, figure(m.value)), h("td", { class: "num" }, between(m)), h("td", { class: "num" }, figure(card.baseline[name]))));
  const head = ["Metric", "value", "95 % interval", "guessing"].map((word, k) => h("th", { scope: "col", class: k ? "num" : null }, word));
  return h("div", { class: "scroll-x", tabindex: 0 }, h("table", { class: "table", id: "figures" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)));
}

function certainty({ uncertainty, calibration, threshold_because: because }, signature) {
  const lines = [
    uncertainty && [`${signature.task === "classification" ? "Sets" : "Intervals"} at ${percent(uncertainty.level)}`, `held the truth in ${estimated(uncertainty.coverage, percent)} of rows never seen; ${signature.task === "classification" ? `${figure(uncertainty.mean_size)} classes` : `${figure(uncertainty.mean_size)}${signature.unit ? ` ${signature.unit}` : ""} wide`} on average`],
    calibration.error && ["Calibration error", estimated(calibration.error)],
    because && [`Threshold ${figure(signature.threshold)}`, because],
  ].filter(Boolean);
  return lines.length > 0 && h("dl", { class: "pairs" }, lines.map(([term, words]) => [h("dt", {}, term), h("dd", {}, words)]));
}

function candidates(card) {
  const rows = card.candidates.map((c) => h("tr", { class: c.is_chosen ? "chosen" : null },
    h("th", { scope: "row" }, c.name, c.is_chosen && [" ", badge("chosen", "accent")], c.note && h("p", { class: "hint" }, c.note)),
    h("td", { class: "num" }, `${figure(c.score)} ± ${(2 * c.standard_error).toFixed(3)}`), h("td", { class: "num" }, `${figure(c.fit_s)} s`), h("td", { class: "num" }, `${figure(c.predict_us)} µs`)));
  const head = ["Candidate", `${metricName(card.metric)}, cross-validated`, "to fit", "a row"].map((word, k) => h("th", { scope: "col", class: k ? "num" : null }, word));
  return h("details", {}, h("summary", {}, `Why this one: ${card.chosen_because}`), h("div", { class: "scroll-x", tabindex: 0 }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows))));
}

function leftOut(card) {
  const dropped = Object.entries(card.dropped).map(([name, why]) => h("li", {}, h("b", {}, name), `: ${why}`));
  const warned = card.warnings.map((text) => h("li", {}, text));
  if (!dropped.length && !warned.length) return null;
  return h("details", { open: warned.length > 0 }, h("summary", {}, "What to know about the data"), h("ul", { class: "notes" }, warned, dropped));
}
