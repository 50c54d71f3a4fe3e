// History: every published version, which one answers, how the alias moved; promote and roll back.
// A move is confirmed with the figures side by side, and followed until the version answers or says why it cannot.
//
//   import { releasesPane } from "/design/releases.js";
//   const pane = releasesPane({ onMoved: look, allowedBy: "P1_ALLOW_PROMOTION=true", toPublish: "p1-prediction-api train …" });
//   pane.setModel({ metric: "roc_auc" });   pane.open();   pane.close();
//
// Knows `ModelHistory` of common's release routes. The open version is in the address: ?version=2. Next: versions.js.

import { emptyState, errorState, getParam, h, setParam, sidePanel, skeleton, toast } from "/design/elements.js";
import { confirmed } from "/design/dialog.js";
import { request } from "/design/http.js";
import { change, moves, versionPanel, versions } from "/design/versions.js";

const REFRESH_MS = 10000;
const FOLLOW_MS = 500;

export function releasesPane({ onMoved, allowedBy, toPublish }) {
  const progress = h("div", { "aria-live": "polite" });
  const body = h("div", { class: "stack" }, skeleton(56), skeleton(220), skeleton(160));
  const element = h("div", { class: "stack releases goes-stale" }, progress, body);
  let metric = "";
  let told = null; // the ModelHistory
  let drawn = "";
  let timer = null;
  let isOpen = false;
  let following = 0;
  const panel = sidePanel({ param: "version", render: (version) => versionPanel(told, Number(version), metric) });

  async function refresh() {
    clearTimeout(timer);
    if (!isOpen) return;
    try {
      told = await request("/v1/history");
      show();
    } catch (error) {
      if (!told || !error.isUnreachable) body.replaceChildren(errorState(error, { retry: refresh }));
      if (!error.isUnreachable) drawn = "";
    }
    timer = setTimeout(refresh, REFRESH_MS);
  }

  function show() {
    const text = JSON.stringify([told, metric, following]);
    if (text === drawn) return;
    drawn = text;
    if (!told.versions.length) return body.replaceChildren(emptyState({ title: "Nothing was published yet", text: `A version is published by ${toPublish}.`, action: { label: "Look again", run: refresh } }));
    const focused = body.contains(document.activeElement) && document.activeElement.dataset.key;
    body.replaceChildren(versions(told, { metric, allowedBy }, { promote, rollBack, isMoving: following > 0 }), moves(told));
    if (focused) body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    panel.refresh();
  }

  const promote = (version) => move({
    to: version, title: `Serve version ${version}?`, action: "Promote", path: "/v1/promote",
    json: { version, expected: told.stands_on ?? 0 },
  });
  const rollBack = () => move({ to: told.rolls_back_to, title: `Roll back to version ${told.rolls_back_to}?`, action: "Roll back", path: "/v1/roll-back" });

  async function move({ to, title, action, path, json }) {
    if (!(await confirmed({ title, body: change(told, to, metric), action }))) return;
    try {
      following = to;
      progress.replaceChildren(waiting(to, stop));
      show();
      await request(path, { method: "POST", json });
      await follow(to);
    } catch (error) {
      progress.replaceChildren(errorState(error));
    } finally {
      following = 0;
      await refresh();
    }
  }

  const stop = () => { following = 0; progress.replaceChildren(); };

  /** Until the version answers, or the service says why it cannot. */
  async function follow(to) {
    while (following === to) {
      const model = await request("/v1/model").catch((error) => { if (error.isUnreachable) return null; throw error; });
      if (model?.model.version === to) {
        progress.replaceChildren();
        toast(`Version ${to} answers now`, { tone: "good" });
        return onMoved();
      }
      if (model?.trouble) return progress.replaceChildren(cannot(to, model, told.may_change && rollBack));
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    }
  }

  return {
    element,
    open: () => { isOpen = true; panel.sync(); refresh(); },
    close: () => { isOpen = false; clearTimeout(timer); if (getParam("version") !== null) setParam("version", null, { replace: true }); },
    setModel: (model) => { metric = model.metric; refresh(); },
  };
}

function waiting(version, stop) {
  return h("div", { class: "waiting", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), h("span", {}, `The alias moves; version ${version} is fetched, verified and tried before it answers. Requests go on being answered meanwhile.`), h("button", { class: "button", "data-size": "small", type: "button", onclick: stop }, "Stop waiting"));
}

function cannot(version, model, rollBack) {
  return h("div", { class: "state", "data-kind": "error", role: "alert" }, h("h3", {}, `Version ${version} does not answer`), h("p", {}, model.trouble),
    rollBack && h("button", { class: "button", "data-size": "small", type: "button", onclick: rollBack }, "Roll back"));
}
