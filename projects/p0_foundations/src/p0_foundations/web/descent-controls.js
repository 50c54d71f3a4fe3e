// What can be chosen in the room on descent: the function, typed or picked, and how to search.

import { choices, h } from "/design/elements.js";
import { spelled } from "/design/scales.js";
import { OPTIMISERS, limitWords } from "/steps.js";

const TYPING_MS = 300;
const STEP = { low: -4, high: 1 }; // the slider's ends, powers of ten
const HAS_MOMENTUM = ["momentum", "nesterov", "adam"];
const ACCEPTED = "x, y, numbers, pi, e, + − * / ^, parentheses, sin cos tan tanh exp log sqrt abs min max";

/** Chips of named functions over a field for one's own; what is wrong is said at the field. */
export function formulaBar({ functions, state, change }) {
  const input = h("input", { class: "input mono", id: "formula", type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-describedby": "formula-error formula-hint", placeholder: "x^2 + 3*sin(y)" });
  const error = h("p", { class: "field-error", id: "formula-error", role: "alert" });
  const hint = h("p", { class: "hint", id: "formula-hint" });
  const pick = (name) => {
    const one = functions.find((other) => other.name === name);
    accept();
    input.value = one.formula;
    change({ f: one.formula, start: [...one.start], step: one.step_size, view: [...one.x, ...one.y] }, { isNew: true });
  };
  const chips = choices(functions.map((one) => ({ value: one.name, label: one.title })), { label: "Function", onChoose: pick });
  let waiting = null;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change({ f: input.value }), TYPING_MS);
  });
  function accept() {
    error.textContent = "";
    input.removeAttribute("aria-invalid");
  }
  function refuse({ message }) {
    error.textContent = `Cannot be read at ${message}`;
    input.setAttribute("aria-invalid", "true");
  }
  function draw() {
    const named = functions.find((one) => one.formula === state().f);
    if (document.activeElement !== input) input.value = state().f;
    chips.querySelectorAll("input").forEach((radio) => { radio.checked = radio.value === named?.name; });
    hint.textContent = named ? named.lesson : `Read, never run. Accepted: ${ACCEPTED}`;
  }
  return {
    element: h("div", { class: "card stack formula-bar" }, chips, h("div", { class: "formula-line" }, h("label", { class: "mono", for: "formula" }, "f(x, y) ="), input), error, hint),
    draw, accept, refuse,
  };
}

export function controls(context) {
  const { state, change } = context;
  const optimiser = choices(OPTIMISERS, { label: "Optimiser", value: state().by, onChoose: (by) => change(by === "newton" ? { by, step: 1 } : { by }, { isNew: true }) });
  const size = stepSlider(context);
  const momentum = momentumSlider(context);
  const steps = choices([50, 200, 1000, 2000].map((n) => ({ value: n, label: n.toLocaleString() })), { label: "Most steps", value: state().steps, onChoose: (n) => change({ steps: n }, { isNew: true }) });
  const draw = () => {
    check(optimiser, state().by);
    check(steps, state().steps);
    size.draw();
    momentum.draw();
  };
  return {
    element: h("div", { class: "card stack" }, h("div", { class: "field" }, h("span", { class: "label" }, "Optimiser"), optimiser), size.element, momentum.element, h("div", { class: "field" }, h("span", { class: "label" }, "Most steps"), steps)),
    draw,
  };
}

const check = (chips, value) => chips.querySelectorAll("input").forEach((radio) => { radio.checked = radio.value === String(value); });

/** A slider in powers of ten, the largest stable step marked on its track. */
function stepSlider({ state, run, change }) {
  const range = h("input", { class: "slider", type: "range", id: "step-size", min: STEP.low, max: STEP.high, step: 0.01, "aria-describedby": "step-limit" });
  const exact = h("input", { class: "input num step-exact", type: "text", inputmode: "decimal", "aria-label": "Step size, exactly" });
  const beyond = h("i", { class: "beyond" });
  const mark = h("span", { class: "limit", "aria-hidden": "true" });
  const said = h("p", { class: "hint", id: "step-limit" });
  range.addEventListener("input", () => change({ step: Number((10 ** Number(range.value)).toPrecision(3)) }));
  exact.addEventListener("change", () => {
    const value = Number(exact.value.replace(",", "."));
    if (value > 0 && value <= 1e4) change({ step: value });
    else exact.value = state().step;
  });
  const draw = () => {
    range.value = Math.log10(state().step);
    range.setAttribute("aria-valuetext", spelled(state().step));
    if (document.activeElement !== exact) exact.value = state().step;
    const now = run();
    if (!now) return;
    const limit = now.step_limit;
    const share = limit ? (Math.log10(limit) - STEP.low) / (STEP.high - STEP.low) : 2;
    mark.hidden = beyond.hidden = share > 1 || share < 0;
    for (const one of [mark, beyond]) one.style.setProperty("--share", String(share));
    mark.textContent = limit ? spelled(limit, 2) : "";
    said.textContent = limitWords(now, now.asked);
    said.dataset.over = String(Boolean(limit && now.asked.step >= limit));
  };
  return {
    element: h("div", { class: "field" }, h("label", { class: "label", for: "step-size" }, "Step size η", exact), h("div", { class: "step-track" }, beyond, range, mark), said),
    draw,
  };
}

function momentumSlider({ state, change }) {
  const range = h("input", { class: "slider", type: "range", id: "momentum", min: 0, max: 0.99, step: 0.01, oninput: () => change({ mu: Number(range.value) }) });
  const said = h("output", { for: "momentum" });
  const element = h("div", { class: "field" }, h("label", { class: "label", for: "momentum" }, "Momentum μ", said), range);
  const draw = () => {
    element.hidden = !HAS_MOMENTUM.includes(state().by);
    range.value = state().mu;
    said.textContent = spelled(state().mu, 2);
  };
  return { element, draw };
}
