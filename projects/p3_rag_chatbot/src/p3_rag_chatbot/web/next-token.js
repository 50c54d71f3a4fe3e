// What the generator may write next: its likeliest tokens, how temperature and top-p change their chances, and an
// answer that grows by the token a person picks or chance draws. In the address: ?prompt=…&answer=…&t=0.7&p=0.9.
// Read next: chances.js.

import { errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { count, percent } from "/design/words.js";
import { chancesOf, drawn } from "/chances.js";
import { latest } from "/latest.js";
import { visible } from "/tokens.js";

const FIRST = { prompt: "What is the capital of France?", answer: "The capital of France is" };
const N_SHOWN = 20;
const ADVISED = { t: 0.2, p: 0.9 }; // what the model answers with where a request does not say

export function nextView() {
  const isFirst = getParam("prompt") === null;
  const prompt = h("textarea", { class: "input", rows: 2, id: "next-prompt", maxlength: 4000 });
  const answer = h("textarea", { class: "input", rows: 3, id: "next-answer", maxlength: 4000, placeholder: "Empty: the answer's first token" });
  prompt.value = isFirst ? FIRST.prompt : getParam("prompt");
  answer.value = isFirst ? FIRST.answer : (getParam("answer") ?? "");
  const verdict = h("p", { class: "verdict", role: "status" });
  const rows = h("div", { class: "stack tight" }, skeleton(420));
  const temperature = slider("Temperature", "t", { min: 0, max: 2, step: 0.05, start: 1 }, () => draw());
  const topP = slider("Top-p", "p", { min: 0.05, max: 1, step: 0.05, start: 1 }, () => draw());
  let candidates = null;

  const ask = latest((_, signal) => request("/v1/inside/next", { method: "POST", json: { prompt: prompt.value, answer: answer.value }, signal }), {
    done: (found) => { candidates = found.candidates; draw(); },
    failed: (error) => { candidates = null; verdict.textContent = ""; rows.replaceChildren(errorState(error, { retry: () => ask(null, { isNow: true }) })); },
    busy: (isBusy) => rows.setAttribute("aria-busy", String(isBusy)),
  });

  function typed() {
    setParam("prompt", prompt.value, { replace: true });
    setParam("answer", answer.value, { replace: true });
    if (prompt.value.trim()) ask(null);
  }

  function append(text) {
    answer.value += text;
    typed();
  }

  function draw() {
    if (!candidates) return;
    const chances = chancesOf(candidates, { temperature: temperature.value(), topP: topP.value() });
    const left = chances.filter((one) => one.share > 0);
    verdict.textContent = `${shownToken(chances[0].text)} comes next with ${percent(chances[0].share)}; ${left.length === candidates.length ? `${left.length} tokens are in play` : `${count(left.length, "token")} of ${candidates.length} ${left.length === 1 ? "is" : "are"} left to choose from`}.`;
    const most = Math.max(...chances.map((one) => Math.max(one.share, one.before)));
    rows.replaceChildren(h("ol", { class: "chances", "aria-label": "Likeliest tokens; a press appends one" }, chances.slice(0, N_SHOWN).map((one) => chanceRow(one, most, append))));
  }

  const roll = h("button", { class: "button", "data-kind": "primary", type: "button", onclick: () => candidates && append(drawn(chancesOf(candidates, { temperature: temperature.value(), topP: topP.value() }), Math.random()).text) }, "Draw one");
  const advised = h("button", { class: "button", "data-size": "small", "data-kind": "quiet", type: "button", onclick: () => { temperature.set(ADVISED.t); topP.set(ADVISED.p); draw(); } }, "As the chat has it");
  prompt.addEventListener("input", typed);
  answer.addEventListener("input", typed);
  ask(null, { isNow: true });
  return h("div", { class: "next-split", id: "next" },
    h("section", { class: "card stack", "aria-label": "The text so far" },
      h("label", { class: "field", for: "next-prompt" }, h("span", { class: "label" }, "Question"), prompt),
      h("label", { class: "field", for: "next-answer" }, h("span", { class: "label" }, "Answer so far"), answer),
      temperature.element, topP.element,
      h("div", { class: "row between" }, roll, advised),
      h("p", { class: "hint" }, "As llama.cpp does it: top-p keeps the likeliest tokens that together have that chance, then temperature sharpens (below 1) or flattens (above 1) what is left; 0 always takes the first. Bars: the chances among the 200 likeliest; the upright line: before both.")),
    h("section", { class: "stack", "aria-label": "What may come next" }, verdict, h("div", { class: "card" }, rows)));
}

function slider(label, param, { min, max, step, start }, onChange) {
  const given = getParam(param);
  const first = given === null || !Number.isFinite(Number(given)) ? start : Math.min(max, Math.max(min, Number(given)));
  const input = h("input", { class: "slider", type: "range", min, max, step, value: first });
  const number = h("span", { class: "num", "aria-hidden": "true" }, first.toFixed(2)); // no output element: the label would be its
  const changed = () => { number.textContent = Number(input.value).toFixed(2); setParam(param, input.value, { replace: true }); };
  input.addEventListener("input", () => { changed(); onChange(); });
  return {
    element: h("label", { class: "field" }, h("span", { class: "label" }, label, number), input),
    value: () => Number(input.value),
    set: (value) => { input.value = value; changed(); },
  };
}

const shownToken = (text) => `“${visible(text)}”`;

function chanceRow({ text, share, before }, most, append) {
  return h("li", {}, h("button", { type: "button", class: "chance", "data-out": share === 0, "aria-label": `${shownToken(text)}, ${percent(share)}: append it`, onclick: () => append(text) },
    h("span", { class: "mono truncate" }, visible(text)),
    h("span", { class: "chance-track", "aria-hidden": "true" }, h("i", { style: { "--share": String(share / most) } }), h("b", { style: { "--share": String(before / most) } })),
    h("span", { class: "num" }, share === 0 ? "cut" : percent(share))));
}
