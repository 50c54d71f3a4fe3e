// The room on gradient descent: a function, a start, an optimiser, a step; the path, live, and why each step.
// What is asked is in the address (d-…); the page computes nothing but pictures, the numbers are the service's.
// Draws with descent-map.js and steps.js; controls in descent-controls.js.

import { address, newest, number, numbers, words } from "/address.js";
import { controls, formulaBar } from "/descent-controls.js";
import { descentMap, lossCurve, solidView } from "/descent-map.js";
import { errorState, h, icon, skeleton, toast } from "/design/elements.js";
import { request } from "/design/http.js";
import { OPTIMISERS, stepMaths, verdictOf } from "/steps.js";

const GRID = 81;
const KEPT = address("d", {
  f: words(null), start: numbers(2), view: numbers(4),
  by: words("gradient-descent", OPTIMISERS.map((one) => one.value)), step: number(null, { from: 1e-6, to: 1e4 }), mu: number(0.9, { from: 0, to: 0.999 }),
  steps: number(200, { from: 1, to: 2000 }), k: number(null, { from: 0 }), eye: numbers(6), show: words("map", ["map", "solid"]), scale: words("log", ["log", "linear"]),
});

export function descentRoom() {
  const place = h("div", {}, skeleton(640));
  const open = () => request("/v1/functions").then(
    (functions) => place.replaceChildren(room(functions)),
    (error) => place.replaceChildren(errorState(error, { retry: open })),
  );
  open();
  return place;
}

/** The address, completed by the named function it speaks of. */
function stateOf(functions) {
  const said = KEPT.read();
  const named = functions.find((one) => one.formula === said.f) || (said.f === null ? functions[1] : functions[0]);
  const view = said.view && said.view[0] < said.view[1] && said.view[2] < said.view[3] ? said.view : [...named.x, ...named.y];
  return { ...said, f: said.f ?? named.formula, start: said.start ?? [...named.start], step: said.step ?? named.step_size, view };
}

function room(functions) {
  let state = stateOf(functions);
  let surface = null;
  let run = null;
  let over = null; // the step under the pointer
  const views = {};
  const shownStep = () => Math.min(over ?? state.k ?? Infinity, run ? run.points.length - 1 : 0);
  const context = { functions, state: () => state, surface: () => surface, run: () => run, step: shownStep, change, hover, walkTo };

  const verdict = h("div", { class: "headline walk-verdict", role: "status", hidden: true });
  const maths = h("div", { class: "card stack step-card" });
  const trouble = h("div", {});
  views.formula = formulaBar(context);
  views.controls = controls(context);
  views.map = descentMap(context);
  views.curve = lossCurve(context);
  const scrubber = scrub(context);
  const solid = solidView(context);
  const curveCard = h("div", { class: "card" }, views.curve.element);
  const work = h("div", { class: "stack walk-work goes-stale" },
    h("div", { class: "walk" }, h("div", { class: "card stack" }, views.map.element, scrubber.element), h("div", { class: "stack" }, views.controls.element, maths)),
    curveCard, solid.element);

  const askSurface = newest(
    ({ f, view }) => request("/v1/surface", { method: "POST", json: { formula: f, x: view.slice(0, 2), y: view.slice(2), n: GRID } }),
    { done: (answer) => { surface = answer; views.formula.accept(); delete work.dataset.old; views.map.drawBack(); solid.draw(); }, failed },
  );
  const askRun = newest(
    ({ f, start, by, step, mu, steps }) => request("/v1/descend", { method: "POST", json: { formula: f, start, optimiser: by, step_size: step, momentum: mu, steps } }),
    { done: (answer, asked) => { run = { ...answer, asked }; trouble.replaceChildren(); draw(); }, failed },
  );

  function failed(error) {
    const field = (error.problem?.errors || []).find((one) => one.field === "formula");
    if (field) {
      work.dataset.old = ""; // the pictures are those of the last formula that could be read
      return views.formula.refuse(field);
    }
    run = null;
    verdict.hidden = true;
    trouble.replaceChildren(errorState(error, { retry: () => { askSurface(state); askRun(state); } }));
    drawPath();
  }

  /** A new wish: write it down, ask for what it needs anew. */
  function change(parts, { isNew = false } = {}) {
    const before = state;
    state = { ...state, k: null, ...parts };
    over = null;
    KEPT.write(state, { isNew });
    refresh(before);
  }
  function refresh(before) {
    const differs = (...keys) => keys.some((key) => JSON.stringify(before?.[key]) !== JSON.stringify(state[key]));
    if (differs("f", "view")) askSurface(state);
    if (differs("f", "start", "by", "step", "mu", "steps")) askRun(state);
    views.formula.draw();
    views.controls.draw();
    solid.draw();
    drawPath();
  }
  function walkTo(k, { isKept = true } = {}) {
    if (!run) return;
    state = { ...state, k: k === null || k >= run.points.length - 1 ? null : Math.max(0, k) };
    if (isKept) KEPT.write(state);
    drawPath();
  }
  function hover(k) {
    if (over === k) return;
    over = k;
    drawPath();
  }

  function draw() {
    const said = verdictOf(run, run.asked);
    verdict.hidden = false;
    verdict.dataset.tone = said.tone;
    verdict.dataset.verdict = run.verdict;
    const fix = said.fix && h("button", { class: "button", type: "button", "data-size": "small", onclick: () => change(said.fix.change, { isNew: true }) }, said.fix.label);
    verdict.replaceChildren(h("div", { class: "row between" }, h("p", { class: "verdict" }, said.title), fix), h("p", { class: "muted" }, said.text));
    views.controls.draw();
    drawPath();
  }
  function drawPath() {
    views.map.draw();
    curveCard.hidden = !run;
    views.curve.draw();
    solid.draw();
    scrubber.draw();
    maths.replaceChildren(...stepWords(state, run, shownStep()));
  }

  addEventListener("popstate", () => {
    const before = state;
    state = stateOf(functions);
    refresh(before);
  });
  refresh(null);
  return h("div", { class: "stack lab descent" },
    h("div", { class: "row between room-head" }, h("div", { class: "stack tight" }, h("h1", {}, "How does a search find its way down?"), h("p", { class: "lead" }, "Drag the start, change the step, and watch where the path goes. Point at any step to read its maths.")), shareButton()),
    views.formula.element, verdict, trouble, work);
}

