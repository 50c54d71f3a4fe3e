// The playground: choose points, a network and an optimiser, and watch it learn, picture by picture.
// The server trains; this room asks for the stream, draws what comes, and keeps every setting and the step in the
// address. A pause leaves the stream; going on asks from the next step, which gives the same pictures again.
// Read next: surface.js and anatomy.js, which draw; play-controls.js, what can be set.

import { errorState, h } from "/design/elements.js";
import { events } from "/design/http.js";
import { plot } from "/design/plots.js";
import { spelled } from "/design/scales.js";
import { anatomyFigure } from "/anatomy.js";
import { controls, readSettings, writeSettings } from "/play-controls.js";
import { surfaceFigure } from "/surface.js";

const WORDS_MS = 250; // figures and the curve follow four times a second: faster, nobody reads them
const STILL_MS = 500; // between two pictures where a person asked for less motion
const POINTS_SHOWN = 240;
const LAST_STEP = 20_000;
const isStill = matchMedia("(prefers-reduced-motion: reduce)");

export function playgroundRoom() {
  const surface = surfaceFigure();
  const anatomy = anatomyFigure();
  const curve = plot({ title: "Loss", file: "playground-loss", x: { title: "Step", kind: "number", values: [0] }, panels: [] });
  const said = h("p", { class: "play-said", role: "status" });
  const trouble = h("div", {});
  const figures = h("dl", { class: "play-figures" });
  const state = { ...readSettings(), run: null, latest: null, history: [], drawn: [], received: 0, ended: null };

  const bar = playBar({ play: () => (isPlaying() ? pause() : play()), step: () => advance({ isOne: true }), reset: () => reset() });
  const panel = controls(() => state.settings, (change) => { state.settings = { ...state.settings, ...change }; restart(); });

  function restart() {
    const wasPlaying = isPlaying();
    state.step = 0;
    forget();
    panel.show();
    return wasPlaying ? play() : preview();
  }

  function forget() {
    state.run?.abort();
    Object.assign(state, { run: null, latest: null, history: [], ended: null });
    keepAddress();
  }

  /** A picture that is asked for without playing is no training to pause: Play begins one at once. */
  const isPlaying = () => Boolean(state.run) && !state.run.isPreview;
  const preview = () => follow({ from_step: state.step, max_steps: state.step }, () => false, { isPreview: true });
  const play = () => advance({ isOne: false });
  const reset = () => { state.step = 0; forget(); preview(); };
  const pause = () => settle();

  /** Go on from where it stands; a finished or diverged training begins anew. */
  function advance({ isOne }) {
    if (state.ended) { state.step = 0; forget(); }
    const from = state.latest ? state.latest.step + 1 : state.step;
    return follow({ from_step: from, max_steps: LAST_STEP }, () => isOne);
  }

  /** Ask for a stretch of the training and take its events until it ends, fails, or is left. */
  async function follow(stretch, isEnough, { isPreview = false } = {}) {
    state.run?.abort();
    const run = Object.assign(new AbortController(), { isPreview });
    state.run = run;
    trouble.replaceChildren();
    say();
    try {
      for await (const { name, data } of events("/v1/playground/train", { method: "POST", json: { ...state.settings, ...stretch }, signal: run.signal })) {
        if (state.run !== run) return;
        take(name, data, stretch);
        if (name === "picture" && isEnough()) break;
      }
    } catch (error) {
      if (state.run !== run || error.name === "AbortError") return;
      trouble.replaceChildren(errorState(error, { retry: preview }));
    }
    if (state.run === run) settle();
  }

  function take(name, data, stretch) {
    if (name === "begin") { surface.begin(data); anatomy.begin(data); }
    if (name === "passed" || name === "picture") remember(data);
    if (name === "picture") { state.latest = data; state.received += 1; state.drawAsked ??= requestAnimationFrame(draw); }
    if (name === "picture" && data.anatomy) state.anatomy = data.anatomy;
    if (name === "end" && (data.reason === "diverged" || stretch.max_steps === LAST_STEP)) state.ended = data;
  }

  function remember({ step, loss, test_loss }) {
    if (!state.history.length || state.history.at(-1).step < step) state.history.push({ step, loss, test_loss });
  }

  /** Draw the latest picture; those that came since the last one on the screen were never needed. */
  function draw(now) {
    state.drawAsked = null;
    const isDue = !isStill.matches || !state.run || now - (state.drawn.at(-1) || 0) > STILL_MS;
    if (!state.latest || !isDue) return;
    surface.draw(state.latest);
    state.drawn = [...state.drawn.filter((at) => now - at < 1000), now];
    bar.count(state);
    if (now - (state.saidAt || 0) > WORDS_MS || !state.run) { state.saidAt = now; say(); }
  }

  /** Stop without drawing: for a page that nobody sees, or that is on its way out. */
  function leave() {
    state.run?.abort();
    state.run = null;
    state.step = state.latest?.step ?? state.step;
    keepAddress();
  }

  /** Bring everything that lags behind up to date, and put the step into the address. */
  function settle() {
    leave();
    if (state.latest) surface.draw(state.latest);
    say();
  }

  function say() {
    const { latest, ended } = state;
    bar.show({ isPlaying: isPlaying(), isOver: Boolean(ended) });
    said.dataset.tone = ended?.reason === "diverged" ? "bad" : latest?.test_accuracy > 0.95 ? "good" : "";
    said.textContent = verdict(state);
    if (!latest) return;
    figures.replaceChildren(...figuresOf(latest).map(([word, value]) => h("div", {}, h("dt", {}, word), h("dd", { class: "num" }, value))));
    surface.words(latest, state.settings);
    if (state.anatomy) anatomy.draw(state.anatomy, latest.step);
    curve.update(curveOf(state.history));
  }

  function keepAddress() { writeSettings(state.settings, state.step); }

  addEventListener("popstate", () => {
    const isHere = new URL(location.href).searchParams.get("tab") === "playground";
    if (!isHere && state.run) pause();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? state.run && leave() : say()));
  document.addEventListener("themechange", () => { surface.repaint(); if (state.latest) surface.draw(state.latest); if (state.anatomy) anatomy.draw(state.anatomy, state.latest.step); });
  const room = h("div", { class: "stack lab playground" },
    h("div", { class: "stack" }, h("h1", {}, "Watch a network learn"), h("p", { class: "lead" }, "A small network learns to tell two kinds of points apart. The server trains it with the lab's own autodiff and sends a picture every few steps. Try what the last layer cannot do alone: take the hidden layers away.")),
    h("div", { class: "card play-head" }, bar.element, figures), said, trouble,
    h("div", { class: "play-grid" }, h("div", { class: "card play-set" }, panel.element), h("div", { class: "card play-net" }, anatomy.element), h("div", { class: "card play-out" }, surface.element), h("div", { class: "card play-loss" }, curve.element)),
    h("p", { class: "hint" }, h("kbd", {}, "Space"), " plays and pauses, ", h("kbd", {}, "S"), " takes one picture's steps, ", h("kbd", {}, "R"), " starts again. The address holds every setting, the seed and the step: whoever opens it sees this picture."));
  room.addEventListener("keydown", (event) => keys(event, { " ": bar.press, s: () => advance({ isOne: true }), r: reset }));
  document.addEventListener("keydown", (event) => event.target === document.body && room.offsetParent && keys(event, { " ": bar.press, s: () => advance({ isOne: true }), r: reset }));
  preview();
  return room;
}

