// The lab: one room a tab, each loaded when it is first entered. The open room is in the address.
// A room is a module that exports a function returning an element; it knows no other room.

import { errorState, h, skeleton, tabs } from "/design/elements.js";
import { mountFrame } from "/design/frame.js";

const ROOMS = [
  { id: "descent", label: "Gradient descent", open: async () => (await import("/descent.js")).descentRoom() },
  { id: "losses", label: "Losses", open: async () => (await import("/loss-room.js")).lossRoom() },
  { id: "playground", label: "Playground", open: async () => (await import("/playground.js")).playgroundRoom() },
  { id: "probability", label: "Probability", open: async () => (await import("/bench.js")).benchRoom() },
  { id: "profile", label: "Profile a table", open: async () => (await import("/tables.js")).profileRoom() },
  { id: "compare", label: "Compare two", open: async () => (await import("/tables.js")).compareRoom() },
  { id: "exercises", label: "Exercises", open: async () => (await import("/design/exercises.js")).exercisesRoom(EXERCISES) },
];

const EXERCISES = { title: "Could you have said so before running it?", lead: "Predictions, small functions, bugs in code that looks right." };

mountFrame({ product: "Foundations lab", phase: 0, title: "Foundations lab" });

/** A place that fetches its room when it is first seen. */
function entrance({ open }) {
  const place = h("div", {}, skeleton(320));
  const enter = () => open().then(
    (room) => place.replaceChildren(room),
    (error) => place.replaceChildren(errorState(error, { retry: () => location.reload() })), // a module that failed stays failed
  );
  const watcher = new IntersectionObserver(([seen]) => {
    if (!seen.isIntersecting) return;
    watcher.disconnect();
    enter();
  });
  watcher.observe(place);
  return place;
}

document.getElementById("main").append(tabs(ROOMS.map((room) => ({ ...room, content: entrance(room) }))));
