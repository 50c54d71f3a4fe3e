// The passages of a collection by meaning: a point each, in the plane that shows most of how they differ. A point says
// what it is under the pointer or by the arrow keys, and stays by a press; a text can be placed among them. In the
// address: ?collection=…&point=ID&place=text. Read next: map-picture.js.

import { emptyState, errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { figureFrame, svgImages } from "/design/figure.js";
import { request } from "/design/http.js";
import { count, percent } from "/design/words.js";
import { collectionChoice } from "/collections.js";
import { mapPicture } from "/map-picture.js";
import { passageLink, pathWords } from "/passage.js";

export function mapView({ shelf }) {
  const place = h("div", { class: "card stack" }, skeleton(480));
  const side = h("aside", { class: "stack", "aria-label": "The passage" });
  const input = h("input", { class: "input", "aria-label": "A text to place", placeholder: "Place a text of your own, such as a question", maxlength: 1000, value: getParam("place") ?? "" });
  const form = h("form", { class: "map-form", onsubmit: (event) => { event.preventDefault(); setParam("place", input.value.trim(), { replace: true }); locate(); } }, input, h("button", { class: "button", type: "submit" }, "Place it"));
  const passages = new Map();
  const view = { map: null, picture: null, placed: null };
  let drawnFor = "";

  async function load() {
    const { name, chosen } = shelf.state();
    drawnFor = `${name} ${chosen?.changed_at}`;
    try {
      view.map = await request(`/v1/inside/map?collection=${encodeURIComponent(name)}`);
      drawMap();
      if (getParam("place")) await locate();
      show(getParam("point"));
    } catch (error) {
      const isSmall = error.problem?.errors?.some((one) => one.field === "collection");
      place.replaceChildren(isSmall ? emptyState({ title: "Too little to draw a map of", text: `${name} ${error.problem.errors[0].message}; three span a plane.`, action: { label: "Add documents", run: () => setParam("tab", "documents") } }) : errorState(error, { retry: load }));
      side.replaceChildren();
    }
  }

  function drawMap() {
    const { map } = view;
    const holder = h("div", { class: "chart-plot plot" });
    view.picture = mapPicture(map, place.clientWidth, { onLook: show, onPick: (id) => { setParam("point", id, { replace: true }); show(id); } });
    const shown = map.points.length < map.n_passages ? `${map.points.length.toLocaleString()} of ${count(map.n_passages, "passage")}` : count(map.n_passages, "passage");
    const frame = figureFrame({
      current: () => ({
        title: `${shown} of ${count(map.documents.length, "document")} by meaning`,
        note: `Both axes: the two principal components of ${map.embedder}'s vectors; they show ${percent(map.shown_variance)} of all differences, so near here is a hint, not a proof.`,
        file: `map-${map.collection}`,
        table: { columns: ["Passage", "Document", "Component 1", "Component 2"], rows: map.points.map((one) => [one.passage_id, map.documents[one.document].title, one.x, one.y]) },
      }),
      plot: holder, draw: () => holder.replaceChildren(view.picture.element), images: svgImages(() => view.picture.element, () => `map-${map.collection}`),
    });
    frame.show();
    place.replaceChildren(frame.element);
  }

  async function locate() {
    const text = getParam("place");
    view.placed = null;
    if (text && view.map) {
      try {
        view.placed = { text, ...(await request(`/v1/inside/map/place?collection=${encodeURIComponent(view.map.collection)}&text=${encodeURIComponent(text)}`)) };
        await know(view.placed.nearest.map((one) => one.passage_id));
      } catch (error) {
        return side.replaceChildren(errorState(error, { retry: locate }));
      }
    }
    view.picture?.place(view.placed);
    show(getParam("point"));
  }

  async function know(ids) {
    const missing = ids.filter((id) => !passages.has(id));
    if (!missing.length) return;
    const found = await request(`/v1/passages?${missing.map((id) => `id=${encodeURIComponent(id)}`).join("&")}`);
    found.forEach((one) => passages.set(one.id, one));
  }

  let looked = null;
  async function show(id) {
    looked = id;
    view.picture?.mark(id);
    try {
      if (id) await know([id]);
    } catch (error) {
      return side.replaceChildren(errorState(error, { retry: () => show(id) }));
    }
    if (looked !== id) return;
    const parts = [id && passages.has(id) && passageCard(passages.get(id)), view.placed && nearestCard(view.placed, passages)].filter(Boolean);
    side.replaceChildren(...(parts.length ? parts : [h("p", { class: "hint" }, "Point at a passage to read it; press to keep it. The arrow keys go through them.")]));
  }

  shelf.onChange(({ name, chosen, collections }) => { if (collections && drawnFor !== `${name} ${chosen?.changed_at}`) load(); });
  return h("div", { class: "stack", id: "map" }, h("div", { class: "map-bar" }, h("div", { class: "chat-collection" }, collectionChoice(shelf)), form), h("div", { class: "map-split" }, place, side));
}

function passageCard(passage) {
  return h("section", { class: "card stack tight", id: "map-passage" },
    h("h3", {}, passageLink(passage, passage.title)),
    h("p", { class: "hint" }, pathWords(passage)),
    h("p", { class: "map-text" }, passage.text));
}

function nearestCard({ text, nearest }, passages) {
  const item = ({ passage_id: id, cosine }) => h("li", {}, h("span", { class: "row between" }, passages.has(id) ? passageLink(passages.get(id), passages.get(id).title) : id, h("span", { class: "num" }, cosine.toFixed(3))), h("span", { class: "snippet hint" }, passages.get(id)?.text ?? ""));
  return h("section", { class: "card stack tight", id: "map-nearest" }, h("h3", {}, `Nearest to “${text}”`), h("p", { class: "hint" }, "By cosine in all dimensions"), h("ol", { class: "nearest" }, nearest.map(item)));
}
