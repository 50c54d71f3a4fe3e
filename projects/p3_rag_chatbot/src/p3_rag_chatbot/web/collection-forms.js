// The head of the documents: which collection, a new one, and the end of one.

import { confirmed } from "/design/dialog.js";
import { errorState, h, icon, toast } from "/design/elements.js";
import { request } from "/design/http.js";
import { count } from "/design/words.js";
import { collectionChoice } from "/collections.js";

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const heads = new WeakMap();

/** One head for a shelf, made once: what is typed in it survives news. */
export function collectionHead(shelf, state) {
  if (!heads.has(shelf)) heads.set(shelf, makeHead(shelf));
  const head = heads.get(shelf);
  head.show(state);
  return head.element;
}

function makeHead(shelf) {
  const about = h("p", { class: "hint" });
  const remove = h("button", { class: "button", "data-kind": "danger", type: "button", onclick: () => removeCollection(shelf) }, "Delete collection");
  const form = newForm(shelf);
  const open = h("button", { class: "button", type: "button", "aria-expanded": "false", onclick: () => form.toggle() }, "New collection");
  form.onToggle = (isOpen) => open.setAttribute("aria-expanded", String(isOpen));
  const trouble = h("div", {});
  const element = h("div", { class: "stack tight" },
    h("div", { class: "row" }, h("div", { class: "chat-collection" }, collectionChoice(shelf)), open, remove),
    about, form.element, trouble);
  return {
    element,
    show: ({ collections, chosen, error }) => {
      trouble.replaceChildren(...(!collections && error ? [errorState(error, { retry: shelf.refresh })] : []));
      remove.hidden = !chosen;
      about.textContent = chosen ? [chosen.description, `${count(chosen.n_documents, "document")}, ${count(chosen.n_chunks, "passage")}`, chosen.embedder && `embedded by ${chosen.embedder}`, chosen.trouble].filter(Boolean).join(" · ") : "";
    },
  };
}

function newForm(shelf) {
  const name = h("input", { class: "input", id: "collection-name", placeholder: "contracts-2026", autocomplete: "off", "aria-describedby": "collection-error" });
  const description = h("input", { class: "input", id: "collection-about", placeholder: "What it holds", maxlength: 1000 });
  const wrong = h("small", { class: "field-error", id: "collection-error", role: "alert" });
  const element = h("form", { class: "card stack", hidden: true, "aria-label": "New collection", onsubmit: send },
    h("div", { class: "fields" },
      h("label", { class: "field" }, h("span", { class: "label" }, "Name"), name, h("small", { class: "hint" }, "a–z, 0–9, - and _; a letter or digit first"), wrong),
      h("label", { class: "field" }, h("span", { class: "label" }, "Description ", h("em", {}, "optional")), description)),
    h("div", { class: "row" }, h("button", { class: "button", "data-kind": "primary", type: "submit" }, icon("check"), "Create")));
  const control = { element, onToggle: null, toggle: () => { element.hidden = !element.hidden; control.onToggle?.(!element.hidden); if (!element.hidden) name.focus(); } };

  const refuse = (words) => { wrong.textContent = words; name.setAttribute("aria-invalid", String(Boolean(words))); if (words) name.focus(); };

  async function send(event) {
    event.preventDefault();
    const wanted = name.value.trim();
    if (!NAME.test(wanted)) return refuse(wanted ? "Not a name for a collection: up to 64 of a–z, 0–9, - and _." : "Write a name.");
    try {
      await request("/v1/collections", { method: "POST", json: { name: wanted, description: description.value.trim() } });
    } catch (error) {
      return refuse(error.message);
    }
    refuse("");
    name.value = description.value = "";
    control.toggle();
    shelf.choose(wanted);
    await shelf.refresh();
    toast(`Created ${wanted}`, { tone: "good" });
  }
  return control;
}

async function removeCollection(shelf) {
  const { chosen } = shelf.state();
  const body = [h("p", {}, `${count(chosen.n_documents, "document")} and their index are removed. The files themselves stay where they are.`)];
  if (!(await confirmed({ title: `Delete ${chosen.name}?`, body, action: "Delete", tone: "danger" }))) return;
  try {
    await request(`/v1/collections/${encodeURIComponent(chosen.name)}`, { method: "DELETE" });
    shelf.choose(null);
    await shelf.refresh();
    toast(`Deleted ${chosen.name}`, { tone: "good" });
  } catch (error) {
    toast(error.message, { tone: "bad" });
  }
}
