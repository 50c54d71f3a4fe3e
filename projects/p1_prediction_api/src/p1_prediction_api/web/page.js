// The prediction page: a form made from the model's own row schema, the answer, and the model's card.
// Knows no field by name: what the model says is what is shown. Read next: /design/form.js.

import { badge, emptyState, errorState, h } from "/design/elements.js";
import { schemaForm } from "/design/form.js";
import { mountFrame } from "/design/frame.js";
import { request } from "/design/http.js";
import { bars } from "/design/sparks.js";

const METRICS = {
  roc_auc: "ROC AUC", accuracy: "Accuracy", balanced_accuracy: "Balanced accuracy", precision: "Precision",
  recall: "Recall", log_loss: "Log loss", brier_score: "Brier score", r2: "R²",
  mean_absolute_error: "Mean absolute error", root_mean_squared_error: "Root mean squared error",
};
const LOOK_AGAIN_MS = 10000;
const N_REASONS = 8;

const frame = mountFrame({ product: "Prediction API", phase: 1, title: "Predict" });
const spot = (id) => document.getElementById(id);
let shown = null; // the version on the page

function say(id, ...children) {
  spot(id).replaceChildren(...children.flat().filter(Boolean));
}

async function start() {
  try {
    show(await request("/v1/model"));
  } catch (error) {
    const retry = () => start();
    const isEmpty = error.status === 503;
    const state = isEmpty
      ? emptyState({ title: "No model is served yet", text: error.message, action: { label: "Look again", run: retry } })
      : errorState(error, { retry });
    say("verdict", h("h1", {}, "Prediction API"));
    say("form", state);
    say("answer-body", h("p", {}, "Answers appear here once a model is served."));
    say("card-body", h("p", {}, "A published model brings its own figures."));
  }
}

function show(model) {
  const isOther = !shown || shown.version !== model.model.version;
  shown = { ...model.model, level: model.card.uncertainty && model.card.uncertainty.level };
  spot("trouble").replaceChildren(...(model.trouble ? [badge("Newest version not served", "warning"), h("p", {}, model.trouble)] : []));
  if (!isOther) return;
  const { signature, card } = model;
  frame.setTitle(`Predict ${signature.target}`);
  say("verdict",
    h("h1", {}, card.verdict),
    h("p", {}, `${model.model.name}, version ${model.model.version} (${model.model.alias}), trained ${new Date(card.trained_at).toLocaleString()} on ${card.n_train.toLocaleString()} rows.`),
  );
  const form = schemaForm({
    schema: model.row_schema,
    submit: "Predict",
    keep: `predict-${model.model.name}`,
    onSubmit: async (row, { signal }) => answer(await ask(row, signal), signature),
  });
  say("form", form.element);
  say("answer-body", emptyState({
    title: "Nothing asked yet",
    text: `Fill in the form, or start from a typical row, and the model predicts ${signature.target}.`,
    action: { label: "Predict a typical row", run: () => { form.fillExamples(); form.element.requestSubmit(); } },
  }));
  say("card-body", model.has_report && h("p", {}, h("a", { href: "/v1/report" }, "Why it fails: the diagnosis of this version")), figures(card, signature), candidates(card), leftOut(card));
}

async function ask(row, signal) {
  try {
    return await request("/v1/explain", { method: "POST", json: { rows: [row] }, signal });
  } catch (error) {
    for (const one of error.errors || []) one.field = one.field.replace(/^rows\.0\./, "");
    throw error;
  }
}

function answer(reply, signature) {
  const [explained] = reply.explanations;
  const one = explained.prediction;
  const unit = signature.unit ? ` ${signature.unit}` : "";
  const result = typeof one.prediction === "number" ? one.prediction.toLocaleString(undefined, { maximumSignificantDigits: 5 }) + unit : one.prediction;
  const shares = one.probabilities && Object.entries(one.probabilities).sort((a, b) => b[1] - a[1]);
  say("answer-body",
    h("p", { class: "result", id: "result" }, result),
    shares && bars(shares.map(([name, value]) => ({ name, value })), { label: "Probability of each class", max: 1, format: (v) => `${(100 * v).toFixed(1)} %` }),
    sureness(one, shown.level, unit),
    why(explained),
    one.warnings.length > 0 && h("div", {},
      badge(`${one.warnings.length} unusual ${one.warnings.length === 1 ? "value" : "values"}`, "warning"),
      h("ul", { class: "notes" }, one.warnings.map((text) => h("li", {}, text)))),
    h("p", { class: "answered-by" }, `Answered by ${reply.model.name}, version ${reply.model.version}.`),
  );
  if (shown && reply.model.version !== shown.version) start(); // swapped meanwhile
}

