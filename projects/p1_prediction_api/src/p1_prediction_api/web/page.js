// The page: which model answers, and four views of it. A swap shows by itself.
// Each view is a module: predict.js, monitoring.js, report.js, /design/releases.js. This one holds the model they share.

import { badge, emptyState, errorState, h, tabs } from "/design/elements.js";
import { mountFrame } from "/design/frame.js";
import { request } from "/design/http.js";
import { releasesPane } from "/design/releases.js";
import { monitoringPane } from "/monitoring.js";
import { predictPane } from "/predict.js";
import { reportPane } from "/report.js";
import { dateWords } from "/words.js";

const LOOK_AGAIN_MS = 10000;

const frame = mountFrame({ product: "Prediction API", phase: 1, title: "Model" });
const head = document.getElementById("head");
const trouble = document.getElementById("trouble");
const panes = {
  predict: predictPane({ onOtherVersion: look }),
  monitoring: monitoringPane(),
  report: reportPane(),
  history: releasesPane({ onMoved: look, allowedBy: "P1_ALLOW_PROMOTION=true", toPublish: "each training: p1-prediction-api train your.csv --target column" }),
};
let shown = null; // the version on the page
let opened = null;

function open(id) {
  panes[opened]?.close?.();
  opened = id;
  panes[id].open?.();
}

async function look() {
  try {
    show(await request("/v1/model"));
  } catch (error) {
    if (!shown) missing(error);
  }
}

function missing(error) {
  const state = error.status === 503 || error.problem?.status === 503
    ? emptyState({ title: "No model is served yet", text: error.message, action: { label: "Look again", run: look } })
    : errorState(error, { retry: look });
  head.replaceChildren(h("h1", {}, "Prediction API"));
  panes.predict.setTrouble(state);
  for (const id of ["monitoring", "report"]) panes[id].setTrouble(h("p", { class: "muted" }, "A published model brings this with it."));
}

function show(model) {
  trouble.replaceChildren(...(model.trouble ? [badge("Newest version not served", "warn"), h("p", {}, model.trouble)] : []));
  const { name, version, alias } = model.model;
  if (shown?.model.version === version && shown.model.name === name) return;
  shown = model;
  frame.setTitle(name);
  head.replaceChildren(
    h("div", { class: "row" }, h("h1", {}, name), badge(`version ${version}`, "accent"), badge(alias)),
    h("p", { class: "model-verdict" }, model.card.verdict),
    h("p", { class: "hint" }, `Predicts ${model.signature.target} · trained ${dateWords(model.card.trained_at)} on ${model.card.n_train.toLocaleString()} rows, scored on ${model.card.n_test.toLocaleString()} it never saw`));
  for (const id of ["predict", "monitoring", "report"]) panes[id].setModel(model);
  panes.history.setModel({ metric: model.card.metric });
}

document.getElementById("views").replaceChildren(tabs([
  { id: "predict", label: "Predict", content: panes.predict.element },
  { id: "monitoring", label: "Monitoring", content: panes.monitoring.element },
  { id: "report", label: "Report", content: panes.report.element },
  { id: "history", label: "History", content: panes.history.element },
], { onOpen: open }));

setInterval(() => !document.hidden && look(), LOOK_AGAIN_MS);
look();
