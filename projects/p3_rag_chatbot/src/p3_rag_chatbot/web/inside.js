// Inside the model: what a text becomes before a network sees it, where the network looks, where its meaning lies,
// and what is written next. Four views, each a module; the open one is in the address: ?look=….

import { errorState, h, skeleton, tabs } from "/design/elements.js";

const VIEWS = [
  { id: "tokens", label: "Tokens", load: async () => (await import("/tokens.js")).tokensView() },
  { id: "attention", label: "Attention", load: async () => (await import("/attention.js")).attentionView() },
  { id: "map", label: "Map of meanings", load: async (shelf) => (await import("/meaning-map.js")).mapView({ shelf }) },
  { id: "next", label: "Next token", load: async () => (await import("/next-token.js")).nextView() },
];

export function insideRoom({ shelf }) {
  const places = Object.fromEntries(VIEWS.map(({ id }) => [id, h("div", { class: "stack" }, skeleton(420))]));
  const entered = new Set();

  async function enter(id) {
    if (entered.has(id)) return;
    entered.add(id);
    try {
      places[id].replaceChildren(await VIEWS.find((one) => one.id === id).load(shelf));
    } catch (error) {
      places[id].replaceChildren(errorState(error, { retry: () => location.reload() }));
    }
  }

  return { element: tabs(VIEWS.map(({ id, label }) => ({ id, label, content: places[id] })), { param: "look", onOpen: enter }) };
}
