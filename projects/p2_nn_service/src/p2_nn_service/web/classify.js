// Classify: an image is drawn, dropped, pasted, chosen or taken from what the network got wrong; the answer follows
// it live. What is shown is in the address: #drawing=… (its strokes) or ?example=12; a file stays on this machine
// until it is sent. Read next: sketch.js, answer.js, card.js.

import { dropzone, emptyState, errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { answerView } from "/answer.js";
import { modelCard } from "/card.js";
import { DRAWINGS } from "/drawings.js";
import { newest } from "/newest.js";
import { sketchStage } from "/sketch.js";
import { SIDE, fromText, paint, toText } from "/strokes.js";

const N_HARD = 6;

export function classifyRoom({ onOtherVersion }) {
  const stage = sketchStage({ onDrawn: drawn });
  const examples = h("div", { class: "stack tight" });
  const body = h("div", { id: "answer-body" }, skeleton(360));
  const side = h("div", {}, skeleton(360));
  const wants = h("input", { type: "checkbox", id: "wants-saliency", checked: getParam("saliency") === "1", onchange: () => { setParam("saliency", wants.checked ? "1" : null, { replace: true }); again(); } });
  const answer = h("section", { class: "card stack goes-stale", id: "answer", "aria-labelledby": "answer-title" },
    h("header", { class: "row between" }, h("h2", { id: "answer-title" }, "Taken for"), h("label", { class: "check" }, wants, h("span", {}, "Show the evidence"))), body);
  const files = dropzone({ accept: "image/*", label: "Drop, paste or choose a picture", hint: "PNG, JPEG, WebP, GIF or BMP", onFiles: ([file]) => take(file) });
  const element = h("div", { class: "classify" },
    h("section", { class: "card stack", id: "ask", "aria-labelledby": "ask-title" }, h("h2", { id: "ask-title" }, "Show it something"), stage.element, files, examples),
    answer, side);
  let model = null;
  let mistakes = null; // until they are known
  let view = null;
  let asked = null; // the image in question: { content: () => its bytes, name, isFile }
  let isOpen = false;
  let pictureUrl = "";

  const ask = newest(sent, { done: show, failed: (error) => { view = null; body.replaceChildren(errorState(error, { retry: again })); }, busy: (isBusy) => body.setAttribute("aria-busy", String(isBusy)) });
  const again = () => { if (asked && model) ask(asked); };

  async function sent({ content }) {
    const blob = await content();
    const options = { method: "POST", body: blob, headers: { "content-type": blob.type || "application/octet-stream" } };
    const began = performance.now();
    const [reply, prepared] = await Promise.all([
      request(`/v1/classify${wants.checked ? "?saliency=true" : ""}`, options).then((found) => ({ ...found, ms: performance.now() - began })),
      request("/v1/prepare", options),
    ]);
    return { reply, prepared: prepared.images[0] };
  }

  function show({ reply, prepared }) {
    if (!asked) return;
    if (reply.model.version !== model.model.version) onOtherVersion();
    view ??= answerView(model);
    if (!view.element.isConnected) body.replaceChildren(view.element);
    view.update({ one: reply.classifications[0], prepared, served: reply.model, ms: reply.ms, id: reply.id, wantsSaliency: wants.checked });
  }

  // ------------------------------------------------------------------- where an image comes from
  function drawn(strokes, { isDone }) {
    if (isDone) keepAddress({ drawing: toText(strokes) });
    if (!strokes.length) return nothing();
    asked = { content: stage.png, name: "drawing" };
    again();
  }

  function take(file, name = file.name || "pasted picture") {
    keepAddress({}, { isNew: true }); // back returns to what was drawn
    showPicture(file, name, { isFile: true });
  }

  function showPicture(blob, name, { isFile = false } = {}) {
    URL.revokeObjectURL(pictureUrl);
    pictureUrl = URL.createObjectURL(blob);
    stage.showPicture(pictureUrl, name, { isSmall: !isFile });
    asked = { content: async () => blob, name, isFile };
    again();
  }

  /** The address names what is shown; a new entry of the history for another kind of thing. */
  function keepAddress({ drawing = "", example = null }, { isNew = false } = {}) {
    const url = new URL(location.href);
    if (example === null) url.searchParams.delete("example");
    else url.searchParams.set("example", example);
    url.hash = drawing && `drawing=${drawing}`;
    if (url.href !== location.href) history[isNew ? "pushState" : "replaceState"](null, "", url);
  }

  function restore() {
    if (!model || !isOpen) return;
    if (wants.checked !== (getParam("saliency") === "1")) { wants.checked = !wants.checked; again(); }
    const example = getParam("example");
    if (example !== null && !mistakes) return;
    const wanted = mistakes?.find((one) => String(one.index) === example);
    if (wanted) return asked?.name !== nameOf(wanted) && showPicture(blobOf(wanted), nameOf(wanted));
    if (example !== null) return body.replaceChildren(emptyState({ title: `There is no example ${example}`, text: "The model that answers now has other mistakes to show; pick one, or draw." }));
    const strokes = fromText(new URLSearchParams(location.hash.slice(1)).get("drawing"));
    if (asked?.name === "drawing" && toText(strokes) === toText(stage.strokes())) return;
    if (!strokes.length && asked?.isFile) return; // no address names it
    stage.setStrokes(strokes);
    drawn(strokes, { isDone: false });
  }

  function nothing() {
    ask.drop();
    asked = null;
    view = null;
    const first = offered()[0];
    body.replaceChildren(emptyState({
      title: "Nothing shown yet", text: `Draw one of ${listed(model.card.classes)}, or give it a picture. It answers while you draw.`,
      action: first && { label: `Draw ${article(first.label)} for me`, run: () => choose(first) },
    }));
  }

  const offered = () => DRAWINGS.filter((one) => model.card.classes.includes(one.label));
  const choose = ({ strokes }) => { keepAddress({ drawing: toText(strokes) }, { isNew: true }); restore(); };
  const pick = (one) => { keepAddress({ example: one.index }, { isNew: true }); restore(); };

  function drawExamples() {
    const thumbs = offered().map((one) => h("button", { class: "thumb", type: "button", title: one.label, "aria-label": `Draw: ${one.label}`, onclick: () => choose(one) }, thumbnail(one.strokes)));
    const hard = (mistakes || []).slice(0, N_HARD).map((one) => h("button", { class: "thumb", type: "button", title: `${one.truth}, taken for ${one.said}`, "aria-label": `Held-out image: ${one.truth}, taken for ${one.said}`, onclick: () => pick(one) }, h("img", { src: `data:image/png;base64,${one.png}`, alt: "" })));
    examples.replaceChildren(...[
      thumbs.length > 0 && h("div", {}, h("p", { class: "hint" }, "Drawn for you"), h("div", { class: "thumbs" }, thumbs)),
      hard.length > 0 && h("div", {}, h("p", { class: "hint" }, "Held-out images that it gets wrong"), h("div", { class: "thumbs" }, hard)),
    ].filter(Boolean));
  }

  async function setModel(next) {
    model = next;
    view = null;
    body.replaceChildren(skeleton(360));
    side.replaceChildren(modelCard(model));
    drawExamples();
    if (asked) again();
    else restore();
    const found = await request("/v1/model/mistakes").catch(() => []); // a drawing does not wait for them
    if (model !== next) return;
    mistakes = found;
    drawExamples();
    restore();
  }

  addEventListener("popstate", restore);
  addEventListener("hashchange", restore);
  addEventListener("paste", ({ clipboardData }) => {
    const file = [...(clipboardData?.files || [])].find((one) => one.type.startsWith("image/"));
    if (file && isOpen) take(file, "pasted picture");
  });
  return {
    element, setModel,
    open: () => { isOpen = true; restore(); },
    close: () => { isOpen = false; },
    setTrouble: (state) => { body.replaceChildren(state); side.replaceChildren(h("p", { class: "muted" }, "A published model brings its card with it.")); },
  };
}

const nameOf = (one) => `held-out image ${one.index}`;
const blobOf = ({ png }) => new Blob([Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0))], { type: "image/png" });
const article = (name) => (/^[0-9]/.test(name) || /^trouser/i.test(name) ? name.toLowerCase() : `${/^[aeiou]/i.test(name) ? "an" : "a"} ${name.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`);
const listed = (names) => (names.length > 8 ? `${names.slice(0, 7).join(", ")} and ${names.length - 7} more` : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`);

function thumbnail(strokes) {
  const canvas = h("canvas", { width: SIDE, height: SIDE, class: "sketch", "aria-hidden": "true" });
  paint(canvas.getContext("2d", { willReadFrequently: true }), strokes);
  return canvas;
}

