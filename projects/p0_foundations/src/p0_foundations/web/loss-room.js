// The room on losses: fit a line by hand, drag one point away, and see which loss follows it.
// The page computes the loss of the line in hand; the best lines are the service's. State in the address (l-…).
// Pictures in loss-pictures.js, the maths of one row in loss-maths.js.

import { address, newest, number, numbers, words } from "/address.js";
import { shareButton } from "/descent.js";
import { choices, errorState, h, icon, meter } from "/design/elements.js";
import { request } from "/design/http.js";
import { spelled } from "/design/scales.js";
import { TASKS, findingOf, lineOf, meanLoss, pointsOf } from "/loss-maths.js";
import { fitPicture, shapePicture } from "/loss-pictures.js";

const KEPT = address("l", {
  task: words("values", Object.keys(TASKS)), out: numbers(2), line: numbers(2), seed: number(7, { from: 0, to: 1e9 }),
  loss: words("squared"), delta: number(1, { from: 0.05, to: 8 }),
});

function stateOf() {
  const said = KEPT.read();
  const task = TASKS[said.task];
  return { ...said, out: said.out ?? [...task.outlier], line: said.line ?? [...task.line], loss: said.loss in task.losses ? said.loss : "squared" };
}

export function lossRoom() {
  let state = stateOf();
  let fits = []; // the best line of each loss, with the outlier
  let clean = []; // and without
  const base = () => pointsOf(state.task, state.seed);
  const points = () => [...base(), state.out];
  const context = { state: () => state, points, line: () => lineOf(state.task, state.line), fits: () => fits, change };

  const finding = h("div", { class: "headline walk-verdict", role: "status", "data-finding": "" }, h("p", { class: "verdict" }, "Finding the best lines…"));
  const trouble = h("div", {});
  const cards = h("div", { class: "stack loss-cards" });
  const picture = fitPicture(context);
  const shape = shapePicture(context);
  const hand = handControls(context);

  const fitted = (list, { task, delta }) => request("/v1/fit-line", { method: "POST", json: { points: list, task, delta } });
  const ask = newest(async (asked) => Promise.all([fitted([...pointsOf(asked.task, asked.seed), asked.out], asked), fitted(pointsOf(asked.task, asked.seed), asked)]), {
    done: ([all, without], asked) => {
      if (asked.task !== state.task) return;
      [fits, clean] = [all, without];
      trouble.replaceChildren();
      draw();
    },
    failed: (error) => trouble.replaceChildren(errorState(error, { retry: () => ask(state) })),
  });

  function change(parts, { isNew = false } = {}) {
    const before = state;
    state = { ...state, ...parts };
    KEPT.write(state, { isNew });
    refresh(before);
  }
  function refresh(before) {
    const differs = ["task", "out", "seed", "delta"].some((key) => JSON.stringify(before?.[key]) !== JSON.stringify(state[key]));
    if (before && before.task !== state.task) [fits, clean] = [[], []];
    if (differs) ask(state);
    draw(before?.task !== state.task);
  }
  function draw(isNewPlane = false) {
    if (fits.length) finding.replaceChildren(h("p", { class: "verdict" }, findingOf(state.task, fits, clean, state.out)), h("p", { class: "muted" }, WHY[state.task]));
    if (isNewPlane) picture.drawAll();
    else picture.draw();
    shape.draw();
    hand.draw();
    cards.replaceChildren(...lossCards(context));
  }

  addEventListener("popstate", () => {
    const before = state;
    state = stateOf();
    refresh(before);
  });
  refresh(null);
  return h("div", { class: "stack lab losses" },
    h("div", { class: "row between room-head" }, h("div", { class: "stack tight" }, h("h1", {}, "What does it cost to be wrong?"), h("p", { class: "lead" }, "Fit the line by hand, then drag the outlier. Each loss has its own best line, and they do not agree on what one odd point is worth.")), shareButton()),
    hand.tasks, finding, trouble,
    h("div", { class: "walk" }, h("div", { class: "stack" }, h("div", { class: "card stack" }, picture.element, hand.element), h("div", { class: "card" }, shape.element)), cards));
}

