// Training: the runs of this data directory, the newest first, and one of them open. The open one is in the address:
// ?run=…; without it the newest shows. Read next: run.js, which follows a run while it goes.

import { badge, codeBlock, errorState, getParam, h, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { ago, dateWords } from "/design/words.js";
import { TRAIN } from "/commands.js";
import { TONES, runView } from "/run.js";

const REFRESH_MS = 5000;

export function trainingRoom() {
  const list = h("nav", { class: "runs", "aria-label": "Runs" }, skeleton(240));
  const place = h("div", { class: "stack" }, skeleton(480));
  const element = h("div", { class: "training goes-stale" }, list, place);
  let runs = null;
  let mayStop = false;
  let drawn = "";
  let view = null;
  let isOpen = false;
  let timer = null;

  async function refresh() {
    clearTimeout(timer);
    if (!isOpen) return;
    try {
      ({ runs, may_stop: mayStop } = await request("/v1/runs"));
      show();
    } catch (error) {
      if (!runs || !error.isUnreachable) { list.replaceChildren(); place.replaceChildren(errorState(error, { retry: refresh })); drawn = ""; }
    }
    if (isOpen) timer = setTimeout(refresh, REFRESH_MS);
  }

  function show() {
    element.toggleAttribute("data-empty", !runs.length);
    if (!runs.length) {
      list.replaceChildren();
      return place.replaceChildren(none());
    }
    const open = getParam("run") ?? runs[0].id;
    const text = JSON.stringify([runs.map((one) => [one.id, one.status, one.epoch, one.metrics, one.published]), open, Math.floor(Date.now() / 60000)]);
    if (text !== drawn) {
      drawn = text;
      const focused = list.contains(document.activeElement) && document.activeElement.dataset.key;
      list.replaceChildren(h("ol", {}, runs.map((one) => entry(one, one.id === open))));
      if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }
    if (view?.id === open && view.element.isConnected) return;
    view?.close();
    const isKnown = runs.some((one) => one.id === open);
    view = isKnown ? runView(open, { onEnd: refresh, mayStop }) : null;
    place.replaceChildren(view ? view.element : unknown(open));
  }

  addEventListener("popstate", () => { if (isOpen && runs) show(); });
  return {
    element,
    open: () => { isOpen = true; refresh(); },
    close: () => { isOpen = false; clearTimeout(timer); view?.close(); view = null; },
  };
}

function entry(one, isOpen) {
  const url = new URL(location.href);
  url.searchParams.set("run", one.id);
  url.hash = "";
  const follow = (event) => { event.preventDefault(); history.pushState(null, "", url); dispatchEvent(new PopStateEvent("popstate")); };
  const accuracy = one.metrics.held_out_accuracy;
  return h("li", {}, h("a", { href: url.pathname + url.search, "data-key": one.id, onclick: follow, "aria-current": isOpen && "true" },
    h("span", { class: "row between" }, h("b", {}, one.model), badge(one.status, TONES[one.status])),
    h("span", { class: "row between hint" }, h("span", { class: "truncate" }, one.dataset), h("span", {}, accuracy === undefined ? `epoch ${one.epoch} of ${one.epochs}` : `${(100 * accuracy).toFixed(2)} %`)),
    h("span", { class: "row between hint" }, h("time", { datetime: one.started_at, title: dateWords(one.started_at) }, ago(one.started_at)), one.published && h("span", {}, one.published))));
}

function none() {
  return h("div", { class: "state", "data-kind": "empty" },
    h("h3", {}, "No run yet"),
    h("p", { class: "muted" }, "Training runs of this data directory show here while they go: loss, held-out accuracy, learning rate, gradients. This one takes minutes:"),
    codeBlock(TRAIN));
}

function unknown(id) {
  return h("div", { class: "state", "data-kind": "empty" }, h("h3", {}, `There is no run ${id}`), h("p", { class: "muted" }, "Its folder is gone, or it is in another data directory. Pick one from the list."));
}
