// Backprop seen: the graph of a small network, its values from left to right, and its gradients revealed one by one
// from the loss back. Which network (?activation=…&loss=…&seed=…), how far the walk is (?back=7) and the node in
// question (?node=…) are in the address.
// Read next: chain-rule.js for the arithmetic, graph-picture.js for the drawing.

import { badge, choices, errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { spelled } from "/design/words.js";
import { backwards, indexOf, usesOf } from "/chain-rule.js";
import { graphPicture } from "/graph-picture.js";

const N_NETWORKS = 3;
const CHOICES = {
  activation: { label: "Activation", fallback: "tanh", options: [{ value: "tanh", label: "tanh" }, { value: "relu", label: "ReLU" }] },
  loss: { label: "Loss", fallback: "cross_entropy", options: [{ value: "cross_entropy", label: "Cross-entropy" }, { value: "squared_error", label: "Squared error" }] },
  seed: { label: "Numbers", fallback: "0", options: Array.from({ length: N_NETWORKS }, (_, k) => ({ value: String(k), label: `numbers ${k + 1}` })) },
};

export function backpropRoom() {
  const bar = h("div", { class: "row graph-choices" });
  const place = h("div", { class: "stack" }, skeleton(90), skeleton(480));
  const element = h("div", { class: "stack backprop" }, bar, place);
  let shown = null; // what is asked for, and its parts once they are there
  let isOpen = false;

  const wanted = () => Object.fromEntries(Object.entries(CHOICES).map(([name, { fallback, options }]) => [name, options.some((one) => one.value === getParam(name)) ? getParam(name) : fallback]));

  async function load() {
    const asked = new URLSearchParams(wanted()).toString();
    if (shown?.asked === asked) return shown.parts?.sync();
    shown = { asked };
    drawBar();
    try {
      const graph = await request(`/v1/backprop?${asked}`);
      if (shown.asked !== asked) return;
      shown.parts = partsOf(graph);
      place.replaceChildren(...shown.parts.children);
      shown.parts.sync();
    } catch (error) {
      if (shown.asked === asked) { shown = null; place.replaceChildren(errorState(error, { retry: load })); }
    }
  }

  function drawBar() {
    const now = wanted();
    const focused = bar.contains(document.activeElement) && document.activeElement.value;
    bar.replaceChildren(...Object.entries(CHOICES).map(([name, { label, options, fallback }]) => choices(options, { label, value: now[name], onChoose: (value) => setParam(name, value === fallback ? null : value, { replace: true }) })));
    if (focused) bar.querySelector(`[value="${CSS.escape(focused)}"]`)?.focus();
  }

  addEventListener("popstate", () => isOpen && load());
  return { element, open: () => { isOpen = true; load(); }, close: () => { isOpen = false; } };
}

function partsOf(graph) {
  const index = indexOf(graph);
  const order = backwards(graph);
  const n = order.length;
  let back = 0;
  let chosen = null;

  const words = h("div", { id: "chain", "aria-live": "polite" });
  const slider = h("input", { class: "slider", type: "range", min: 0, max: n, step: 1, "aria-label": "Gradients that are known", oninput: () => go(Number(slider.value)) });
  const counted = h("span", { class: "num scrub-at" });
  const buttons = { back: button("Back", () => go(back - 1)), next: button("Next gradient", () => go(back + 1), "primary"), all: button("All", () => go(n)) };
  const picture = graphPicture(graph, index, { title: titleOf(graph), note: "Each box: its name, its value, and below it its gradient, the change of the loss for a change of it.", state: { known: new Set(), chosen: null }, onChoose: (id) => choose(id) });
  const walk = h("div", { class: "scrub" }, buttons.back, slider, counted, buttons.next, buttons.all);
  const card = h("section", { class: "card stack", "aria-label": "The walk back" }, walk, words, picture.element);
  card.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: 1, ArrowRight: -1 }[event.key]; // the walk goes to the left
    if (!step || event.target === slider) return;
    event.preventDefault();
    go(back + step);
  });

  function go(to) {
    back = Math.min(n, Math.max(0, to));
    chosen = back ? order[back - 1] : null;
    keep();
    draw(chosen);
    if (chosen) picture.reveal(chosen);
  }
  const choose = (id) => { chosen = id; keep(); draw(); };
  function keep() {
    const url = new URL(location.href);
    for (const [name, value] of [["back", back || null], ["node", chosen]]) value === null ? url.searchParams.delete(name) : url.searchParams.set(name, value);
    if (url.href !== location.href) history.replaceState(null, "", url);
  }
  function draw(follows = null) {
    const known = new Set(order.slice(0, back));
    slider.value = back;
    slider.setAttribute("aria-valuetext", `${back} of ${n} gradients`);
    counted.textContent = `${back} of ${n}`;
    buttons.back.disabled = back === 0;
    buttons.next.disabled = buttons.all.disabled = back === n;
    picture.update({ known, chosen, fresh: back ? order[back - 1] : null }, { follows });
    words.replaceChildren(...(chosen ? chainOf(index.by.get(chosen), index, known) : begin(() => go(1))));
  }
  function sync() {
    back = Math.min(n, Math.max(0, Number(getParam("back")) || 0));
    const node = getParam("node");
    chosen = index.by.has(node) ? node : back ? order[back - 1] : null;
    draw();
  }
  const head = h("section", { class: "headline", "aria-label": "Verdict" }, h("p", { class: "verdict", id: "backprop-verdict" }, agreement(graph)), h("p", { class: "muted" }, "The chain rule, one node at a time: a node's gradient is the sum over its uses of the user's gradient times the user's local derivative."));
  return { children: [head, card], sync };
}

