// The weekly checklist: one week at a time, its lines to tick, how far the whole is. The week is in the URL.
//
//   drawWeek(host, model, { href, onOpen, onLearned, pending })     pending: ids whose tick is not saved yet
// Knows no request. Next: home.js keeps the ticks.

import { badge, getParam, h, icon, meter, setParam } from "/design/elements.js";
import { currentWeek } from "/model.js";

export function shownWeek(model) {
  const asked = Number(getParam("week"));
  return model.weeks.some((week) => week.number === asked) ? asked : currentWeek(model);
}

export function drawWeek(host, model, acts) {
  const number = shownWeek(model);
  const week = model.weeks.find((one) => one.number === number);
  const phase = model.roadmap.phases.find((one) => one.number === week.phase);
  const lines = week.lines.map((id) => model.lineById.get(id));
  const focused = host.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  host.dataset.phase = phase.number;
  host.replaceChildren(
    h("header", { class: "card-head week-head" }, h("div", {}, h("h2", { id: "week-title" }, `Week ${number}`, h("span", { class: "muted" }, ` of ${model.weeks.length}`)), h("p", { class: "hint" }, `Phase ${phase.number}, ${phase.title}`)), steps(model, number)),
    h("ul", { class: "ticks" }, lines.map((line) => tick(line, model, acts))),
    h("div", { class: "week-foot" }, meter(model.nDone() / model.lines.length, "Learned of the whole roadmap"), h("p", { class: "hint" }, `${model.nDone()} of ${model.lines.length} lines learned`, number !== currentWeek(model) && [" · ", h("a", { href: "?", onclick: (event) => { event.preventDefault(); setParam("week", null); } }, "back to your week")])),
  );
  if (focused) host.querySelector(`[data-key="${focused}"]`)?.focus();
}

function steps(model, number) {
  const step = (label, to, turn) =>
    h("button", { class: `icon-button ${turn}`, type: "button", "data-key": turn, "aria-label": label, title: label, disabled: to < 1 || to > model.weeks.length, onclick: () => setParam("week", String(to), { replace: true }) }, icon("back"));
  return h("div", { class: "week-steps" }, step("Previous week", number - 1, "to-left"), step("Next week", number + 1, "to-right"));
}

function tick(line, model, { href, onOpen, onLearned, pending }) {
  const box = h("input", { type: "checkbox", "data-key": line.id, id: `tick-${line.id}`, checked: model.done.has(line.id), onchange: (event) => onLearned(line.id, event.target.checked) });
  const about = h("a", { class: "tick-more", href: href(line.id), "aria-label": `About ${line.text}`, onclick: (event) => { event.preventDefault(); onOpen(line.id); } }, "about");
  return h("li", {}, h("label", { class: "check" }, box, h("span", {}, line.text)), pending.has(line.id) ? badge("not saved", "warn") : about);
}
