// The map: six stations along a line, each with a branch of topics that ends in the phase's project.
//
//   const map = roadmapMap(model, { href: (id) => "?at=…", onOpen: (id) => … });
//   host.append(map.element);  map.draw(model)   redraws with new progress or services; keeps the focus
//
// Wide (from 820 px): the line runs left to right, branches alternate up and down. Narrow: it runs down.
// Every stop is a link, so Tab, Enter, middle-click and "copy link" do what they do everywhere;
// arrow keys walk the same order as the eye. Layout is computed here, colours are the tokens'.
// Knows no request. Next: home.js, marks.js.

import { s } from "/design/elements.js";
import { mark, stateOf, words } from "/marks.js";

const WIDE_FROM = 820;
const LINE = 17; // px between two lines of a label
const GAP = 15; // px between two stops of a branch

export function roadmapMap(model, { href, onOpen }) {
  const element = s("svg", { class: "map", role: "group", "aria-label": "The roadmap: six phases and their topics" });
  let current = model;
  let width = 0;

  const draw = (next = current) => {
    current = next;
    if (!width) return;
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const plan = width >= WIDE_FROM ? widePlan(current, width) : tallPlan(current, width);
    element.setAttribute("viewBox", `0 0 ${width} ${plan.height}`);
    element.setAttribute("height", plan.height);
    element.dataset.layout = plan.layout;
    element.replaceChildren(...plan.phases.flatMap((phase) => trackOf(phase, current)), ...plan.phases.map((phase) => phaseGroup(phase, current, href)));
    markCurrent();
    if (focused) element.querySelector(`[data-id="${focused}"]`)?.focus({ preventScroll: true });
  };
  new ResizeObserver(([entry]) => {
    const measured = Math.floor(entry.contentRect.width);
    if (measured && measured !== width) {
      width = measured;
      draw();
    }
  }).observe(element);

  const markCurrent = () => {
    const open = new URL(location.href).searchParams.get("at");
    for (const link of element.querySelectorAll("a[data-id]")) {
      if (link.dataset.id === open) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  addEventListener("popstate", markCurrent);
  element.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-id]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    link.focus();
    onOpen(link.dataset.id);
  });
  element.addEventListener("keydown", (event) => walk(event, element));
  return { element, draw };
}

/** Arrow keys: along the line between stations, along a branch between its stops. */
function walk(event, element) {
  const here = event.target.closest("a[data-id]");
  if (!here) return;
  const isWide = element.dataset.layout === "wide";
  const group = here.closest(".phase");
  const stops = [...group.querySelectorAll("a[data-id]")];
  const groups = [...element.querySelectorAll(".phase")];
  const isUp = group.dataset.side === "up";
  const along = { ArrowDown: isWide && isUp ? -1 : 1, ArrowUp: isWide && isUp ? 1 : -1 }[event.key];
  const across = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  let next = null;
  if (along) next = stops[stops.indexOf(here) + along];
  if (across) next = groups[groups.indexOf(group) + across]?.querySelector("a[data-id]");
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/* ---- layout: numbers only --------------------------------------------------------------- */

/** What stands on a branch: the topics, then the project as its terminal. */
function stopsOf(phase) {
  const topics = phase.topics.map((line) => ({ id: line.id, line, isProject: false, ...splitLabel(line.text) }));
  if (!phase.project) return topics;
  return [...topics, { id: phase.project.id, line: projectLine(phase), isProject: true, ...splitLabel(phase.project.text) }];
}

/** A project is built when all of its parts are. */
export function projectLine(phase) {
  const isBuilt = phase.project.parts.every((part) => part.status === "built");
  return { id: phase.project.id, text: phase.project.text, status: isBuilt ? "built" : "planned" };
}

/** "Derivatives and gradients (why …)" → its name, and the aside in quieter type. */
export function splitLabel(text) {
  const match = /^(.*?)\s*\(([^)]+)\)$/.exec(text);
  return match ? { name: match[1], aside: match[2] } : { name: text, aside: "" };
}

