// The parts of monitoring: alerts, features and their distributions, answers, truths, a shadow, the log.
// Knows the `Monitoring` of the API. The same grey is training everywhere, the accent is now.

import { badge, h, s, setParam } from "/design/elements.js";
import { plot } from "/design/plots.js";
import { capital, count, estimated, estimatedChange, figure, metricName, percent } from "/words.js";

const TONE = { problem: "bad", warning: "warn", note: "accent", strong: "bad", moderate: "warn", slight: "accent", none: null, "too few": null };
const MOVED = { none: "not moved", "too few": "too few rows" };
const TRAINING = "--series-8";
const NOW = "--series-1";
const SHOWN = 60;

export function alerts(found) {
  if (!found.length) return null;
  return h("section", { class: "card stack", "aria-label": "Alerts" }, h("ul", { class: "alerts" }, found.map((one) => h("li", {},
    badge(one.severity, TONE[one.severity]),
    h("div", {}, h("p", {}, !one.message.startsWith(one.subject) && h("b", {}, `${one.subject}: `), one.message), h("p", { class: "next" }, h("span", { class: "muted" }, "What to do: "), one.next_step))))));
}

export function features({ features: watched }) {
  if (!watched.length) return null;
  const moved = watched.filter((one) => !MOVED[one.movement]);
  const verdict = moved.length ? `${moved.length} of ${count(watched.length, "feature")} moved` : watched.every((one) => one.movement === "too few") ? "Too few rows to tell whether a feature moved" : `No feature moved beyond chance`;
  const head = [["Feature", ""], ["Movement", ""], ["PSI", "num"], ["Training, now", "wide"], ["Missing", "num wide"], ["Unseen", "num wide"], ["What was seen", "wide"]].map(([word, kind]) => h("th", { scope: "col", class: kind || null }, word));
  return h("section", { class: "card stack", "aria-labelledby": "features-title" },
    h("header", { class: "row between" }, h("h2", { id: "features-title" }, verdict), legend()),
    h("div", { class: "scroll-x" }, h("table", { class: "table watch", id: "features" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, watched.slice(0, SHOWN).map(featureRow)))),
    watched.length > SHOWN && h("p", { class: "hint" }, `${SHOWN} of ${watched.length} features; the API has them all.`));
}

function featureRow(one) {
  const open = () => setParam("feature", one.feature);
  return h("tr", { onclick: open },
    h("td", {}, h("button", { class: "look", type: "button", "data-key": one.feature, onclick: (event) => { event.stopPropagation(); open(); } }, one.feature)),
    h("td", {}, movement(one.movement)),
    h("td", { class: "num" }, one.psi === null ? "" : one.psi.toFixed(3)),
    h("td", { class: "wide" }, tinyBars(one)),
    h("td", { class: "num wide" }, percent(one.missing)),
    h("td", { class: "num wide" }, percent(one.unseen)),
    h("td", { class: "wide message" }, one.message));
}

const movement = (word) => badge(MOVED[word] || word, TONE[word]);
const legend = () => h("p", { class: "legend hint" }, h("i", { style: { background: `var(${TRAINING})` } }), "training", h("i", { style: { background: `var(${NOW})` } }), "now");

/** Training's share of each bin as an outline in grey, the share now as a bar. */
function tinyBars({ bins, feature }) {
  const [wide, tall] = [120, 24];
  const most = Math.max(...bins.flatMap((bin) => [bin.expected, bin.seen]), 1e-9);
  const step = wide / Math.max(1, bins.length);
  const half = Math.max(1, step / 2 - 0.75);
  const bar = (share, k, slot, token) => { const high = Math.max(share ? 1 : 0, (share / most) * tall); return s("rect", { x: (k * step + slot * half).toFixed(1), width: half.toFixed(1), y: (tall - high).toFixed(1), height: high.toFixed(1), style: { fill: `var(${token})` } }); };
  return s("svg", { class: "tiny", viewBox: `0 0 ${wide} ${tall}`, width: wide, height: tall, role: "img", "aria-label": `Distribution of ${feature}, training and now` }, bins.map((bin, k) => [bar(bin.expected, k, 0, TRAINING), bar(bin.seen, k, 1, NOW)]));
}

export function distribution(bins, { title, file, x, note = "" }) {
  return plot({
    title, note, file, x: { title: x, kind: "names", values: bins.map((bin) => bin.label) },
    panels: [{ height: 170, y: { title: "Share of rows", zero: true, format: percent }, marks: [{ kind: "bars", y: bins.map((bin) => bin.expected), name: "training", token: TRAINING }, { kind: "bars", y: bins.map((bin) => bin.seen), name: "now", token: NOW }] }],
  }).element;
}

/** The side panel of a feature: in words, in two distributions, in figures. */
export function featurePanel(seen, name) {
  const one = seen?.features.find((watched) => watched.feature === name);
  if (!one) return { title: name, eyebrow: "Feature", body: h("p", { class: "muted" }, seen ? "The model that answers now has no such feature." : "Its distribution shows here once the watch has answered.") };
  const far = [...one.bins].sort((a, b) => Math.abs(b.seen - b.expected) - Math.abs(a.seen - a.expected))[0];
  return {
    title: one.feature, eyebrow: `${capital(one.kind)}, now against training`,
    body: [
      h("div", {}, movement(one.movement)),
      h("p", {}, one.message),
      distribution(one.bins, { title: far ? `${percent(far.seen)} now at ${far.label}, ${percent(far.expected)} in training` : "No distribution", file: `drift-${one.feature.replace(/\W+/g, "-")}`, x: one.feature }),
      legend(),
      h("dl", { class: "pairs" }, [["PSI less chance", one.psi === null ? "too few rows" : one.psi.toFixed(3)], ["Adjusted p", one.p_adjusted === null ? "too few rows" : figure(one.p_adjusted)], ["Missing", `${percent(one.missing)}, ${percent(one.missing_expected)} in training`], ["Never seen in training", percent(one.unseen)]].map(([term, words]) => [h("dt", {}, term), h("dd", {}, words)])),
    ],
  };
}