function button(label, act, kind = null) {
  return h("button", { class: "button", "data-size": "small", "data-kind": kind, type: "button", onclick: act }, label);
}

const titleOf = ({ nodes }) => `${nodes.filter((node) => node.inputs.length).length} operations on ${nodes.filter((node) => !node.inputs.length).length} numbers make the loss`;

/** By how much the two libraries differ, the largest of all nodes. */
function agreement({ nodes }) {
  const most = Math.max(...nodes.map((node) => Math.abs(node.torch_gradient - node.gradient)));
  return `The autodiff of phase 0 and torch agree ${most === 0 ? "to the twelfth digit" : `within ${most.toExponential(0).replace("-", "−")}`} on all ${nodes.length} gradients`;
}

function begin(start) {
  return [
    h("div", { class: "stack tight" }, h("h2", {}, "Values first, gradients back"), h("div", {}, button("Begin at the loss", start, "primary"))),
    h("div", { class: "stack tight" },
      h("p", {}, "The values were computed from left to right. Gradients come the other way: the loss's own is 1, and each node passes its own on to what it was made from."),
      h("p", { class: "hint" }, "The left arrow key takes a step back through the graph, the right one undoes it; a node tells its arithmetic.")),
  ];
}

function chainOf(node, index, known) {
  const uses = usesOf(node, index);
  const isKnown = known.has(node.id);
  const made = node.inputs.map((id) => index.by.get(id));
  const pairs = [
    ["Value", spelled(node.value)],
    made.length > 0 && ["Made from", made.map((one) => `${one.label} = ${spelled(one.value)}`).join(", ")],
    ["Gradient", isKnown ? spelled(node.gradient) : "not known yet"],
    isKnown && ["By torch", spelled(node.torch_gradient)],
  ].filter(Boolean);
  return [
    h("div", { class: "stack tight" }, h("h2", {}, node.label, " ", node.op !== node.label && badge(node.op)), h("dl", { class: "pairs" }, pairs.map(([term, said]) => [h("dt", {}, term), h("dd", {}, said)]))),
    h("div", { class: "stack tight" }, !isKnown ? h("p", { class: "muted" }, waitsFor(uses, known)) : uses.length ? sumOf(node, uses) : h("p", {}, "This is the loss itself: if it grows by 1, the loss grows by 1.")),
  ];
}

function waitsFor(uses, known) {
  const missing = uses.filter((use) => !known.has(use.by.id)).map((use) => use.by.label);
  return missing.length ? `It waits for the gradient of ${missing.join(", ")}.` : "All it needs is known: its gradient can be computed next.";
}

/** The sentence, and the sum it stands on: a term for each use. */
function sumOf(node, uses) {
  const terms = uses.map(({ by, local, above, share }) => h("li", {}, h("span", {}, `through ${by.label}`), h("span", { class: "num" }, `${spelled(above)} × ${spelled(local)} = ${spelled(share)}`)));
  const change = node.gradient === 0 ? "does not change" : `${node.gradient > 0 ? "grows" : "falls"} ${spelled(Math.abs(node.gradient))} times as much`;
  return [
    h("p", {}, `If ${node.label} grows by a little, the loss ${change}.`),
    h("ul", { class: "terms", id: "chain-rule", "aria-label": "Its user's gradient times the user's local slope" }, terms),
    h("p", { class: "hint" }, uses.length > 1 ? `Its user's gradient × the user's local slope; it is used ${uses.length} times, and what flows back is added up.` : "Its user's gradient × the user's local slope."),
  ];
}