function widePlan(model, width) {
  const { phases } = model.roadmap;
  const left = 34;
  const pitch = (width - left) / phases.length;
  const placed = phases.map((phase, k) => {
    const room = Math.min(k === phases.length - 1 ? pitch - 24 : 2 * pitch - 40, 280);
    const title = wrap(phase.title, room, "600 15px");
    return { phase, title, x: left + k * pitch, side: k % 2 ? "down" : "up", rows: rowsOf(stopsOf(phase), room), head: title.length * 18 + 62 };
  });
  const lengthOf = (p) => p.head + p.rows.reduce((sum, row) => sum + row.height, 0) - GAP;
  const reach = (side) => Math.max(...placed.filter((p) => p.side === side).map(lengthOf));
  const y = reach("up") + 4;
  const done = placed.map((p, k) => {
    const sign = p.side === "up" ? -1 : 1;
    let at = y + sign * p.head;
    const stops = p.rows.map((row) => {
      const top = sign < 0 ? at - row.height + GAP : at;
      at += sign * row.height;
      return { ...row, x: p.x, y: top + row.head, labelX: p.x + 20 };
    });
    const titleY = sign < 0 ? y - 27 - p.title.length * 18 : y + 34;
    return { ...p, y, stops, titleX: p.x + 20, titleY, track: trackWide(p.x, y, placed[k + 1]?.x ?? null, stops, sign) };
  });
  return { layout: "wide", height: y + reach("down") + 8, phases: done };
}

/** The line to the next station, and the branch in pieces: one to each stop. */
function trackWide(x, y, nextX, stops, sign) {
  const first = `M${x} ${y + sign * 16}V${stops[0].y}`;
  return { main: nextX === null ? "" : `M${x} ${y}H${nextX}`, pieces: [first, ...between(stops)] };
}

function between(stops) {
  return stops.slice(1).map((stop, k) => `M${stop.x} ${stops[k].y}V${stop.y}`);
}

function tallPlan(model, width) {
  const x = 24;
  const branchX = 50;
  let y = 26;
  const phases = model.roadmap.phases.map((phase, k, all) => {
    const title = wrap(phase.title, width - 62, "600 15px");
    const rows = rowsOf(stopsOf(phase), width - branchX - 26);
    const top = y;
    let at = y + title.length * 18 + 32;
    const stops = rows.map((row) => {
      const stop = { ...row, x: branchX, y: at + row.head, labelX: branchX + 18 };
      at += row.height;
      return stop;
    });
    y = at + 30;
    const bend = `M${x} ${top + 16}V${top + 20}C${x} ${top + 38} ${branchX} ${top + 26} ${branchX} ${top + 46}V${stops[0].y}`;
    const main = k === all.length - 1 ? "" : `M${x} ${top}V${y}`;
    return { phase, side: "down", x, y: top, stops, title, titleX: x + 30, titleY: top - 2, track: { main, pieces: [bend, ...between(stops)] } };
  });
  return { layout: "tall", height: y - 40, phases };
}

/** Wrap each stop's label and measure it: `head` is the mark's offset within the row. */
function rowsOf(stops, room) {
  return stops.map((stop) => {
    const name = wrap(stop.name, room, stop.isProject ? "600 13px" : "400 13px");
    const aside = stop.aside ? wrap(stop.aside, room, "400 12px") : [];
    return { ...stop, nameLines: name, asideLines: aside, width: Math.min(room, 224), head: 8, height: (name.length + aside.length) * LINE + GAP };
  });
}

const ruler = new OffscreenCanvas(1, 1).getContext("2d");

