// Compare: accuracy against what it costs, over networks and their variants. The cost is in the address (?cost=…),
// so are the data set (?dataset=…) and the order of the table (?sort=…). Without runs, the served model's own
// variants are compared. Read next: costs.js.

import { badge, choices, codeBlock, errorState, getParam, h, setParam, skeleton } from "/design/elements.js";
import { chart } from "/design/charts.js";
import { request } from "/design/http.js";
import { capital, count } from "/design/words.js";
import { TRAIN } from "/commands.js";
import { COSTS, titleOf } from "/costs.js";

const LOG_FROM = 8; // costs that differ by more than so many times stand on a logarithmic axis

export function compareRoom() {
  const element = h("div", { class: "stack goes-stale" }, skeleton(90), skeleton(420), skeleton(240));
  let found = null;
  let model = null;
  let askedFor = null;
  let isOpen = false;

  async function load() {
    const dataset = getParam("dataset") ?? "";
    askedFor = dataset;
    try {
      const answer = await request(`/v1/comparison?dataset=${encodeURIComponent(dataset)}`);
      if (askedFor !== dataset) return;
      found = answer;
      show();
    } catch (error) {
      if (!found || !error.isUnreachable) element.replaceChildren(errorState(error, { retry: load }));
      askedFor = null;
    }
  }

  function show() {
    if (!isOpen || !found) return;
    const told = found.rows.length ? found : ownVariants(model, found);
    if (!told) return element.replaceChildren(none(found));
    const cost = COSTS[getParam("cost")] ? getParam("cost") : bestKnown(told.rows);
    const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
    element.replaceChildren(...[
      h("section", { class: "headline", "aria-label": "Verdict" }, h("p", { class: "verdict", id: "comparison-verdict" }, told.verdict), told.note && h("p", { class: "muted" }, withCode(told.note))),
      h("div", { class: "row between" }, costChoice(cost), datasetChoice(found)),
      h("section", { class: "card" }, pareto(told, cost)),
      table(told, cost, model)].filter(Boolean));
    if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  addEventListener("popstate", () => { if (isOpen) { if ((getParam("dataset") ?? "") !== askedFor) load(); else show(); } });
  return {
    element,
    open: () => { isOpen = true; load(); },
    close: () => { isOpen = false; },
    setModel: (next) => { model = next; show(); },
  };
}

/** The served model's graphs, as rows of the comparison. */
function ownVariants(model, found) {
  if (!model?.card.variants.length) return null;
  const { card } = model;
  const rows = card.variants.map((one) => ({ ...one, run_id: card.run_id, dataset: card.dataset, model: card.preset, accuracy: one.accuracy.value, low: one.accuracy.low, high: one.accuracy.high }));
  const efficient = Object.fromEntries(Object.keys(COSTS).map((cost) => [cost, frontOf(rows, cost)]));
  return { rows, efficient, kind: "images", verdict: `The served model in ${count(rows.length, "variant")}; there is no run to compare it with`, note: `${capital(found.verdict)}.` };
}

/** The same rule as the service's: none is as accurate for less. */
function frontOf(rows, cost) {
  const order = rows.map((_, k) => k).sort((a, b) => rows[a][cost] - rows[b][cost] || rows[b].accuracy - rows[a].accuracy);
  let best = -1;
  return order.filter((k) => { const isBetter = rows[k].accuracy > best; best = Math.max(best, rows[k].accuracy); return isBetter; });
}

const known = (rows, cost) => rows.filter((row) => row[cost] !== null && row[cost] !== undefined);
const bestKnown = (rows) => (known(rows, "latency_ms").length > 1 ? "latency_ms" : "n_parameters");
const nameOf = (row) => (row.variant === "fp32" ? row.model : `${row.model} ${row.variant}`);
const exact = (share) => `${(100 * share).toFixed(2)} %`;

function costChoice(cost) {
  return choices(Object.entries(COSTS).map(([value, { label }]) => ({ value, label })), { label: "Cost", value: cost, onChoose: (value) => setParam("cost", value, { replace: true }) });
}

function datasetChoice({ dataset, datasets }) {
  return datasets.length > 1 && choices(datasets.map((value) => ({ value, label: value })), { label: "Data set", value: dataset, onChoose: (value) => setParam("dataset", value) });
}

function pareto({ rows, efficient, kind }, cost) {
  const title = titleOf(cost, kind);
  const { unit, write, label } = COSTS[cost];
  const drawn = known(rows, cost);
  const front = efficient[cost].map((k) => rows[k]);
  const beaten = drawn.filter((row) => !front.includes(row));
  const missing = rows.length - drawn.length;
  const prices = drawn.map((row) => row[cost]).filter((value) => value > 0);
  const isWide = prices.length > 1 && Math.max(...prices) / Math.min(...prices) > LOG_FROM;
  const series = (name, some, more) => ({
    type: "scatter", name, x: some.map((row) => row[cost]), y: some.map((row) => 100 * row.accuracy), text: some.map(nameOf), isInLegend: true, cliponaxis: false,
    error_y: { type: "data", symmetric: false, thickness: 1, width: 3, array: some.map((row) => 100 * ((row.high ?? row.accuracy) - row.accuracy)), arrayminus: some.map((row) => 100 * (row.accuracy - (row.low ?? row.accuracy))) },
    hovertemplate: some.map((row) => `${nameOf(row)}<br>${exact(row.accuracy)}<br>${write(row[cost])}<extra></extra>`), ...more,
  });
  return chart({
    title: findingOf(front, drawn, label.toLowerCase()),
    note: [missing > 0 && `${count(missing, "row")} without this cost: p2-nn-service compare --measure`, isWide && "Logarithmic axis"].filter(Boolean).join(" · "),
    x: { title, unit, ...(isWide ? { type: "log", ...logTicks(prices, write) } : { rangemode: "tozero" }) }, y: { title: "Held-out accuracy", unit: "%" }, height: 400, file: `compare-${cost}`,
    data: [
      series("efficient: nothing is as accurate for less", front, { mode: "lines+markers+text", textposition: "top center", line: { shape: "hv", width: 1.5 }, marker: { size: 10 } }),
      ...(beaten.length ? [series("beaten", beaten, { mode: "markers", token: "--ink-3", marker: { size: 9, symbol: "circle-open" } })] : []),
    ],
    table: { columns: ["Network", "Variant", "Accuracy", title, "Efficient"], rows: drawn.map((row) => [row.model, row.variant, row.accuracy, row[cost], front.includes(row) ? "yes" : "no"]) },
  }).element;
}

/** Round places of a logarithmic axis, each written as the cost is. */
function logTicks(prices, write) {
  const [low, high] = [Math.floor(Math.log10(Math.min(...prices))), Math.ceil(Math.log10(Math.max(...prices)))];
  const steps = high - low > 3 ? [1] : [1, 2, 5];
  const places = Array.from({ length: high - low + 1 }, (_, k) => steps.map((step) => step * 10 ** (low + k))).flat();
  return { tickvals: places, ticktext: places.map(write) };
}

function findingOf(front, drawn, label) {
  if (!drawn.length) return `No ${label} was measured yet`;
  if (drawn.length === 1) return `Of ${nameOf(drawn[0])} alone the ${label} ${label.endsWith("s") ? "are" : "is"} known; a second network makes a comparison`;
  return `${front.length} of ${drawn.length} are efficient by ${label}: ${front.map(nameOf).join(", ")}`;
}

function table({ rows, efficient }, cost, model) {
  const columns = { accuracy: "Accuracy", ...Object.fromEntries(Object.entries(COSTS).map(([key, { label }]) => [key, label])) };
  const sort = columns[getParam("sort")] ? getParam("sort") : "accuracy";
  const sign = sort === "accuracy" ? -1 : 1;
  const order = rows.map((_, k) => k).sort((a, b) => ((rows[a][sort] ?? null) === null) - ((rows[b][sort] ?? null) === null) || sign * (rows[a][sort] - rows[b][sort]));
  const by = (key) => h("th", { scope: "col", class: `num${key === cost || key === "accuracy" || key === sort ? "" : " wide"}`, "aria-sort": key === sort && (sign < 0 ? "descending" : "ascending") }, h("button", { class: "look sorter", type: "button", "data-key": `sort-${key}`, onclick: () => setParam("sort", key, { replace: true }) }, columns[key], key === sort && (sign < 0 ? " ↓" : " ↑")));
  const line = (k) => row(rows[k], { cost, sort, isEfficient: efficient[cost].includes(k), isServed: rows[k].run_id && rows[k].run_id === model?.card.run_id });
  return h("section", { class: "card stack", "aria-labelledby": "compared-title" }, h("h2", { id: "compared-title" }, "Every network and variant"),
    h("div", { class: "scroll-x", tabindex: 0 }, h("table", { class: "table compared", id: "compared" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Network"), Object.keys(columns).map(by))), h("tbody", {}, order.map(line)))));
}

function row(one, { cost, sort, isEfficient, isServed }) {
  const cell = (key) => h("td", { class: `num${key === cost || key === sort ? "" : " wide"}` }, (one[key] ?? null) === null ? h("span", { class: "muted" }, "not measured") : COSTS[key].write(one[key]));
  const range = one.low !== null && one.low !== undefined && h("small", { class: "muted range" }, `${(100 * one.low).toFixed(1)} to ${(100 * one.high).toFixed(1)}`);
  return h("tr", { class: isEfficient ? "efficient" : null },
    h("td", {}, h("div", { class: "row" }, h("b", {}, one.model), badge(one.variant), isEfficient && badge("efficient", "accent"), isServed && badge("served", "good")), one.note && h("p", { class: "hint" }, withCode(one.note))),
    h("td", { class: "num" }, exact(one.accuracy), range), Object.keys(COSTS).map(cell));
}

/** What stands between backticks is a command. */
const withCode = (text) => text.split("`").map((part, k) => (k % 2 ? h("code", {}, part) : part));

function none({ verdict }) {
  return h("div", { class: "state", "data-kind": "empty" }, h("h3", {}, "Nothing to compare yet"), h("p", { class: "muted" }, withCode(capital(verdict)), ". Two or more make a picture:"), codeBlock(TRAIN));
}