function sureness(one, level, unit) {
  if (!level) return null;
  const often = `${Math.round(100 * level)} times in 100`;
  if (one.interval) return h("p", { class: "sureness", id: "sureness" }, `The truth lies between ${figure(one.interval[0])} and ${figure(one.interval[1])}${unit} ${often}.`);
  if (!one.prediction_set) return null;
  const [last, ...others] = [...one.prediction_set].reverse();
  const named = others.length ? `${others.reverse().join(", ")} or ${last}` : last;
  return h("p", { class: "sureness", id: "sureness" }, `Sets made like this one hold the truth ${often}: ${named}.`);
}

// What each value adds to the score, from the average row's on: left of the line against, right of it for.
function why(explained) {
  const listed = explained.attributions.filter((part) => part.attribution !== 0).slice(0, N_REASONS);
  if (!listed.length) return null;
  const top = Math.max(...listed.map((part) => Math.abs(part.attribution)));
  const signed = (value) => `${value < 0 ? "−" : "+"}${figure(Math.abs(value))}`;
  const rest = explained.attributions.slice(N_REASONS).reduce((sum, part) => sum + part.attribution, 0);
  const named = (value) => (value === null ? "missing" : typeof value === "number" ? value.toLocaleString(undefined, { maximumSignificantDigits: 5 }) : value);
  const rows = listed.map((part) => [
    h("span", { class: "truncate", title: `${part.feature} = ${named(part.value)}` }, part.feature, h("small", { class: "muted" }, ` ${named(part.value)}`)),
    h("span", { class: "pull", "aria-hidden": "true" }, h("i", { class: part.attribution < 0 ? "against" : "for", style: { "--share": String(Math.abs(part.attribution) / top) } })),
    h("span", { class: "num" }, signed(part.attribution)),
  ]);
  const scale = explained.scale === "log-odds" ? `log-odds of ${explained.of}` : explained.of;
  const also = explained.attributions.length > listed.length && rest !== 0 ? ` and ${signed(rest)} from ${explained.attributions.length - listed.length} more` : "";
  return h("section", { class: "why", id: "why", "aria-label": "Why" },
    h("h2", {}, `What speaks for ${explained.of}, and what against`),
    h("div", { class: "bars", role: "group", "aria-label": `What each value adds to the ${scale}` }, rows),
    h("p", { class: "muted" }, `${capital(scale)} ${figure(explained.score)}: ${figure(explained.base)} for the average row, the values above${also}.`));
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const figure = (value) => value.toLocaleString(undefined, { maximumSignificantDigits: 3, minimumSignificantDigits: 3 }).replace("-", "−");

function figures(card) {
  const first = ([name]) => (name === card.metric ? 0 : 1); // what the choice was made by stands first
  const rows = Object.entries(card.metrics).sort((a, b) => first(a) - first(b)).map(([name, m]) => h("tr", { class: name === card.metric ? "chosen" : "" },
    h("th", { scope: "row" }, METRICS[name] || name),
    h("td", { class: "n" }, figure(m.value)),
    h("td", { class: "n" }, `${figure(m.low)} to ${figure(m.high)}`),
    h("td", { class: "n" }, figure(card.baseline[name]))));
  return h("div", { class: "scroll" }, h("table", { class: "figures", id: "figures" },
    h("caption", { class: "visually-hidden" }, `On ${card.n_test} rows it never saw: ${card.split}`),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, `${card.n_test.toLocaleString()} rows never seen`), h("th", { class: "n", scope: "col" }, "value"), h("th", { class: "n", scope: "col" }, "95 % interval"), h("th", { class: "n", scope: "col" }, "guessing"))),
    h("tbody", {}, rows)));
}

function candidates(card) {
  const rows = card.candidates.map((c) => h("tr", { class: c.is_chosen ? "chosen" : "" },
    h("th", { scope: "row" }, c.name, c.is_chosen && " ", c.is_chosen && badge("chosen", "accent")),
    h("td", { class: "n" }, `${figure(c.score)} ± ${(2 * c.standard_error).toFixed(3)}`)));
  return h("details", {},
    h("summary", {}, `Why this one: ${card.chosen_because}`),
    h("div", { class: "scroll" }, h("table", { class: "figures" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "candidate"), h("th", { class: "n", scope: "col" }, `${METRICS[card.metric] || card.metric}, cross-validated`))),
      h("tbody", {}, rows))));
}

function leftOut(card) {
  const dropped = Object.entries(card.dropped).map(([name, why]) => h("li", {}, `${name}: ${why}`));
  const warned = card.warnings.map((text) => h("li", {}, text));
  if (!dropped.length && !warned.length) return null;
  return h("details", { open: warned.length > 0 }, h("summary", {}, "What to know about the data"), h("ul", { class: "notes" }, warned, dropped));
}

// A swap shows by itself: the model is looked at again while the page is visible.
setInterval(() => {
  if (document.hidden || !shown) return;
  request("/v1/model").then(show, () => {});
}, LOOK_AGAIN_MS);

start();
