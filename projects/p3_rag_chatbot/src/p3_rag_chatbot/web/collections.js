// The collections, as every room sees them: one list, one choice. The chosen one is in the address: ?collection=….
//
//   const shelf = collectionShelf();   shelf.onChange(({ collections, chosen, error }) => …);   await shelf.refresh();
//   collectionChoice(shelf)            // a select that follows it
// `collections` is null until they are known; `chosen` is a collection, or null where there is none of that name.
// Before `asked` is kept, nobody knows which one is the default.

import { getParam, h, setParam } from "/design/elements.js";
import { request } from "/design/http.js";
import { count } from "/design/words.js";

export const BUILT_IN = "guides";
const AGAIN_MS = 2000;

export function collectionShelf() {
  const listeners = [];
  let collections = null;
  let error = null;
  let timer = null;
  let answered = () => {};
  const asked = new Promise((resolve) => { answered = resolve; }); // kept once the service has said which there are, or failed to

  const first = () => collections?.find((one) => one.is_default) ?? collections?.find((one) => one.n_chunks) ?? collections?.[0];
  const chosenName = () => getParam("collection") || first()?.name || BUILT_IN;
  const state = () => ({ collections, error, name: chosenName(), chosen: collections?.find((one) => one.name === chosenName()) ?? null });
  const tell = () => listeners.forEach((listener) => listener(state()));

  async function refresh() {
    clearTimeout(timer);
    try {
      collections = await request("/v1/collections");
      error = null;
    } catch (trouble) {
      error = trouble;
    }
    tell();
    answered();
    const { chosen } = state();
    if (chosen && !chosen.n_chunks && chosen.name === BUILT_IN) timer = setTimeout(refresh, AGAIN_MS); // it is being indexed
  }

  addEventListener("popstate", tell);
  return {
    state, refresh, asked,
    choose: (name) => setParam("collection", name),
    onChange: (listener) => { listeners.push(listener); listener(state()); },
  };
}

export function collectionChoice(shelf, { label = "Collection" } = {}) {
  const select = h("select", { class: "input", "aria-label": label, onchange: () => shelf.choose(select.value) });
  shelf.onChange(({ collections, name }) => {
    const known = collections ?? [];
    const names = known.some((one) => one.name === name) ? known : [...known, { name, n_documents: null }];
    const words = (one) => (one.n_documents === null ? one.name : `${one.name} (${count(one.n_documents, "document")})`);
    select.replaceChildren(...names.map((one) => h("option", { value: one.name, selected: one.name === name }, words(one))));
    select.disabled = !collections;
  });
  return select;
}