/** Keys of the room, unless the focus is where they mean something else. */
function keys(event, acts) {
  const act = acts[event.key.toLowerCase()];
  const isTaken = event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, button, summary");
  if (!act || (isTaken && (event.key === " " || event.target.matches("input, select, textarea")))) return;
  event.preventDefault();
  act();
}

function playBar({ play, step, reset }) {
  const button = (label, act, kind) => h("button", { class: "button", type: "button", "data-kind": kind, onclick: act }, label);
  const main = button("Play", play, "primary");
  const rate = h("span", { class: "num play-rate" }, "");
  const element = h("div", { class: "row" }, main, button("Step", step), button("Reset", reset), rate);
  return {
    element,
    press: play,
    show: ({ isPlaying, isOver }) => { main.textContent = isPlaying ? "Pause" : isOver ? "Play again" : "Play"; element.dataset.playing = isPlaying; if (!isPlaying) rate.textContent = ""; },
    count: ({ drawn, received, run }) => { rate.dataset.received = received; rate.dataset.drawn = Number(rate.dataset.drawn || 0) + 1; if (run && drawn.length > 5) rate.textContent = `${drawn.length} pictures/s`; },
  };
}

function verdict({ latest, ended, history, run, step }) {
  if (ended?.reason === "diverged") return `Diverged at ${ended.message}.`;
  if (!latest) return run && !run.isPreview ? (history.length ? `Redoing the first ${history.at(-1).step.toLocaleString()} steps…` : "Starting…") : step ? `Redoing the first ${step.toLocaleString()} steps…` : "";
  const share = `${Math.round(latest.test_accuracy * 100)} % of the points it never saw are right`;
  if (latest.step === 0) return `Before the first step: ${share}, which is chance. Press Play.`;
  const gap = latest.accuracy - latest.test_accuracy;
  const more = gap > 0.08 ? `; ${Math.round(latest.accuracy * 100)} % of those it trains on: it learns them by heart` : "";
  return `After ${latest.step.toLocaleString()} steps ${share}${more}.`;
}

const figuresOf = ({ step, loss, test_loss, accuracy, test_accuracy }) => [
  ["Step", step.toLocaleString()], ["Loss, training", spelled(loss, 3)], ["Loss, test", spelled(test_loss, 3)],
  ["Right, training", `${(accuracy * 100).toFixed(0)} %`], ["Right, test", `${(test_accuracy * 100).toFixed(0)} %`],
];

function curveOf(history) {
  const every = Math.max(1, Math.ceil(history.length / POINTS_SHOWN));
  const shown = history.filter((_, k) => k % every === 0 || k === history.length - 1);
  const last = shown.at(-1);
  return {
    title: shown.length < 2 ? "The loss will be drawn here" : turned(history) || `Test loss went from ${spelled(shown[0].test_loss, 2)} to ${spelled(last.test_loss, 2)}`,
    note: "Solid: points it trains on; dashed: points it never saw",
    x: { title: "Step", kind: "number", values: shown.length > 1 ? shown.map((one) => one.step) : [0, 1] },
    panels: [{ height: 170, y: { title: "Cross-entropy", zero: true }, marks: shown.length < 2 ? [] : [
      { kind: "line", name: "training", y: shown.map((one) => one.loss), token: "--series-1" },
      { kind: "line", name: "test", y: shown.map((one) => one.test_loss), token: "--series-2", isDashed: true },
    ] }],
  };
}

/** Where the test loss turned back up for good, in words; empty while it has not. */
function turned(history) {
  const best = history.reduce((low, one) => (one.test_loss < low.test_loss ? one : low));
  const last = history.at(-1);
  const hasTurned = last.test_loss > 1.5 * best.test_loss + 0.02 && last.step > 1.3 * best.step;
  return hasTurned && `Test loss was lowest at step ${best.step.toLocaleString()}: since then it learns by heart`;
}
