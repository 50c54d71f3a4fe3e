// The page: which network answers, and the rooms around it. A swap shows by itself.
// A room is a module, loaded when it is first entered: { element, open, close, setModel, setTrouble }, each of the
// four optional. It knows no other room. This one holds the model that they share.

import { badge, emptyState, errorState, h, skeleton, tabs } from "/design/elements.js";
import { mountFrame } from "/design/frame.js";
import { request } from "/design/http.js";

const LOOK_AGAIN_MS = 10000;
const ROOMS = [
  { id: "classify", label: "Classify", load: async () => (await import("/classify.js")).classifyRoom({ onOtherVersion: look }) },
  { id: "training", label: "Training", load: async () => (await import("/training.js")).trainingRoom() },
  { id: "compare", label: "Compare", load: async () => (await import("/compare.js")).compareRoom() },
  { id: "mistakes", label: "Mistakes", load: async () => (await import("/mistakes.js")).mistakesRoom() },
  { id: "backprop", label: "Backprop seen", load: async () => (await import("/backprop.js")).backpropRoom() },
  { id: "exercises", label: "Exercises", load: async () => ({ element: (await import("/design/exercises.js")).exercisesRoom(EXERCISES) }) },
  { id: "history", label: "History", load: historyRoom },
];
const EXERCISES = { title: "Could you have trained it yourself?", lead: "Predictions, small functions, networks that do not learn." };

const frame = mountFrame({ product: "Neural networks", phase: 2, title: "Neural networks" });
const head = document.getElementById("head");
const trouble = document.getElementById("trouble");
const hasExercises = (await request("/v1/exercises").catch(() => [])).length > 0;
const shownRooms = ROOMS.filter(({ id }) => id !== "exercises" || hasExercises);
const places = Object.fromEntries(ROOMS.map(({ id }) => [id, h("div", {}, skeleton(320))]));
const rooms = {}; // those that were entered
let shown = null; // the model on the page
let missing = null; // why there is none
let opened = null;

async function historyRoom() {
  const { releasesPane } = await import("/design/releases.js");
  const pane = releasesPane({ onMoved: look, allowedBy: "P2_ALLOW_PROMOTION=true", toPublish: "p2-nn-service publish" });
  return { ...pane, setModel: () => pane.setModel({ metric: "accuracy" }) };
}

async function enter(id) {
  rooms[opened]?.close?.();
  opened = id;
  if (!rooms[id]) {
    try {
      rooms[id] = await ROOMS.find((room) => room.id === id).load();
      places[id].replaceChildren(rooms[id].element);
      if (shown) rooms[id].setModel?.(shown);
      else if (missing) rooms[id].setTrouble?.(missing());
    } catch (error) {
      places[id].replaceChildren(errorState(error, { retry: () => location.reload() })); // a module that failed stays failed
      return;
    }
  }
  if (opened === id) rooms[id].open?.();
}

async function look() {
  try {
    show(await request("/v1/model"));
  } catch (error) {
    if (!shown) tell(error);
  }
}

function tell(error) {
  const isNone = error.problem?.status === 503;
  missing = () => (isNone ? emptyState({ title: "No model is served yet", text: error.message, action: { label: "Look again", run: look } }) : errorState(error, { retry: look }));
  head.replaceChildren(h("h1", {}, "Neural networks"), h("p", { class: "muted" }, isNone ? "Train one and publish it: it answers here by itself." : "The service does not say which model answers."));
  Object.values(rooms).forEach((room) => room.setTrouble?.(missing()));
}

function show(model) {
  trouble.replaceChildren(...(model.trouble ? [badge("Newest version not served", "warn"), h("p", {}, model.trouble)] : []));
  const { name, version, alias, variant } = model.model;
  if (shown?.model.version === version && shown.model.name === name) return;
  shown = model;
  missing = null;
  frame.setTitle(name);
  head.replaceChildren(
    h("div", { class: "row" }, h("h1", {}, name), badge(`version ${version}`, "accent"), badge(alias), badge(variant)),
    h("p", { class: "model-verdict" }, model.card.verdict));
  Object.values(rooms).forEach((room) => room.setModel?.(model));
}

document.getElementById("rooms").replaceChildren(tabs(shownRooms.map(({ id, label }) => ({ id, label, content: places[id] })), { onOpen: enter }));
setInterval(() => !document.hidden && look(), LOOK_AGAIN_MS);
look();
