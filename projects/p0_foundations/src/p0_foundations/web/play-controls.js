// What of a training can be set, and its place in the address: ?pg-task=xor&pg-hidden=4-4. Knows no stream.

import { choices, h } from "/design/elements.js";

const PREFIX = "pg-";
const DEFAULTS = { task: "spirals", noise: 0.03, hidden: [8, 8], activation: "tanh", optimiser: "adam", step_size: 0.03, weight_decay: 0, batch_size: 32, seed: 0, steps_per_frame: 10 };
const TASKS = { spirals: "Two spirals", ring: "Ring", xor: "Exclusive or", clouds: "Two clouds" };
const ACTIVATIONS = { tanh: "tanh", relu: "ReLU", sigmoid: "sigmoid" };
const OPTIMISERS = { adam: "Adam", rmsprop: "RMSProp", momentum: "Momentum", nesterov: "Nesterov", "gradient-descent": "Gradient descent" };
const STEP_SIZES = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const DECAYS = [0, 0.0001, 0.001, 0.003, 0.01, 0.03, 0.1];
const BATCHES = [1, 4, 8, 16, 32, 64, 128, 210];
const PACES = [1, 2, 5, 10, 20, 50];
const MOST = { layers: 3, neurons: 16 };

/** Settings and step of the address; what is not there is as usual. What is not accepted, the server says. */
export function readSettings() {
  const params = new URL(location.href).searchParams;
  const settings = Object.fromEntries(Object.entries(DEFAULTS).map(([name, usual]) => [name, parsed(params.get(PREFIX + name), usual)]));
  return { settings, step: parsed(params.get(`${PREFIX}step`), 0) };
}

function parsed(text, usual) {
  if (text === null) return usual;
  if (Array.isArray(usual)) return text === "none" ? [] : text.split("-").map(Number);
  return typeof usual === "number" ? (Number.isFinite(Number(text)) && text !== "" ? Number(text) : text) : text;
}

export function writeSettings(settings, step) {
  const url = new URL(location.href);
  const put = (name, value, usual) => (value === usual ? url.searchParams.delete(PREFIX + name) : url.searchParams.set(PREFIX + name, value));
  const written = (value) => (Array.isArray(value) ? value.join("-") || "none" : value);
  for (const [name, usual] of Object.entries(DEFAULTS)) put(name, written(settings[name]), written(usual));
  put("step", step, 0);
  history.replaceState(null, "", url);
}

/** The settings' side: `get` gives them, `change` is told what is new. */
export function controls(get, change) {
  const element = h("div", { class: "stack play-controls" });
  const show = () => {
    const focused = [...element.querySelectorAll("input, select, button")].indexOf(document.activeElement);
    const now = get();
    element.replaceChildren(
      field("Points", choices(pairs(TASKS), { label: "Points", value: now.task, onChoose: (task) => change({ task }) })),
      noise(now, change),
      layers(now, change),
      h("div", { class: "play-pairs" },
        select("Activation", pairs(ACTIVATIONS), now.activation, (activation) => change({ activation })),
        select("Optimiser", pairs(OPTIMISERS), now.optimiser, (optimiser) => change({ optimiser })),
        select("Step size", numbers(STEP_SIZES), now.step_size, (step_size) => change({ step_size })),
        select("Weight decay", numbers(DECAYS), now.weight_decay, (weight_decay) => change({ weight_decay })),
        select("Batch", numbers(BATCHES, " points"), now.batch_size, (batch_size) => change({ batch_size })),
        select("A picture every", numbers(PACES, " steps"), now.steps_per_frame, (steps_per_frame) => change({ steps_per_frame }))),
      seed(now, change),
    );
    if (focused >= 0) element.querySelectorAll("input, select, button")[focused]?.focus({ preventScroll: true });
  };
  show();
  return { element, show };
}

const pairs = (names) => Object.entries(names).map(([value, label]) => ({ value, label }));
const numbers = (values, unit = "") => values.map((value) => ({ value, label: `${value}${unit}` }));
const field = (label, control, note) => h("div", { class: "field" }, h("span", { class: "label" }, label, note && h("em", { class: "num" }, note)), control);

function select(label, options, value, onChoose) {
  const all = options.some((one) => one.value === value) ? options : [...options, { value, label: String(value) }];
  const control = h("select", { class: "input", onchange: (event) => onChoose(all[event.target.selectedIndex].value) }, all.map((one) => h("option", { selected: one.value === value }, one.label)));
  return h("label", { class: "field" }, h("span", { class: "label" }, label), control);
}

function noise(now, change) {
  const said = h("em", { class: "num" }, String(now.noise));
  const slider = h("input", { class: "slider", type: "range", min: 0, max: 0.3, step: 0.01, value: now.noise, oninput: (event) => { said.textContent = event.target.value; }, onchange: (event) => change({ noise: Number(event.target.value) }) });
  return h("label", { class: "field" }, h("span", { class: "label" }, "Noise", said), slider);
}

function layers({ hidden }, change) {
  const small = (label, sign, isOff, next) => h("button", { class: "icon-button", type: "button", "aria-label": label, title: label, disabled: isOff, onclick: () => change({ hidden: next }) }, sign);
  const rows = hidden.map((n, k) => h("div", { class: "play-layer" },
    h("span", {}, `Layer ${k + 1}`),
    small(`One neuron less in layer ${k + 1}`, "−", n <= 1, hidden.with(k, n - 1)),
    h("b", { class: "num" }, String(n)),
    small(`One neuron more in layer ${k + 1}`, "+", n >= MOST.neurons, hidden.with(k, n + 1)),
    small(`Take layer ${k + 1} away`, "×", false, hidden.toSpliced(k, 1))));
  const add = h("button", { class: "button", "data-size": "small", type: "button", disabled: hidden.length >= MOST.layers, onclick: () => change({ hidden: [...hidden, hidden.at(-1) || 4] }) }, "Add a layer");
  return field("Hidden layers", h("div", { class: "play-layers" }, rows, add), hidden.length ? "" : "none: one straight line");
}

function seed(now, change) {
  const input = h("input", { class: "input", type: "number", min: 0, max: 2 ** 31 - 1, value: now.seed, "aria-label": "Seed", onchange: (event) => change({ seed: Number(event.target.value) }) });
  return field("Seed", h("div", { class: "play-seed" }, input, h("button", { class: "button", type: "button", onclick: () => change({ seed: Number(now.seed) + 1 }) }, "Next")), "points, weights, order");
}
