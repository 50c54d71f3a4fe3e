// Where each token of a sentence looks, in every head of a layer of the embedder. Sentence, layer, head and the token
// in question are in the address: ?sentence=…&layer=2&head=5&token=3. Read next: attention-lines.js.

import { choices, errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { attentionLines } from "/attention-lines.js";
import { headPicture, habitOf } from "/attention-heads.js";
import { latest } from "/latest.js";

const FIRST = "The cat slept on the mat because it was tired.";
const N_LAYERS = 6;

export function attentionView() {
  const box = h("input", { class: "input", id: "sentence", maxlength: 1000 });
  box.value = getParam("sentence") ?? FIRST;
  const verdict = h("p", { class: "verdict", role: "status" });
  const heads = h("div", { class: "heads", role: "group", "aria-label": "Heads" }, skeleton(160));
  const place = h("div", {}, skeleton(320));
  const layers = choices(Array.from({ length: N_LAYERS }, (_, k) => ({ value: k + 1, label: `Layer ${k + 1}` })), { label: "Layer", value: layerNow(), onChoose: (value) => { setParam("layer", value, { replace: true }); ask(box.value, { isNow: true }); } });
  let found = null;

  const ask = latest((text, signal) => request("/v1/inside/attention", { method: "POST", json: { text, layer: layerNow() }, signal }), {
    done: (attention) => { found = attention; draw(); },
    failed: (error) => { found = null; verdict.textContent = ""; heads.replaceChildren(); place.replaceChildren(errorState(error, { retry: () => ask(box.value, { isNow: true }) })); },
    busy: (isBusy) => place.setAttribute("aria-busy", String(isBusy)),
  });

  function draw() {
    const head = Math.min(found.weights.length, headNow()) - 1;
    verdict.textContent = `Layer ${found.layer}, head ${head + 1}: ${habitOf(found.weights[head], found.tokens)}`;
    const pick = (k) => { setParam("head", k + 1, { replace: true }); draw(); heads.querySelector("[aria-pressed=true]").focus({ preventScroll: true }); };
    heads.replaceChildren(...found.weights.map((weights, k) => h("button", { type: "button", class: "head", "aria-pressed": String(k === head), "aria-label": `Head ${k + 1}: ${habitOf(weights, found.tokens)}`, title: habitOf(weights, found.tokens), onclick: () => pick(k) }, headPicture(weights), h("span", {}, k + 1))));
    place.replaceChildren(...[
      found.is_cut && h("p", { class: "hint" }, `The sentence is longer than ${found.tokens.length} tokens; its beginning is shown.`),
      attentionLines(found.tokens, found.weights[head], { chosen: tokenNow(found), onChoose: (k) => setParam("token", k, { replace: true }) }),
    ].filter(Boolean));
  }

  box.addEventListener("input", () => {
    setParam("sentence", box.value, { replace: true });
    setParam("token", null, { replace: true });
    if (box.value.trim()) ask(box.value);
  });
  document.addEventListener("themechange", () => found && draw());
  ask(box.value || FIRST, { isNow: true });
  return h("div", { class: "stack", id: "attention" },
    h("label", { class: "field", for: "sentence" }, h("span", { class: "label" }, "A sentence"), box),
    h("div", { class: "stack tight" }, layers, heads), verdict, h("div", { class: "card" }, place));
}

const within = (value, low, high) => Math.min(high, Math.max(low, Math.trunc(Number(value)) || low));
const layerNow = () => within(getParam("layer") ?? 1, 1, N_LAYERS);
const headNow = () => within(getParam("head") ?? 1, 1, 99);
const tokenNow = ({ tokens }) => (getParam("token") === null ? null : within(getParam("token"), 0, tokens.length - 1));