function wrap(text, room, font) {
  ruler.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (lines.at(-1) && ruler.measureText(longer).width > room) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

/* ---- drawing ---------------------------------------------------------------------------- */

/** Built is a solid line, planned a thin one; the line between stations is built where anything is. */
function trackOf({ phase, track, stops }, model) {
  const isBuilt = model.linesOf(phase).some((line) => line.status === "built");
  const piece = (css, d, built) => s("path", { class: css, d, "data-phase": phase.number, "data-built": String(built) });
  const pieces = track.pieces.map((d, k) => piece("branch", d, stops[k].line.status === "built"));
  return track.main ? [piece("track", track.main, isBuilt), ...pieces] : pieces;
}

function phaseGroup(plan, model, href) {
  const { phase } = plan;
  return s(
    "g",
    { class: "phase", "data-phase": phase.number, "data-side": plan.side },
    station(plan, model, href),
    plan.stops.map((stop) => stopLink(stop, model, href)),
  );
}

function station({ phase, x, y, title, titleX, titleY }, model, href) {
  const lines = model.linesOf(phase);
  const nLearned = lines.filter((line) => model.done.has(line.id)).length;
  const nBuilt = lines.filter((line) => line.status === "built").length;
  const isRunning = model.runningPhases.has(phase.number);
  const kind = nLearned === lines.length ? "learned" : isRunning ? "running" : nBuilt ? "built" : "planned";
  const id = `p${phase.number}`;
  const status = nBuilt ? `${kind}, ${nBuilt} of ${lines.length} built, ${nLearned} learned` : `planned, ${nLearned} of ${lines.length} learned`;
  const rows = [...title.map((text) => ({ text, css: "station-title" })), { text: nLearned ? `${phase.period} · ${nLearned} of ${lines.length} learned` : phase.period, css: "station-period" }];
  const text = s("text", { x: titleX, y: titleY }, rows.map((row, k) => s("tspan", { class: row.css, x: titleX, dy: k ? 18 : 0 }, row.text)));
  return s(
    "a",
    { href: href(id), "data-id": id, class: "station", "data-kind": kind, "aria-label": `Phase ${phase.number}, ${phase.title}: ${status}` },
    s("rect", { class: "hit", x: x - 20, y: Math.min(titleY - 18, y - 20), width: 200, height: Math.max(titleY + title.length * 18 + 4, y + 20) - Math.min(titleY - 18, y - 20) }),
    s("circle", { class: "halo", cx: x, cy: y, r: 23 }),
    isRunning && s("circle", { class: "pulse", cx: x, cy: y, r: 20 }),
    s("circle", { class: "station-disc", cx: x, cy: y, r: 15 }),
    kind === "learned"
      ? s("path", { class: "station-tick", d: `M${x - 5.5} ${y + 0.5}l4 4 7-8.5` })
      : s("text", { class: "station-number", x, y: y + 4.5, "text-anchor": "middle" }, String(phase.number)),
    text,
  );
}

function stopLink(stop, model, href) {
  const state = stop.isProject ? model.projectState(stop.line) : stateOf(stop.line, model);
  const label = [...stop.nameLines.map((text) => ({ text, css: stop.isProject ? "stop-name project" : "stop-name" })), ...stop.asideLines.map((text) => ({ text, css: "stop-aside" }))];
  const width = stop.width;
  return s(
    "a",
    { href: href(stop.id), "data-id": stop.id, class: "stop", "data-state": words(state), "aria-label": `${stop.isProject ? "Project: " : ""}${stop.line.text}: ${words(state)}` },
    s("rect", { class: "hit", x: stop.x - 12, y: stop.y - 13, width: stop.labelX - stop.x + width, height: label.length * LINE + 9, rx: 6 }),
    mark(state, { x: stop.x, y: stop.y, isTerminal: stop.isProject }),
    s("text", { x: stop.labelX, y: stop.y + 4.5 }, label.map((row, k) => s("tspan", { class: row.css, x: stop.labelX, dy: k ? LINE : 0 }, row.text))),
  );
}
