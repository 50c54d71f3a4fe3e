// A typed text as the embedder's word pieces and as the generator's tokens, side by side. The text is in the address:
// ?text=….

import { badge, errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { count } from "/design/words.js";
import { latest } from "/latest.js";

const FIRST = "Tokenization isn't splitting at blanks: 12,345.67 € and antidisestablishmentarianism 🙂";
const READERS = [
  { role: "embedder", about: "WordPiece, 30,522 pieces: lower case; ## goes on with a word; what it has no piece for is [UNK]." },
  { role: "generator", about: "Byte-level BPE, 49,152 tokens: case and blanks (·) are kept; what is rare falls apart into bytes." },
];

export function tokensView() {
  const box = h("textarea", { class: "input", rows: 3, id: "token-text", maxlength: 4000 });
  box.value = getParam("text") ?? FIRST;
  const verdict = h("p", { class: "verdict", role: "status" });
  const place = h("div", { class: "two" }, skeleton(220), skeleton(220));
  const ask = latest((text, signal) => request("/v1/inside/tokens", { method: "POST", json: { text }, signal }), {
    done: (found, text) => {
      verdict.textContent = verdictOf(found, text);
      place.replaceChildren(...found.map((one, k) => column(one, READERS[k])));
    },
    failed: (error) => { verdict.textContent = ""; place.replaceChildren(errorState(error, { retry: () => ask(box.value, { isNow: true }) })); },
    busy: (isBusy) => place.setAttribute("aria-busy", String(isBusy)),
  });
  box.addEventListener("input", () => { setParam("text", box.value, { replace: true }); ask(box.value); });
  ask(box.value, { isNow: true });
  return h("div", { class: "stack", id: "tokens" }, h("label", { class: "field", for: "token-text" }, h("span", { class: "label" }, "A text"), box), verdict, place);
}

function verdictOf([pieces, tokens], text) {
  if (!text.trim()) return "Write something: it is cut as you type.";
  const unknown = pieces.tokens.filter((one) => one.text === "[UNK]").length;
  const lost = unknown ? `; the embedder cannot read ${count(unknown, "piece")} of it` : "";
  return `${count([...text].length, "character")}: ${count(pieces.tokens.length, "token")} for the embedder, ${tokens.tokens.length.toLocaleString()} for the generator${lost}.`;
}

function column({ model, tokens }, { role, about }) {
  const piece = ({ id, text }) => h("li", { title: `Number ${id}`, "data-unknown": text === "[UNK]" }, h("span", { class: "piece" }, visible(text)), h("span", { class: "piece-id" }, id));
  return h("section", { class: "card stack", "aria-label": `Tokens of ${model}` },
    h("header", { class: "row between" }, h("h2", { class: "row" }, model, badge(role)), h("span", { class: "hint" }, count(tokens.length, "token"))),
    h("p", { class: "hint" }, about),
    h("ol", { class: "pieces" }, tokens.map(piece)));
}

/** A token with its blanks to be seen. */
export const visible = (text) => text.replaceAll(" ", "·").replaceAll("\n", "↵").replaceAll("\t", "→") || "(nothing)";