export function predictions({ prediction }) {
  if (!prediction) return null;
  const isClasses = prediction.classes.length > 0;
  return h("section", { class: "card stack", "aria-labelledby": "said-title" },
    h("header", { class: "row between" }, h("h2", { id: "said-title" }, "What it answers"), movement(prediction.movement)),
    h("p", {}, prediction.message),
    distribution(prediction.bins, { title: isClasses ? `Probability of ${prediction.of}` : `Predicted ${prediction.of}`, file: "predictions", x: isClasses ? `probability of ${prediction.of}` : prediction.of }),
    isClasses && classShares(prediction.classes), legend());
}

function classShares(classes) {
  const rows = classes.map((one) => [h("span", { class: "truncate", title: one.label }, one.label), pair(one.expected, one.seen), h("span", { class: "num" }, percent(one.seen), h("small", { class: "muted" }, ` expected ${percent(one.expected)}`))]);
  return h("div", {}, h("h3", {}, "Classes said"), h("div", { class: "bars shares", role: "group", "aria-label": "Share of each class said" }, rows));
}

const pair = (expected, seen) => h("span", { class: "pair", "aria-hidden": "true" }, h("i", { style: { "--share": String(expected), background: `var(${TRAINING})` } }), h("i", { style: { "--share": String(seen), background: `var(${NOW})` } }));

export function truths({ truth }) {
  if (!truth) return h("section", { class: "card stack" }, h("h2", {}, "What became of it"), h("p", { class: "muted" }, "No truth is known yet. Tell what became of a prediction with POST /v1/feedback and the id of its answer; accuracy with its interval shows here."));
  const first = (name) => (name === truth.metric ? 0 : 1);
  const names = Object.keys(truth.metrics).sort((a, b) => first(a) - first(b));
  const rows = names.map((name) => h("tr", { class: name === truth.metric ? "chosen" : null }, h("th", { scope: "row" }, metricName(name)), h("td", { class: "num" }, estimated(truth.metrics[name])), h("td", { class: "num" }, truth.expected[name] ? estimated(truth.expected[name]) : "")));
  const held = truth.coverage && h("p", { class: "hint" }, `${percent(truth.coverage.value)} (${percent(truth.coverage.low)} to ${percent(truth.coverage.high)}) of truths lay inside the answer's set or interval, made for ${percent(truth.level)}.`);
  return h("section", { class: "card stack", "aria-labelledby": "truth-title" },
    h("h2", { id: "truth-title" }, truth.verdict),
    rows.length > 0 && h("div", { class: "scroll-x" }, h("table", { class: "table", id: "live-scores" }, h("thead", {}, h("tr", {}, ["Metric", `${count(truth.n_truths, "truth")} so far`, "held out in training"].map((word, k) => h("th", { scope: "col", class: k ? "num" : null }, word)))), h("tbody", {}, rows))),
    held, truth.n_pending > 0 && h("p", { class: "hint" }, `${count(truth.n_pending, "truth")} wait for a prediction that is not in the log.`));
}

export function shadow(one, prediction) {
  const of = prediction?.classes.length ? ` in the probability of ${prediction.of}` : "";
  const facts = [
    ["Rows compared", one.n_rows.toLocaleString()],
    one.agreement && ["Same class", estimated(one.agreement, percent)],
    one.mean_difference && [`Mean difference${of}`, estimatedChange(one.mean_difference)],
    one.champion_score && [`Champion, ${metricName(one.metric)}`, estimated(one.champion_score)],
    one.candidate_score && [`Candidate, ${metricName(one.metric)}`, estimated(one.candidate_score)],
    one.difference && ["Candidate less champion", `${estimatedChange(one.difference)}, ${count(one.n_truths, "truth")}`],
    one.n_skipped > 0 && ["Not asked, it was busy", count(one.n_skipped, "request")],
    one.n_failed > 0 && ["Could not answer", count(one.n_failed, "request")],
  ].filter(Boolean);
  return h("section", { class: "card stack", "aria-labelledby": "shadow-title" },
    h("header", { class: "stack tight" }, h("p", { class: "eyebrow" }, `Version ${one.candidate.version} (${one.candidate.alias}) answers unseen beside`), h("h2", { id: "shadow-title" }, one.verdict)),
    h("dl", { class: "pairs" }, facts.map(([term, words]) => [h("dt", {}, term), h("dd", { class: "num" }, words)])),
    h("div", {}, h("button", { class: "button", "data-size": "small", type: "button", onclick: () => setParam("tab", "history") }, "See the versions")));
}

export function logState(log) {
  const words = log.is_on ? `The prediction log stored ${count(log.n_stored, "request")}; ${log.n_waiting.toLocaleString()} wait.` : "Predictions are not logged, so that nothing is watched beyond this process (P1_LOG_PREDICTIONS).";
  return h("p", { class: "log-state hint" }, words, log.n_lost > 0 && [" ", badge(`${log.n_lost.toLocaleString()} lost`, "bad")], log.trouble && h("span", { class: "field-error" }, ` ${log.trouble}`));
}
