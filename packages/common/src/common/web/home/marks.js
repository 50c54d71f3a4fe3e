// What a line of the roadmap is, and the mark that says so. One drawing for map, panel, checklist and legend.
//
//   stateOf(line, model) → { isLearned, isRunning, isBuilt }      words(state) → "Running, learned"
//   mark(state, { x, y }) → an SVG group: planned = dotted ring; built = ring; running = ring with a core;
//   learned = disc with a tick; learned and running = the disc inside a second ring. Shapes, not only colours.
// The terminal of a branch (its project) has the same marks on a square.
// Knows no page. Next: map.js.

import { s } from "/design/elements.js";

export function stateOf(line, model) {
  const isBuilt = line.status === "built";
  const phase = Number(line.id[1]);
  return {
    isBuilt,
    isRunning: isBuilt && model.runningPhases.has(phase),
    isLearned: model.done.has(line.id),
  };
}

export function words({ isBuilt, isRunning, isLearned }) {
  const status = isRunning ? "running" : isBuilt ? "built" : "planned";
  return isLearned ? `${status}, learned` : status;
}

export function kindOf({ isBuilt, isRunning, isLearned }) {
  if (isLearned) return isRunning ? "learned-running" : "learned";
  return isRunning ? "running" : isBuilt ? "built" : "planned";
}

export function mark(state, { x = 0, y = 0, isTerminal = false } = {}) {
  const kind = kindOf(state);
  const group = s("g", { class: "mark", "data-kind": kind, transform: `translate(${x} ${y})` });
  const shape = isTerminal ? square : disc;
  group.append(shape("mark-ground", 9));
  if (kind === "learned-running") group.append(shape("mark-orbit", 8.5));
  if (state.isLearned) {
    group.append(shape("mark-disc", 6), s("path", { class: "mark-tick", d: "M-2.8 0.2l2 2 3.6-4.2" }));
    return group;
  }
  group.append(shape("mark-ring", 5));
  if (kind === "running") group.append(shape("mark-core", 2.2));
  return group;
}

function disc(name, radius) {
  return s("circle", { class: name, r: radius });
}

function square(name, radius) {
  return s("rect", { class: name, x: -radius, y: -radius, width: 2 * radius, height: 2 * radius, rx: 1.5 });
}

/** The mark as an inline picture, for text. */
export function markPicture(state) {
  return s("svg", { class: "mark-picture", viewBox: "-10 -10 20 20", width: 18, height: 18, role: "img", "aria-label": words(state) }, mark(state));
}
