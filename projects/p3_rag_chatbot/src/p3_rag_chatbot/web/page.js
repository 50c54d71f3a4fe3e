// The page: its rooms, and the collections that they share.
// A room is a module, loaded when it is first entered: { element, open, close }, the last two optional. It knows no
// other room. Read next: chat.js, documents.js, inside.js.

import { errorState, h, skeleton, tabs } from "/design/elements.js";
import { mountFrame } from "/design/frame.js";
import { collectionShelf } from "/collections.js";
import { passagePanel } from "/passage.js";

const EXERCISES = { title: "Could you have answered for it?", lead: "Predictions, small functions, prompts and retrieval that go wrong." };
const shelf = collectionShelf();
const ROOMS = [
  { id: "chat", label: "Chat", load: async () => (await import("/chat.js")).chatRoom({ shelf }) },
  { id: "documents", label: "Documents", load: async () => (await import("/documents.js")).documentsRoom({ shelf }) },
  { id: "inside", label: "Inside the model", load: async () => (await import("/inside.js")).insideRoom({ shelf }) },
  { id: "exercises", label: "Exercises", load: async () => ({ element: (await import("/design/exercises.js")).exercisesRoom(EXERCISES) }) },
];

const frame = mountFrame({ product: "Document chat", phase: 3, title: "Document chat" });
const places = Object.fromEntries(ROOMS.map(({ id }) => [id, h("div", {}, skeleton(320))]));
const rooms = {}; // those that were entered
let opened = null;

async function enter(id) {
  rooms[opened]?.close?.();
  opened = id;
  if (!rooms[id]) {
    try {
      rooms[id] = await ROOMS.find((room) => room.id === id).load();
      places[id].replaceChildren(rooms[id].element);
    } catch (error) {
      places[id].replaceChildren(errorState(error, { retry: () => location.reload() })); // a module that failed stays failed
      return;
    }
  }
  if (opened === id) rooms[id].open?.();
}

document.getElementById("rooms").replaceChildren(tabs(ROOMS.map(({ id, label }) => ({ id, label, content: places[id] })), { onOpen: enter }));
passagePanel();
frame.onHealth((state) => { if (state !== "gone") shelf.refresh(); }); // also when the models have come, or the service is back
shelf.refresh();