const WHY = {
  values: "Squared errors grow with the square of the distance, so a far point pulls harder the farther it is. Absolute errors pull equally from everywhere; Huber's do from δ on.",
  labels: "The squared loss punishes a score for being too right: a point far on its own side drags the boundary. Logistic and hinge leave such a point almost or wholly alone.",
};

/** Which kind of points, the line as two sliders, Huber's δ, new points. */
function handControls({ state, line, change }) {
  const tasks = choices([{ value: "values", label: "Fit values" }, { value: "labels", label: "Tell two labels apart" }], {
    label: "Task", value: state().task,
    onChoose: (task) => change({ task, out: [...TASKS[task].outlier], line: [...TASKS[task].line], loss: "squared" }, { isNew: true }),
  });
  const move = (slope, intercept) => change({ line: TASKS[state().task].ends.map((x) => Number((slope * x + intercept).toPrecision(5))) });
  const slope = slider("Slope", "line-slope", { min: -3, max: 3, step: 0.01 }, (value) => move(value, line().intercept));
  const intercept = slider("Intercept", "line-intercept", { min: -12, max: 12, step: 0.05 }, (value) => move(line().slope, value));
  const delta = slider("Huber's δ", "huber-delta", { min: 0.1, max: 6, step: 0.1 }, (value) => change({ delta: value }));
  const renew = h("button", { class: "button", type: "button", "data-size": "small", onclick: () => change({ seed: (state().seed + 1) % 1e6 }, { isNew: true }) }, icon("retry"), "Other points");
  const draw = () => {
    tasks.querySelectorAll("input").forEach((radio) => { radio.checked = radio.value === state().task; });
    slope.set(line().slope);
    intercept.set(line().intercept);
    delta.set(state().delta);
    delta.element.hidden = state().task !== "values";
  };
  return { tasks: h("div", { class: "row between" }, tasks, renew), element: h("div", { class: "fields hand" }, slope.element, intercept.element, delta.element), draw };
}

function slider(name, id, limits, move) {
  const range = h("input", { class: "slider", type: "range", id, ...limits, oninput: () => move(Number(range.value)) });
  const said = h("output", { for: id });
  const set = (value) => {
    if (document.activeElement !== range) range.value = value;
    said.textContent = spelled(value, 3);
  };
  return { element: h("div", { class: "field" }, h("label", { class: "label", for: id }, name, said), range), set };
}

/** One card a loss: your line's mean loss beside the best, and when this loss is right. */
function lossCards({ state, points, line, fits, change }) {
  const { task, delta, loss: chosen } = state();
  return Object.entries(TASKS[task].losses).map(([name, { token }]) => {
    const fit = fits().find((one) => one.loss === name);
    const yours = meanLoss(task, name, line(), points(), delta);
    const use = () => change({ line: TASKS[task].ends.map((x) => Number((fit.slope * x + fit.intercept).toPrecision(6))), loss: name }, { isNew: true });
    return h("section", { class: "card loss-card", "data-loss": name, "data-chosen": String(name === chosen) },
      h("div", { class: "row between" }, h("h2", { class: "loss-name" }, h("i", { class: "swatch", style: { background: `var(${token})` } }), fit ? fit.title : name), h("span", { class: "mono hint" }, fit?.formula)),
      h("div", { class: "loss-figures" }, figure("your line", spelled(yours, 3)), figure("its best line", fit ? (fit.is_settled ? spelled(fit.mean_loss, 3) : "none") : "…")),
      fit && meter(yours > 0 ? Math.min(1, fit.mean_loss / yours) : 1, `How near your line comes to the best by ${fit.title}`),
      fit && h("p", { class: "hint" }, fit.is_settled ? `Right when ${fit.right_when}.` : "A line separates these labels, so the steeper it is the lower the loss: there is no best one."),
      h("div", { class: "row" },
        h("button", { class: "button", type: "button", "data-size": "small", "aria-pressed": String(name === chosen), onclick: () => change({ loss: name }) }, "Show its errors"),
        fit?.is_settled && h("button", { class: "button", type: "button", "data-kind": "quiet", "data-size": "small", onclick: use }, "Use its line")));
  });
}

const figure = (name, value) => h("div", {}, h("span", { class: "hint" }, name), h("b", { class: "loss-figure" }, value));