export function shareButton() {
  const share = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      toast("Copied: the link opens exactly this", { tone: "good" });
    } catch {
      toast("The browser refused the clipboard; the address bar has the link", { tone: "bad" });
    }
  };
  return h("button", { class: "button", type: "button", onclick: share }, icon("copy"), "Copy the link");
}

function stepWords({ by }, run, k) {
  if (!run) return [h("h2", {}, "The step"), skeleton(180)];
  const n = run.points.length - 1;
  const from = Math.min(k, Math.max(0, n - 1)); // at the end: the step that led there
  const rows = stepMaths(run.asked.by ?? by, run, from).map((row) => h("div", { class: "step-row", "data-result": row.isResult }, h("dt", {}, row.says), h("dd", {}, h("span", { class: "mono formula" }, row.formula), h("span", { class: "mono numbers" }, row.numbers))));
  return [
    h("div", { class: "card-head" }, h("h2", {}, n ? `Step ${from + 1}: from point ${from} to ${from + 1}` : "No step was taken"), h("span", { class: "hint" }, k === n ? "the last" : `of ${n}`)),
    h("dl", { class: "step-maths" }, rows),
  ];
}

/** A slider over the steps, with buttons to walk and to play. */
function scrub({ state, run, step, walkTo }) {
  let playing = null;
  const range = h("input", { class: "slider", type: "range", min: 0, step: 1, "aria-label": "Step shown", oninput: () => { stop(); walkTo(Number(range.value)); } });
  const said = h("output", { class: "num scrub-at" });
  const button = (label, text, act) => h("button", { class: "button", "data-size": "small", type: "button", "aria-label": label, title: label, onclick: act }, text);
  const play = button("Play the search", "▶ Play", () => (playing ? stop() : start()));
  const last = () => (run() ? run().points.length - 1 : 0);
  const near = (by) => () => { stop(); walkTo(Math.min(last(), Math.max(0, step() + by))); };
  function start() {
    if (!last()) return;
    const [from, began] = [state().k === null ? 0 : state().k, performance.now()];
    const rate = Math.max(6, last() / 5); // steps a second: any search takes about five
    const tick = (now) => {
      const k = Math.min(last(), from + Math.floor(((now - began) / 1000) * rate));
      walkTo(k, { isKept: false });
      if (k < last()) playing = requestAnimationFrame(tick);
      else stop();
    };
    playing = requestAnimationFrame(tick);
    play.textContent = "❚❚ Pause";
  }
  function stop() {
    if (playing === null) return;
    cancelAnimationFrame(playing);
    playing = null;
    play.textContent = "▶ Play";
    walkTo(step());
  }
  const draw = () => {
    range.max = last();
    range.value = step();
    range.setAttribute("aria-valuetext", `step ${step()} of ${last()}`);
    said.textContent = `${step()} / ${last()}`;
  };
  return { element: h("div", { class: "scrub" }, play, button("One step back", "‹", near(-1)), button("One step on", "›", near(1)), range, said), draw };
}
