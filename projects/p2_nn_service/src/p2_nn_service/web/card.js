// The card of the model that answers: how good it is, what it costs, what it was not made for, how it was made.

import { h, setParam } from "/design/elements.js";
import { ago, count, dateWords, figure, metricName } from "/design/words.js";
import { bytesWords } from "/costs.js";

const PERCENTAGES = new Set(["accuracy", "balanced_accuracy"]);

export function modelCard({ card, created_at: at, code_revision: code, n_mistakes: n }) {
  const [channels, height, width] = card.shape;
  return h("aside", { class: "card stack goes-stale", id: "card", "aria-labelledby": "card-title" },
    h("h2", { id: "card-title" }, "How good it is"),
    figures(card.metrics),
    h("dl", { class: "pairs" }, [
      ["Learned from", `${card.dataset}${card.licence ? `, licence ${card.licence}` : ""}`],
      ["Takes", `${channels === 1 ? "grey" : "colour"} images, ${width} × ${height}`],
      ["Tells apart", count(card.classes.length, "class", "classes")],
      ["Published", h("time", { datetime: at, title: dateWords(at) }, ago(at))],
    ].map(([term, words]) => [h("dt", {}, term), h("dd", {}, words)])),
    n > 0 && h("button", { class: "look", type: "button", onclick: () => setParam("tab", "mistakes") }, `See the ${count(n, "mistake")} it is surest of`),
    limits(card), strangers(card.strangeness.auroc), costs(card.variants), made(card, code));
}

function figures(metrics) {
  const row = ([name, one]) => h("tr", {}, h("th", { scope: "row" }, metricName(name)), h("td", { class: "num" }, ...valued(name, one)));
  return h("div", { class: "scroll-x" }, h("table", { class: "table", id: "figures" }, h("caption", { class: "hint" }, "On images it never saw, with 95 % intervals"), h("tbody", {}, Object.entries(metrics).map(row))));
}

/** The value, and below it the interval; shares as percentages. */
function valued(name, one) {
  const isShare = PERCENTAGES.has(name);
  const write = (value) => (isShare ? (100 * value).toFixed(1) : figure(value));
  return [h("b", {}, `${write(one.value)}${isShare ? " %" : ""}`), h("small", { class: "muted range" }, `${write(one.low)} to ${write(one.high)}`)];
}

function limits({ limits: said }) {
  return said.length > 0 && h("section", { class: "stack tight" }, h("h3", {}, "What it was not made for"), h("ul", { class: "notes muted" }, said.map((text) => h("li", {}, text))));
}

function strangers(auroc) {
  const rows = Object.entries(auroc).sort((a, b) => b[1] - a[1]);
  return rows.length > 0 && h("details", {}, h("summary", {}, "How well it tells strangers"), h("p", { class: "hint" }, "Area under the ROC curve of strangeness, held-out images against each kind; 0.5 is guessing."), h("dl", { class: "pairs" }, rows.map(([name, area]) => [h("dt", {}, name), h("dd", { class: "num" }, figure(area))])));
}

function costs(variants) {
  const row = (one) => h("tr", {}, h("th", { scope: "row" }, one.variant), h("td", { class: "num" }, percentOf(one.accuracy.value)), h("td", { class: "num" }, bytesWords(one.n_bytes)), h("td", { class: "num" }, `${figure(one.latency_ms)} ms`));
  const head = ["Graph", "right", "size", "an image"].map((word, k) => h("th", { scope: "col", class: k ? "num" : null }, word));
  return h("details", {}, h("summary", {}, "What its graphs cost"), h("div", { class: "scroll-x" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, variants.map(row)))), h("button", { class: "look", type: "button", onclick: () => setParam("tab", "compare") }, "Compare with other networks"));
}

const percentOf = (share) => (share === null ? "" : `${(100 * share).toFixed(2)} %`);

function made(card, code) {
  const recipe = Object.entries(card.recipe).map(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", { class: "num" }, value || "none")]);
  return h("details", {}, h("summary", {}, "How it was made"),
    h("dl", { class: "pairs" }, [["Preset", card.preset], ["Run", card.run_id || "unknown"], ["Temperature", figure(card.temperature)], ["Code", code || "unknown"], ["Data", card.data_fingerprint.slice(0, 19) || "unknown"]].map(([term, words]) => [h("dt", {}, term), h("dd", { class: "num" }, words)]), recipe));
}

