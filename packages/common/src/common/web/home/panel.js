// The side panel: what a line of the roadmap is, the file that shows it, the command that runs it, the exercise
// that checks it; or a whole phase. A planned line says so plainly and names nothing that does not run.
//
//   panelOf(model, id, { href, onOpen, onLearned }) → what elements.sidePanel draws, or null for an unknown id
// Knows no request. Next: home.js.

import { badge, codeBlock, emptyState, h } from "/design/elements.js";
import { markPicture, stateOf, words } from "/marks.js";
import { reachable } from "/services.js";

const KINDS = { topic: "Topic", tool: "Tool", part: "Part of the project", criterion: "Exit criterion", project: "Project" };

export function panelOf(model, id, acts) {
  const found = model.find(id);
  if (!found) {
    const body = emptyState({ title: "Nothing stands at this address", text: `The roadmap has no line “${id}”. It may have been renamed.`, action: { label: "Back to the map", run: () => acts.onOpen(null) } });
    return { title: "Not on the map", body };
  }
  const { kind, phase, line } = found;
  if (kind === "phase") return { title: phase.title, eyebrow: `Phase ${phase.number} · ${phase.period}`, phase: phase.number, body: phaseBody(model, phase, acts) };
  const body = kind === "project" ? projectBody(model, phase, acts) : lineBody(model, phase, line, acts);
  return { title: line.text, eyebrow: `Phase ${phase.number} · ${KINDS[kind]}`, phase: phase.number, body: [...body, backTo(phase, acts)] };
}

function lineBody(model, phase, line, { onLearned }) {
  const state = stateOf(line, model);
  const isPlanned = !state.isBuilt;
  return [
    h("div", { class: "row" }, statusBadge(state), state.isLearned && badge("Learned", "good")),
    line.about && h("p", { class: "about" }, line.about),
    isPlanned && plannedNote(phase),
    line.file && part("See it", h("p", { class: "hint" }, "The file that shows it"), codeBlock(line.file, { label: "Copy the path" })),
    line.command && part("Run it", h("p", { class: "hint" }, "In a terminal, from the repository"), codeBlock(line.command)),
    line.exercises.length > 0 && part("Check yourself", line.exercises.map((id) => exercise(model, id))),
    learnedToggle(model, line, onLearned),
  ];
}

function statusBadge(state) {
  if (state.isRunning) return badge("Running now", "accent");
  return state.isBuilt ? badge("Built") : badge("Planned", "warn");
}

function plannedNote(phase) {
  const text = `This is planned. There is no file to open and no command to run for it yet; phase ${phase.number} will bring them.`;
  return h("p", { class: "state planned-note", "data-kind": "empty" }, text);
}

function part(title, ...children) {
  return h("section", { class: "panel-part" }, h("h3", {}, title), children);
}

function exercise(model, id) {
  const known = model.exercises.find((one) => one.id === id);
  const isDone = model.done.has(id);
  return h("div", { class: "exercise" }, h("p", { class: "row" }, h("span", {}, known?.title || id), isDone && badge("Passed", "good")), codeBlock(`uv run roadmap exercises start ${id}`));
}

function learnedToggle(model, line, onLearned) {
  const box = h("input", { type: "checkbox", checked: model.done.has(line.id), onchange: (event) => onLearned(line.id, event.target.checked) });
  return h("label", { class: "check learned-toggle" }, box, h("span", {}, "I have learned this"));
}

function backTo(phase, { href, onOpen }) {
  return h("p", {}, link(`p${phase.number}`, `All of phase ${phase.number}, ${phase.title}`, href, onOpen));
}

function link(id, text, href, onOpen) {
  return h("a", { href: href(id), onclick: (event) => { if (event.metaKey || event.ctrlKey || event.shiftKey) return; event.preventDefault(); onOpen(id); } }, text);
}

function projectBody(model, phase, acts) {
  const state = model.projectState({ ...phase.project, status: phase.project.parts.every((p) => p.status === "built") ? "built" : "planned" });
  return [h("div", { class: "row" }, statusBadge(state)), startPart(model, phase), part("What it must have", lineList(model, phase.project.parts, acts))];
}

function startPart(model, phase) {
  const service = model.services.find((one) => one.phase === phase.number);
  const isBuilt = model.linesOf(phase).some((line) => line.status === "built");
  if (!isBuilt) return plannedNote(phase);
  const open = service?.state === "ready" && h("a", { class: "button", "data-kind": "primary", href: reachable(service.page) }, "Open it");
  return part("Start it", codeBlock(`uv run ${phase.service}`), open);
}

function phaseBody(model, phase, acts) {
  const lines = model.linesOf(phase);
  const nBuilt = lines.filter((line) => line.status === "built").length;
  const nDone = lines.filter((line) => model.done.has(line.id)).length;
  return [
    h("p", { class: "about" }, phase.goal),
    h("div", { class: "row" }, nBuilt ? badge(`${nBuilt} of ${lines.length} built`) : badge("Planned", "warn"), badge(`${nDone} of ${lines.length} learned`, nDone ? "good" : null)),
    startPart(model, phase),
    part("Topics", lineList(model, phase.topics, acts)),
    part("Tools", lineList(model, phase.tools, acts)),
    phase.project && part(`Project: ${phase.project.text}`, lineList(model, phase.project.parts, acts)),
    part("Exit criteria", lineList(model, phase.criteria, acts)),
    part("Resources", h("ul", { class: "resources" }, phase.resources.map((resource) => h("li", {}, resource.text, resource.note && h("span", { class: "hint" }, ` ${resource.note}`))))),
  ];
}

function lineList(model, lines, { href, onOpen }) {
  return h("ul", { class: "line-list" }, lines.map((line) => {
    const state = stateOf(line, model);
    return h("li", {}, markPicture(state), link(line.id, line.text, href, onOpen), (state.isBuilt || state.isLearned) && h("span", { class: "hint" }, words(state)));
  }));
}
