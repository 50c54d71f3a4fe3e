// The home page: loads roadmap, progress and services, draws them, keeps ticks even when the service is away.
//
// One value (model.js) flows down into map, week, services and panel; acts flow up as (id, isDone) or an id to
// open. The open line (?at=) and the week (?week=) are in the URL. Ticks that could not be saved wait in this
// browser and are sent when the service answers again. Read next: model.js, map.js.

import { errorState, getParam, h, setParam, sidePanel, toast } from "/design/elements.js";
import { mountFrame } from "/design/frame.js";
import { request } from "/design/http.js";
import { markPicture } from "/marks.js";
import { roadmapMap } from "/map.js";
import { makeModel } from "/model.js";
import { panelOf } from "/panel.js";
import { drawServices } from "/services.js";
import { drawWeek } from "/week.js";

const POLL_MS = 5000;
const PENDING_KEY = "roadmap-pending";
const at = (id) => document.getElementById(id);

const page = { course: null, done: new Set(), services: [], checkedAt: null, servicesError: null, pending: readPending() };
let map = null;
let panel = null;
let pollTimer = null;

const frame = mountFrame({ product: "AI Roadmap", docs: "/guides/" });
const href = (id) => {
  const url = new URL(location.href);
  url.searchParams.set("at", id);
  return url.pathname + url.search;
};
const onOpen = (id) => setParam("at", id);
const acts = { href, onOpen, onLearned: learn, pending: page.pending };

async function load() {
  try {
    const [course, progress] = await Promise.all([request("/api/roadmap"), request("/api/progress")]);
    page.course = course;
    page.done = new Set(Object.keys(progress.done));
  } catch (error) {
    document.body.dataset.failed = "";
    at("map").replaceChildren(errorState(error, { retry: load }));
    return;
  }
  delete document.body.dataset.failed;
  for (const [id, isDone] of page.pending) setDone(id, isDone);
  await poll();
  draw();
  panel = sidePanel({ param: "at", render: (id) => panelOf(modelNow(), id, acts) });
  addEventListener("popstate", () => drawWeek(at("week"), modelNow(), acts));
  let before = "ready";
  frame.onHealth((state) => {
    const isBack = state === "ready" && before !== "ready";
    before = state;
    if (isBack) afterReturn();
  });
  if (page.pending.size) afterReturn();
}

function modelNow() {
  return makeModel(page.course, page.done, page.services);
}

function draw() {
  const model = modelNow();
  drawIntro(model);
  drawMap(model);
  drawWeek(at("week"), model, acts);
  drawGuides(page.course.guides);
  drawFoot(model);
  panel?.refresh();
}

function drawIntro(model) {
  const { roadmap } = model;
  const figure = (value, of, label) => h("div", { class: "intro-figure" }, h("b", {}, String(value)), h("span", {}, ` of ${of} ${label}`));
  at("intro").replaceChildren(
    h("div", {}, h("h1", {}, roadmap.title), h("p", { class: "muted intro-promise" }, roadmap.promise)),
    h("div", { class: "intro-figures" }, figure(model.nBuilt(), model.lines.length, "built"), figure(model.runningPhases.size, roadmap.phases.length, "running"), figure(model.nDone(), model.lines.length, "learned")),
  );
}

const LEGEND = [
  ["planned", { isBuilt: false, isRunning: false, isLearned: false }],
  ["built", { isBuilt: true, isRunning: false, isLearned: false }],
  ["running", { isBuilt: true, isRunning: true, isLearned: false }],
  ["learned", { isBuilt: true, isRunning: false, isLearned: true }],
];

function drawMap(model) {
  if (map) return map.draw(model);
  map = roadmapMap(model, { href, onOpen });
  const legend = h("ul", { class: "legend", "aria-label": "Marks" }, LEGEND.map(([word, state]) => h("li", {}, markPicture(state), word)));
  at("map").replaceChildren(h("header", { class: "map-head" }, h("h2", { id: "map-title" }, "The map"), legend), map.element);
}

const GUIDES_SHOWN = 6;

