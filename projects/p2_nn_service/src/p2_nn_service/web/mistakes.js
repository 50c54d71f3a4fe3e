// Mistakes: which class is taken for which, and the held-out images that the model is surest and wrongest of.
// A cell of the matrix that is open is in the address: ?cell=6-0, truth and answer by their places.
// Read next: confusion.js, which draws the matrix.

import { emptyState, errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { count, percent } from "/design/words.js";
import { confusionPicture } from "/confusion.js";

export function mistakesRoom() {
  const matrix = h("section", { class: "card" }, skeleton(460));
  const shown = h("section", { class: "card stack", id: "mistakes", "aria-labelledby": "mistakes-title", "aria-live": "polite" }, skeleton(460));
  const element = h("div", { class: "mistakes goes-stale" }, matrix, shown);
  let model = null;
  let mistakes = null;
  let picture = null;

  async function load() {
    const { version } = model.model;
    try {
      const answer = await request("/v1/model/mistakes");
      if (version !== model.model.version) return;
      mistakes = answer;
      show();
    } catch (error) {
      shown.replaceChildren(errorState(error, { retry: load }));
    }
  }

  const opened = () => {
    const found = /^(\d+)-(\d+)$/.exec(getParam("cell") ?? "");
    const cell = found && [Number(found[1]), Number(found[2])];
    return cell && cell.every((k) => k < model.card.classes.length) ? cell : null;
  };
  const pick = (cell) => setParam("cell", cell && `${cell[0]}-${cell[1]}`, { replace: true });

  function show() {
    const cell = opened();
    picture?.update({ cell });
    if (mistakes) shown.replaceChildren(...listed(model.card, mistakes, cell, () => pick(null)));
  }

  function setModel(next) {
    model = next;
    mistakes = null;
    picture = confusionPicture(model.card, { cell: opened(), onPick: pick });
    matrix.replaceChildren(picture.element);
    load();
  }

  addEventListener("popstate", () => model && show());
  return { element, setModel, setTrouble: (state) => { matrix.replaceChildren(state); shown.replaceChildren(h("p", { class: "muted" }, "A published model brings its mistakes with it.")); } };
}

function listed({ classes, confusion }, mistakes, cell, close) {
  const found = cell ? mistakes.filter((one) => one.truth === classes[cell[0]] && one.said === classes[cell[1]]) : mistakes;
  const head = h("header", { class: "row between" }, h("h2", { id: "mistakes-title" }, titleOf(classes, confusion, cell)), cell && h("button", { class: "button", "data-size": "small", type: "button", onclick: close }, "All mistakes"));
  if (!mistakes.length) return [head, emptyState({ title: "None is kept", text: "The card of this version names no mistake with its picture." })];
  const n = cell ? confusion[cell[0]][cell[1]] : null;
  const words = cell
    ? cell[0] === cell[1] ? "These are right, so that none is shown here." : `${found.length ? `${count(found.length, "of them is", "of them are")} among the ${mistakes.length} that it is surest of` : `None is among the ${mistakes.length} that it is surest of`}${n ? "" : ": it never happened"}.`
    : "The surest first. A press shows it to the model again.";
  return [head, h("p", { class: "muted" }, words), h("ul", { class: "wrong" }, found.map(wrong))];
}

function titleOf(classes, confusion, cell) {
  if (!cell) return "What it is surest and wrongest of";
  const [truth, said] = cell;
  const n = confusion[truth][said];
  const total = confusion[truth].reduce((sum, one) => sum + one, 0);
  return `${count(n, "image")} of ${classes[truth]}, ${(percent(n / Math.max(1, total)) || "0 %").replace(" ", "\u00a0")}, ${truth === said ? "known as such" : `taken for ${classes[said]}`}`;
}

function wrong({ index, truth, said, probability, png }) {
  const url = new URL(location.href);
  ["cell", "tab"].forEach((name) => url.searchParams.delete(name));
  url.searchParams.set("example", index);
  url.hash = "";
  const follow = (event) => { event.preventDefault(); history.pushState(null, "", url); dispatchEvent(new PopStateEvent("popstate")); };
  return h("li", {}, h("a", { href: url.pathname + url.search, onclick: follow },
    h("img", { src: `data:image/png;base64,${png}`, alt: "", width: 28, height: 28 }),
    h("span", { class: "stack" }, h("b", {}, said), h("span", { class: "muted" }, `is ${truth}`), h("span", { class: "hint" }, `sure by ${percent(probability)}`))));
}
