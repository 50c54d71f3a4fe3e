// A document's text in the side panel, a passage of it highlighted and scrolled to. In the address: ?passage=ID.START.END
// (characters of the text, end exclusive), or ?passage=ID for the document from its beginning.
//
//   passagePanel();                                   // once: follows the address
//   passageLink({ document_id, start, end }, "[1]")   // opens it
//   pathWords(passage)                                // "Barrels › page 3"
// A long document comes in parts: what is around the passage first. Offsets count characters, as the service does, not
// JavaScript's halves of them.

import { errorState, h, setParam, sidePanel, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { count } from "/design/words.js";

const AROUND = 3000;
const PART = 12000;

export function passageLink(place, ...children) {
  const value = place.start === undefined ? place.document_id : `${place.document_id}.${place.start}.${place.end}`;
  const url = new URL(location.href);
  url.searchParams.set("passage", value);
  return h("a", { href: url.pathname + url.search, onclick: (event) => { if (event.metaKey || event.ctrlKey) return; event.preventDefault(); setParam("passage", value); } }, ...children);
}

/** Where in its document a passage stands; a first heading that only repeats the title is left out. */
export function pathWords({ title, headings, page }) {
  const below = headings[0] === title ? headings.slice(1) : headings;
  return [...below, page && `page ${page}`].filter(Boolean).join(" › ");
}

export function passagePanel() {
  const shown = {}; // the document in the panel: { value, view }
  const panel = sidePanel({
    param: "passage",
    render: (value) => {
      if (shown.value !== value) Object.assign(shown, { value, view: { title: "Passage", body: skeleton(420) } }), load(value);
      return shown.view;
    },
  });

  async function load(value) {
    const view = await viewOf(value, () => load(value));
    if (shown.value !== value) return;
    shown.view = view;
    panel.refresh();
    document.querySelector(".panel mark")?.scrollIntoView({ block: "center" });
  }
}

async function viewOf(value, retry) {
  const [, id, start, end] = value.match(/^([^.]+)(?:\.(\d+)\.(\d+))?$/) ?? [null, value];
  const passage = start === undefined ? null : { start: Number(start), end: Number(end) };
  try {
    const from = passage ? Math.max(0, passage.start - AROUND) : 0;
    const read = await part(id, from, passage ? passage.end - from + AROUND : PART);
    return { title: read.document.title || read.document.source, eyebrow: read.document.collection, body: body(read, passage) };
  } catch (error) {
    return { title: "Passage", body: errorState(error, { retry }) };
  }
}

const part = (id, start, n) => request(`/v1/documents/${encodeURIComponent(id)}?start=${start}&n=${n}`);

function body(read, passage) {
  const { document } = read;
  const state = { start: read.start, end: read.end, pieces: [...read.text], before: null, after: null };
  const text = h("div", { class: "document-text", tabindex: 0, role: "region", "aria-label": "Text of the document" });
  const holder = h("div", { class: "stack tight" });
  const draw = () => {
    text.replaceChildren(...textNodes(state, passage));
    holder.replaceChildren(...[
      state.start > 0 && more(`Earlier text (${count(state.start, "character")})`, extendBefore),
      text,
      state.end < document.n_characters && more(`Later text (${count(document.n_characters - state.end, "character")})`, extendAfter),
    ].filter(Boolean));
  };
  async function extendBefore() {
    const start = Math.max(0, state.start - PART);
    const found = await part(document.id, start, state.start - start);
    Object.assign(state, { start, pieces: [...found.text, ...state.pieces] });
    draw();
  }
  async function extendAfter() {
    const found = await part(document.id, state.end, PART);
    Object.assign(state, { end: found.end, pieces: [...state.pieces, ...found.text] });
    draw();
  }
  draw();
  return [facts(document), holder];
}

function textNodes({ start, pieces }, passage) {
  const cut = (from, to) => pieces.slice(Math.max(0, from - start), Math.max(0, to - start)).join("");
  if (!passage) return [pieces.join("")];
  const end = start + pieces.length;
  return [cut(start, passage.start), h("mark", {}, cut(passage.start, passage.end)), cut(passage.end, end)];
}

function more(label, act) {
  const button = h("button", { class: "button", "data-size": "small", type: "button" }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try { await act(); } catch (error) { button.replaceWith(errorState(error, { retry: act })); }
  });
  return button;
}

function facts(document) {
  const size = [count(document.n_characters, "character"), document.n_pages && count(document.n_pages, "page"), count(document.n_chunks, "passage")].filter(Boolean).join(", ");
  return h("div", { class: "stack tight" },
    h("p", { class: "hint mono source" }, document.source),
    h("p", { class: "hint" }, size),
    document.notes.map((note) => h("p", { class: "hint" }, `Not read: ${note}`)));
}