function drawGuides(guides) {
  at("guides").hidden = !guides.length;
  const items = guides.slice(0, GUIDES_SHOWN).map((guide) => h("li", {}, h("a", { href: `/guides/${guide.page}` }, guide.title)));
  const all = guides.length > GUIDES_SHOWN && h("a", { class: "hint", href: "/guides/" }, `All ${guides.length}`);
  at("guides").replaceChildren(h("header", { class: "card-head" }, h("h2", { id: "guides-title" }, "Guides"), all), h("ul", { class: "guide-links" }, items));
}

function drawFoot({ roadmap, done }) {
  const outcomes = roadmap.outcomes.map((outcome) => {
    const nMet = outcome.criteria.filter((id) => done.has(id)).length;
    return h("li", {}, h("b", {}, outcome.text), h("span", {}, `${nMet} of ${outcome.criteria.length} exit criteria met`));
  });
  const list = (title, items) => h("section", {}, h("h2", {}, title), h("ul", { class: "plain" }, items));
  at("foot").replaceChildren(
    list("How to learn", roadmap.principles.map((one) => h("li", {}, h("b", {}, one.text), h("span", {}, one.practice)))),
    list("What to skip", roadmap.skips.map((one) => h("li", {}, h("b", {}, one.text), h("span", {}, one.instead)))),
    list("What you can do in the end", outcomes),
  );
}

/* ---- services: polled while the page is looked at ---------------------------------------- */

async function poll() {
  clearTimeout(pollTimer);
  const before = runningKey();
  try {
    const answer = await request("/api/services", { signal: AbortSignal.timeout(4000) });
    page.services = answer.services;
    page.checkedAt = new Date(answer.checked_at);
    page.servicesError = null;
  } catch (error) {
    page.servicesError = error;
    if (error.isUnreachable) frame.check();
  }
  drawServices(at("services"), { services: page.services, checkedAt: page.checkedAt, error: page.servicesError, retry: poll });
  if (map && before !== runningKey()) draw();
  if (!document.hidden) pollTimer = setTimeout(poll, POLL_MS);
}

function runningKey() {
  return page.services.map((service) => `${service.name}:${service.state}`).join();
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(pollTimer);
  if (!document.hidden && page.course) afterReturn();
});

/** Back in sight, or the service is back: send what waited, then read what changed elsewhere. */
async function afterReturn() {
  await Promise.all([...page.pending].map(([id, isDone]) => save(id, isDone)));
  try {
    const progress = await request("/api/progress");
    page.done = new Set(Object.keys(progress.done));
    for (const [id, isDone] of page.pending) setDone(id, isDone);
    draw();
  } catch {
    // Still away: the frame says so, and the next return tries again.
  }
  poll();
}

/* ---- progress ---------------------------------------------------------------------------- */

async function learn(id, isDone) {
  setDone(id, isDone);
  page.pending.set(id, isDone);
  writePending();
  const isSaved = await save(id, isDone);
  if (!isSaved) toast("Not saved yet: the service does not answer. It will be saved when it is back.");
  draw();
}

function setDone(id, isDone) {
  if (isDone) page.done.add(id);
  else page.done.delete(id);
}

async function save(id, isDone) {
  try {
    await request("/api/progress", { method: "PUT", json: { id, is_done: isDone } });
  } catch (error) {
    if (error.isUnreachable) return false;
    setDone(id, !isDone);
    toast(`${error.message}`, { tone: "bad" });
  }
  if (page.pending.get(id) === isDone) page.pending.delete(id);
  writePending();
  return true;
}

function readPending() {
  try {
    return new Map(JSON.parse(localStorage.getItem(PENDING_KEY) || "[]"));
  } catch {
    return new Map();
  }
}

function writePending() {
  try {
    localStorage.setItem(PENDING_KEY, JSON.stringify([...page.pending]));
  } catch {
    // Storage refused: the tick lives as long as this page.
  }
}

if (getParam("week") !== null && !/^\d+$/.test(getParam("week"))) setParam("week", null, { replace: true });
load();
