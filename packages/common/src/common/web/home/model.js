// What the page knows, as one value: roadmap, progress, services; and the questions asked of it.
//
//   const model = makeModel({ roadmap, weeks, exercises }, done, services)
//   model.find("p1.trees") → { kind: "topic" | "tool" | "part" | "criterion" | "phase" | "project", phase, line }
// Pure: no request, no DOM. Next: map.js, panel.js, week.js.

import { stateOf } from "/marks.js";

export function makeModel({ roadmap, weeks, exercises }, done, services) {
  const linesOf = (phase) => [...phase.topics, ...phase.tools, ...(phase.project?.parts || []), ...phase.criteria];
  const lines = roadmap.phases.flatMap(linesOf);
  const runningPhases = new Set(services.filter((service) => service.state === "ready").map((service) => service.phase));
  const index = indexOf(roadmap);
  const model = {
    roadmap, weeks, exercises, done, services, lines, linesOf, runningPhases,
    find: (id) => index.get(id) || null,
    lineById: new Map(lines.map((line) => [line.id, line])),
    nDone: () => lines.filter((line) => done.has(line.id)).length,
    nBuilt: () => lines.filter((line) => line.status === "built").length,
  };
  model.projectState = (line) => {
    const { parts } = index.get(line.id).phase.project;
    return { ...stateOf(line, model), isLearned: parts.every((part) => done.has(part.id)) };
  };
  return model;
}

function indexOf(roadmap) {
  const index = new Map();
  for (const phase of roadmap.phases) {
    index.set(`p${phase.number}`, { kind: "phase", phase, line: null });
    const add = (kind) => (line) => index.set(line.id, { kind, phase, line });
    phase.topics.forEach(add("topic"));
    phase.tools.forEach(add("tool"));
    phase.criteria.forEach(add("criterion"));
    if (phase.project) {
      index.set(phase.project.id, { kind: "project", phase, line: phase.project });
      phase.project.parts.forEach(add("part"));
    }
  }
  return index;
}

/** The first week that still has something to learn; the last one when all is learned. */
export function currentWeek(model) {
  const open = model.weeks.find((week) => week.lines.some((id) => !model.done.has(id)));
  return (open || model.weeks.at(-1)).number;
}
