// What if one value were another: the whole response curve in one question, then a slider that needs no more.
// Every place of the slider is a row the model has answered, with its interval and its reasons; nothing between
// them is made up. Asked by `POST /v1/explain`, so that trying things out is not watched as traffic.
// The feature and the place are in the address: ?whatif=age&at=61. Read next: grid.js, /design/plots.js.

import { choices, emptyState, errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { plot } from "/design/plots.js";
import { explain } from "/explain.js";
import { gridOf, indexNear, placeOf, placeWords } from "/grid.js";
import { figure, percent, quoted, valueWords } from "/words.js";

const FEWEST_POINTS = 8;
const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 };

/** `onTry(explained or null)`: the answer at the slider's place, or null when it is back where it was asked. */
export function whatIf({ onTry }) {
  const body = h("div", { class: "stack" });
  const element = h("section", { class: "card stack goes-stale", id: "what-if", "aria-labelledby": "what-if-title", hidden: true }, h("h2", { id: "what-if-title" }, "What if…"), body);
  let base = null; // { row, explained, model }
  let shown = null; // { feature, grid, explanations, at, picture, draw }
  let running = null;

  const feature = () => {
    const { features } = base.model.signature;
    const wanted = getParam("whatif");
    const strongest = base.explained.attributions[0]?.feature;
    return features.find((one) => one.name === wanted) || features.find((one) => one.name === strongest) || features[0];
  };

  async function load() {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const chosen = feature();
    shown = null;
    body.replaceChildren(picker(base, chosen), skeleton(258));
    try {
      const { grid, explanations } = await curve(base, chosen, mine.signal);
      if (running !== mine) return;
      shown = { feature: chosen, grid, explanations, at: grid.asked < 0 ? grid.typical : grid.asked };
      draw();
      const at = getParam("whatif") === chosen.name ? getParam("at") : null;
      if (at !== null) move(indexNear(grid, at), { isKept: true });
    } catch (error) {
      if (error.name === "AbortError" || running !== mine) return;
      body.replaceChildren(picker(base, chosen), errorState(error, { retry: load }));
    }
  }

  function draw() {
    const { feature: chosen, grid } = shown;
    if (grid.values.length < 2) return body.replaceChildren(picker(base, chosen), emptyState({ title: `Training saw one value of ${chosen.name} alone`, text: "There is nothing to compare it with." }));
    shown.picture = picture(base, shown, move);
    shown.control = chosen.kind === "category" ? chips(shown, move) : slider(shown, move);
    body.replaceChildren(picker(base, chosen), shown.picture.element, shown.control.element,
      h("p", { class: "hint" }, "Every place is a row the model answered, the other values as asked. Trying is neither logged nor watched."));
  }

  function move(index, { isKept = false } = {}) {
    if (!shown || index < 0) return;
    shown.at = index;
    const isAsked = index === shown.grid.asked;
    shown.picture?.update(marked(base, shown));
    shown.control?.set(index);
    onTry(isAsked ? null : shown.explanations[index]);
    if (!isKept) return;
    setParam("at", isAsked ? null : shown.grid.values[index] ?? "", { replace: true });
    if (!isAsked) setParam("whatif", shown.feature.name, { replace: true });
  }

  addEventListener("popstate", () => {
    if (!base || element.hidden) return;
    if (feature().name !== shown?.feature.name) load();
  });
  return {
    element,
    start: (given) => { base = given; element.hidden = false; load(); },
    stop: () => { running?.abort(); base = null; shown = null; element.hidden = true; },
    banner: () => {
      const { feature: chosen, grid, at } = shown;
      const back = () => (grid.asked < 0 ? onTry(null) : move(grid.asked, { isKept: true }));
      return h("p", { class: "trying" },
        h("span", {}, "What if ", h("b", {}, chosen.name), ` were ${placeWords(chosen, grid.values[at])} instead of ${placeWords(chosen, base.row[chosen.name])}:`),
        h("button", { class: "button", "data-size": "small", type: "button", onclick: back }, "Back to the row asked"));
    },
  };
}

/** One question for every place; fewer places where the service explains fewer rows at once. */
async function curve({ row, explained, model }, chosen, signal, most = 48) {
  const grid = gridOf(chosen, row[chosen.name], most);
  const of = model.signature.classes.length ? explained.of : null;
  try {
    const rows = grid.values.map((value) => ({ ...row, [chosen.name]: value }));
    const { explanations } = await explain(rows, { of, signal });
    return { grid, explanations };
  } catch (error) {
    if (error.problem?.status !== 413 || most / 2 < FEWEST_POINTS) throw error;
    return curve({ row, explained, model }, chosen, signal, Math.floor(most / 2));
  }
}

function picker(base, chosen) {
  const strength = Object.fromEntries(base.explained.attributions.map((part, k) => [part.feature, k]));
  const ordered = [...base.model.signature.features].sort((a, b) => strength[a.name] - strength[b.name]);
  const choose = (event) => { setParam("at", null, { replace: true }); setParam("whatif", event.target.value); };
  return h("label", { class: "what-if-pick" }, h("span", { class: "muted" }, "…one value were another:"),
    h("select", { class: "input", id: "what-if-feature", onchange: choose }, ordered.map((one) => h("option", { value: one.name, selected: one.name === chosen.name }, one.name))));
}

const height = (explained) => (explained.prediction.probabilities ? explained.prediction.probabilities[explained.of] : explained.prediction.prediction);

