// The probability bench: seven small experiments, each a chip, a few controls and a live picture. The server computes;
// the address holds the bench and every value. Read next: benches.js, which says what each bench asks and draws.

import { choices, errorState, getParam, h } from "/design/elements.js";
import { request } from "/design/http.js";
import { plot } from "/design/plots.js";
import { BENCHES } from "/benches.js";

const PREFIX = "pb-";

export function benchRoom() {
  const place = h("div", { class: "stack" });
  const chips = h("div", {});
  let bench = null;
  const open = (id, values) => {
    bench?.leave();
    bench = workplace(BENCHES.find((one) => one.id === id) || BENCHES[0], values);
    chips.replaceChildren(choices(BENCHES.map(({ id: value, label }) => ({ value, label })), { label: "Experiment", value: bench.id, onChoose: (next) => { open(next, {}); bench.keep(); chips.querySelector(":checked").focus({ preventScroll: true }); } }));
    place.replaceChildren(bench.element);
  };
  const sync = () => {
    if (getParam("tab") !== "probability") return;
    const id = getParam(`${PREFIX}bench`) || BENCHES[0].id;
    if (bench?.id !== id) open(id, readValues());
  };
  addEventListener("popstate", sync);
  open(getParam(`${PREFIX}bench`), readValues());
  return h("div", { class: "stack lab" },
    h("div", { class: "stack" }, h("h1", {}, "What can a sample tell?"), h("p", { class: "lead" }, "Seven experiments with chance. Each is drawn on the server with a seed, so the address gives everybody the same picture.")),
    chips, place);
}

function readValues() {
  const all = [...new URL(location.href).searchParams].filter(([name]) => name.startsWith(PREFIX) && name !== `${PREFIX}bench`);
  return Object.fromEntries(all.map(([name, text]) => [name.slice(PREFIX.length), text]));
}

function keepAddress(bench, values) {
  const url = new URL(location.href);
  for (const name of [...url.searchParams.keys()]) if (name.startsWith(PREFIX)) url.searchParams.delete(name);
  if (bench.id !== BENCHES[0].id) url.searchParams.set(`${PREFIX}bench`, bench.id);
  for (const [name, usual] of Object.entries(bench.defaults)) if (String(values[name]) !== String(usual)) url.searchParams.set(PREFIX + name, values[name]);
  history.replaceState(null, "", url);
}

/** One bench: its controls at the side, its pictures beside them; each change asks the server anew. */
function workplace(bench, given) {
  const values = { ...bench.defaults };
  for (const [name, text] of Object.entries(given)) if (name in values) values[name] = typeof bench.defaults[name] === "number" && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  const said = h("p", { class: "visually-hidden", role: "status" }) // seen as the first picture's title;
  const trouble = h("div", {});
  const pictures = h("div", { class: "bench-pictures goes-stale" });
  const side = h("div", { class: "card stack play-controls" });
  let asking = null;
  let plots = [];
  let answer = null;

  const set = (change, { isRebuilt = true } = {}) => { Object.assign(values, change); if (isRebuilt) build(); keep(); ask(); };
  const keep = () => keepAddress(bench, values);

  async function ask() {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    try {
      answer = await request(`/v1/probability/${bench.id}`, { method: "POST", json: bench.ask ? bench.ask(values) : values, signal: mine.signal });
      answer.says = answer.says.replaceAll(/-(?=\d)/g, "−");
      trouble.replaceChildren();
      said.textContent = `${answer.says}.`;
      draw();
      build();
    } catch (error) {
      if (error.name === "AbortError") return;
      trouble.replaceChildren(errorState(error, { retry: ask }));
    }
  }

  function draw() {
    const specs = bench.pictures(answer, values, set);
    if (plots.length === specs.length) return specs.forEach((spec, k) => plots[k].update(spec));
    plots = specs.map((spec) => plot({ file: `probability-${bench.id}`, ...spec }));
    pictures.replaceChildren(...plots.map((one) => h("div", { class: "card" }, one.element)));
  }

  function build() {
    const focused = [...side.querySelectorAll("input, select, button, textarea")].indexOf(document.activeElement);
    if (focused >= 0 && document.activeElement.matches("input[type=range], textarea")) return; // it is being used
    side.replaceChildren(...bench.controls(values, answer).map((one) => MADE[one.kind](one, values, set)));
    if (focused >= 0) side.querySelectorAll("input, select, button, textarea")[focused]?.focus({ preventScroll: true });
  }

  build();
  ask();
  const element = h("div", { class: "stack" },
    h("p", { class: "bench-see" }, h("b", {}, "See: "), bench.see, " ", h("b", {}, "Try: "), bench.try),
    said, trouble, h("div", { class: "bench-grid" }, side, pictures));
  return { id: bench.id, element, keep, leave: () => asking?.abort() };
}

const MADE = {
  slider: ({ name, label, unit = "", min, max, step, scale, value }, values, set) => {
    const current = value ?? values[name];
    const shown = (one) => `${Number(one).toLocaleString(undefined, { maximumSignificantDigits: 4 })}${unit && ` ${unit}`}`;
    const { to, from } = SCALES[scale || "even"];
    const text = h("em", { class: "num" }, shown(current));
    const read = (event) => { const now = from(Number(event.target.value)); text.textContent = shown(now); set({ [name]: now }, { isRebuilt: false }); };
    return h("label", { class: "field" }, h("span", { class: "label" }, label, text), h("input", { class: "slider", type: "range", min: to(min), max: to(max), step: scale ? "any" : step, value: to(current), oninput: read }));
  },
  choice: ({ name, label, options, then = () => ({}) }, values, set) => h("div", { class: "field" }, h("span", { class: "label" }, label), choices(options.map((one) => (typeof one === "string" ? { value: one, label: one } : one)), { label, value: values[name], onChoose: (value) => set({ [name]: value, ...then(value) }) })),
  numbers: ({ name, label, note }, values, set) => h("label", { class: "field" }, h("span", { class: "label" }, label, h("em", {}, note)), h("textarea", { class: "input", rows: 3, spellcheck: "false", onchange: (event) => set({ [name]: event.target.value }) }, values[name])),
  buttons: ({ buttons }, values, set) => h("div", { class: "row" }, buttons.map(({ label, change, kind }) => h("button", { class: "button", type: "button", "data-kind": kind, onclick: () => set(change(values)) }, label))),
  figures: ({ rows }) => h("dl", { class: "bench-figures" }, rows.map(([word, value]) => [h("dt", {}, word), h("dd", { class: "num" }, value)])),
};

// A slider over sizes moves by factors: the position is a logarithm, the value a whole number.
const SCALES = {
  even: { to: (value) => value, from: (place) => place },
  sizes: { to: (value) => Math.log(value), from: (place) => Math.round(Math.exp(place)) },
};
