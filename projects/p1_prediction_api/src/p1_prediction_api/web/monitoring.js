// Monitoring: how the served version does on what it is asked, verdict first, kept fresh while it is looked at.
// The range and the open feature are in the address: ?hours=24&feature=age. Read next: watched.js, timeline.js.

import { choices, emptyState, errorState, getParam, h, setParam, sidePanel, skeleton, toast } from "/design/elements.js";
import { request } from "/design/http.js";
import { someRows } from "/sample.js";
import { timeline } from "/timeline.js";
import { alerts, featurePanel, features, logState, predictions, shadow, truths } from "/watched.js";
import { ago, count } from "/words.js";

// Stretches are whole windows of the watch: ten seconds within the hour, ten minutes within the day, then hours.
const RANGES = [
  { value: 1, label: "1 hour", moments: 60 }, { value: 6, label: "6 hours", moments: 36 }, { value: 24, label: "24 hours", moments: 48 },
  { value: 168, label: "7 days", moments: 84 }, { value: 720, label: "30 days", moments: 60 },
];
const REFRESH_MS = 10000;

export function monitoringPane() {
  const range = h("div", {});
  const age = h("p", { class: "hint", role: "status" });
  const body = h("div", { class: "stack" }, skeleton(76), skeleton(420), skeleton(300));
  const element = h("div", { class: "stack monitoring" }, h("div", { class: "row between" }, range, age), body);
  let model = null;
  let seen = null; // the last answer
  let view = null; // what is drawn of it
  let timer = null;
  let isOpen = false;
  const panel = sidePanel({ param: "feature", render: (name) => featurePanel(seen, name) });

  const chosen = () => RANGES.find((one) => String(one.value) === getParam("hours")) || RANGES[2];
  const drawRange = () => range.replaceChildren(choices(RANGES, { label: "Range", value: chosen().value, onChoose: (value) => setParam("hours", String(value)) }));

  async function refresh() {
    clearTimeout(timer);
    if (!isOpen || !model) return;
    const asked = chosen();
    try {
      const fresh = await request(`/v1/monitoring?hours=${asked.value}&moments=${asked.moments}`);
      if (asked !== chosen()) return;
      seen = fresh;
      show();
    } catch (error) {
      if (!seen || !error.isUnreachable) body.replaceChildren(errorState(error, { retry: refresh }));
      if (!error.isUnreachable) view = null;
      if (seen) age.textContent = `Last heard ${ago(seen.until)}`;
    }
    timer = setTimeout(refresh, REFRESH_MS);
  }

  function show() {
    age.textContent = `${count(seen.n_rows, "row")} · up to ${new Date(seen.until).toLocaleTimeString(undefined, { hourCycle: "h23" })}`;
    if (!seen.n_rows && !seen.refused) {
      view = null;
      return body.replaceChildren(...[nothing(model, refresh), alerts(seen.alerts), logState(seen.log)].filter(Boolean));
    }
    view ??= monitoringView();
    if (!view.element.isConnected) body.replaceChildren(view.element);
    view.update(seen);
    panel.refresh();
  }

  function changedRange() {
    if (!isOpen || !model || range.dataset.hours === String(chosen().value)) return;
    range.dataset.hours = chosen().value;
    drawRange();
    view = null;
    seen = null;
    body.replaceChildren(skeleton(76), skeleton(420), skeleton(300));
    refresh();
  }

  addEventListener("popstate", changedRange);
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
  return {
    element,
    open: () => { isOpen = true; panel.sync(); changedRange(); refresh(); },
    close: () => { isOpen = false; clearTimeout(timer); },
    setModel: (next) => { model = next; delete range.dataset.hours; changedRange(); },
    setTrouble: (state) => body.replaceChildren(state),
  };
}

/** Built once and updated in place, so that a table view, the focus and the cursor outlive a refresh. */
function monitoringView() {
  const parts = Object.fromEntries(["head", "alerts", "features", "predictions", "truths", "shadow", "log"].map((name) => [name, h("div", { class: "watched-part" })]));
  const times = timeline();
  const element = h("div", { class: "stack goes-stale" }, parts.head, parts.alerts, h("section", { class: "card" }, times.element), parts.features,
    h("div", { class: "two" }, parts.predictions, h("div", { class: "stack" }, parts.truths, parts.shadow)), parts.log);
  const drawn = {};
  const put = (name, source, make) => {
    const text = JSON.stringify(source ?? null);
    if (drawn[name] === text) return; // nothing new: leave what a person may be reading
    drawn[name] = text;
    const focused = parts[name].contains(document.activeElement) && document.activeElement.dataset.key;
    parts[name].replaceChildren(...[make()].filter(Boolean));
    if (focused) parts[name].querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
  const update = (seen) => {
    put("head", [seen.verdict, seen.alerts[0]?.severity], () => verdict(seen));
    put("alerts", seen.alerts, () => alerts(seen.alerts));
    times.update(seen);
    put("features", seen.features, () => features(seen));
    put("predictions", seen.prediction, () => predictions(seen));
    put("truths", seen.truth, () => truths(seen));
    put("shadow", seen.shadow, () => seen.shadow && shadow(seen.shadow, seen.prediction));
    put("log", seen.log, () => logState(seen.log));
  };
  return { element, update };
}

function verdict(seen) {
  const tone = { problem: "bad", warning: "warn" }[seen.alerts[0]?.severity] || "good";
  return h("section", { class: "headline", "data-tone": tone, "aria-label": "Verdict" }, h("p", { class: "verdict", id: "monitoring-verdict" }, seen.verdict));
}

function nothing(model, refresh) {
  const send = async () => {
    try {
      for (const rows of someRows(model.signature)) await request("/v1/predict", { method: "POST", json: { rows } });
      toast("Sent; they show here within seconds", { tone: "good" });
    } catch (error) {
      toast(`The rows were not answered: ${error.message}`, { tone: "bad" });
    }
    refresh();
  };
  return emptyState({
    title: "No rows seen yet", text: "What is asked of POST /v1/predict in this range is compared here with training. Nothing was asked; send a few rows made up around a typical one, as real requests, to see it work.",
    action: { label: "Send example rows", run: send },
  });
}