function picture(base, shown, move) {
  const { feature: chosen, grid, explanations } = shown;
  const { signature, card } = base.model;
  const isClasses = signature.task === "classification";
  const hasBand = chosen.kind !== "category" && explanations.every((one) => one.prediction.interval);
  const named = isClasses ? `Probability of ${explanations[0].of}` : `Predicted ${signature.target}${signature.unit ? ` (${signature.unit})` : ""}`;
  return plot({
    title: finding(base, chosen, grid, explanations), file: `what-if-${chosen.name.replace(/\W+/g, "-")}`,
    note: [named, hasBand && `the band holds the truth ${Math.round(100 * card.uncertainty.level)} times in 100`, grid.range && "shaded: seen in training"].filter(Boolean).join(" · "),
    x: { title: chosen.name, unit: chosen.unit, kind: { number: "number", date: "time", category: "names" }[chosen.kind], values: grid.values.map((value) => placeOf(chosen, value)) },
    shade: grid.range && { from: placeOf(chosen, grid.range[0]), to: placeOf(chosen, grid.range[1]) },
    ...(chosen.kind === "category" ? {} : { onPick: (x) => move(indexNear(grid, x), { isKept: true }) }),
    ...marked(base, shown),
  });
}

/** What moves in the picture with the slider: the line's marker, or the bar that is not faint. */
function marked({ model: { signature } }, { feature: chosen, grid, explanations, at }) {
  const isClasses = signature.task === "classification";
  const y = explanations.map(height);
  const spans = explanations.map((one) => one.prediction.interval);
  const marks = [];
  if (chosen.kind === "category") marks.push({ kind: "bars", y, faint: (k) => k !== at });
  else {
    if (spans.every(Boolean)) marks.push({ kind: "area", low: spans.map((span) => span[0]), high: spans.map((span) => span[1]), token: "--series-1" });
    marks.push({ kind: "line", y, token: "--series-1" });
  }
  if (isClasses && signature.positive) marks.push({ kind: "level", at: signature.threshold, name: `${signature.positive} from ${percent(signature.threshold)} on` });
  const axis = isClasses ? { title: `Probability of ${explanations[0].of}`, domain: [0, 1], format: percent } : { title: signature.target, zero: chosen.kind === "category" };
  return { panels: [{ height: 170, y: axis, marks }], mark: chosen.kind === "category" ? null : placeOf(chosen, grid.values[at]) };
}

function finding({ model: { signature } }, chosen, grid, explanations) {
  const said = explanations.map((one) => one.prediction.prediction);
  const at = (k) => placeWords(chosen, grid.values[k]);
  if (signature.task === "regression") {
    const [least, most] = [said.indexOf(Math.min(...said)), said.indexOf(Math.max(...said))];
    if (said[least] === said[most]) return `${quoted(chosen.name)} does not move the answer`;
    const told = (k) => `${figure(said[k])}${signature.unit ? ` ${signature.unit}` : ""} at ${at(k)}`;
    return `As ${quoted(chosen.name)} changes, ${signature.target} lies between ${told(least)} and ${told(most)}`;
  }
  const turns = said.flatMap((label, k) => (k && label !== said[k - 1] ? [k] : []));
  if (!turns.length) return `Whatever ${quoted(chosen.name)} is, the answer stays ${said[0]}`;
  if (chosen.kind === "category") return `${said.filter((label) => label === said[grid.asked]).length} of ${said.length} values leave the answer at ${said[grid.asked]}`;
  if (turns.length === 1) return `From ${quoted(chosen.name)} = ${at(turns[0])} on the answer is ${said[turns[0]]}, below it ${said[0]}`;
  return `The answer turns ${turns.length} times, first at ${at(turns[0])}`;
}

/** The range input gives the look, the pointer and the focus; its places are the grid's. */
function slider({ feature: chosen, grid, at }, move) {
  const places = grid.values.map((value) => Number(placeOf(chosen, value)));
  const input = h("input", { class: "slider", type: "range", id: "what-if-slider", min: places[0], max: places.at(-1), step: "any", "aria-label": `${chosen.name}${chosen.unit ? ` in ${chosen.unit}` : ""}` });
  const said = h("output", { class: "what-if-value", for: "what-if-slider" });
  const near = () => places.reduce((best, place, k) => (Math.abs(place - input.value) < Math.abs(places[best] - input.value) ? k : best), 0);
  const set = (index) => {
    input.value = places[index];
    const words = placeWords(chosen, grid.values[index]);
    input.setAttribute("aria-valuetext", words);
    said.replaceChildren(h("b", {}, words), index === grid.asked ? h("span", { class: "muted" }, " as asked") : "");
  };
  input.addEventListener("input", () => move(near()));
  input.addEventListener("change", () => move(near(), { isKept: true }));
  input.addEventListener("keydown", (event) => {
    const to = { Home: 0, End: places.length - 1 }[event.key] ?? (event.key in STEPS ? near() + STEPS[event.key] : null);
    if (to === null) return;
    event.preventDefault();
    move(Math.min(places.length - 1, Math.max(0, to)), { isKept: true });
  });
  set(at);
  return { element: h("div", { class: "what-if-slider" }, input, said), set };
}

function chips({ feature: chosen, grid, at }, move) {
  const options = grid.values.map((value, k) => ({ value: k, label: valueWords(value, chosen.unit) }));
  const element = choices(options, { label: chosen.name, value: at, onChoose: (index) => move(index, { isKept: true }) });
  return { element, set: (index) => { element.querySelectorAll("input")[index].checked = true; } };
}
