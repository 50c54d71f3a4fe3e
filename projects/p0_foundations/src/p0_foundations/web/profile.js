// A profile drawn: verdict, what to look at, what tells of the target, every column, what goes together.
// Knows the Profile of the API and the elements of the design system. Next: marks.js, page.js.

import { chart } from "/design/charts.js";
import { badge, h, setParam } from "/design/elements.js";
import { bars } from "/design/sparks.js";
import { gapsFigure } from "/gaps.js";
import { distribution, figure, percent, written } from "/marks.js";

const TONE = { problem: "bad", warning: "warn", note: null };
const SHOWN_COLUMNS = 60;
const SHOWN_FINDINGS = 8;
const KINDS = { number: "number", code: "code or count", category: "category", boolean: "yes / no", datetime: "date", text: "text", id: "id", empty: "empty" };
// Blue for opposite, red for alike; the middle is a grey that stands back in both themes.
const DIVERGING = [[0, "#2f6db5"], [0.25, "#8fb3dc"], [0.5, "#d9dce2"], [0.75, "#dd9a86"], [1, "#b5442f"]];
const MEASURES = { gini: "Gini = 2 AUC - 1", brier_skill: "Brier skill", r2: "R²" };

export function profileView(profile) {
  return [headline(profile), findings(profile), predictors(profile), columns(profile), relations(profile), gaps(profile)];
}

function headline(profile) {
  const worst = profile.findings[0]?.severity;
  const missing = profile.columns.reduce((sum, column) => sum + column.n_missing, 0);
  const cells = profile.n_rows * profile.n_columns;
  const fact = (value, word) => h("span", {}, h("b", {}, value), ` ${word}`);
  return h(
    "section",
    { class: "headline", "data-tone": TONE[worst] || "good", "aria-label": "Verdict" },
    h("p", { class: "verdict", id: "verdict" }, profile.verdict),
    h(
      "p",
      { class: "facts" },
      fact(profile.n_rows.toLocaleString("en"), "rows"),
      fact(profile.n_columns.toLocaleString("en"), "columns"),
      fact(cells ? percent(missing / cells) : "0%", "of the cells missing"),
      fact(profile.n_duplicate_rows.toLocaleString("en"), "rows repeated"),
      profile.n_sampled && fact(profile.n_sampled.toLocaleString("en"), "rows sampled for relations"),
    ),
  );
}

function findings(profile) {
  if (!profile.findings.length) return null;
  const list = h("ul", { class: "findings" });
  const draw = (n) => list.replaceChildren(...profile.findings.slice(0, n).map(finding));
  draw(SHOWN_FINDINGS);
  const rest = profile.findings.length - SHOWN_FINDINGS;
  const more = rest > 0 && h("button", { class: "button", "data-kind": "quiet", "data-size": "small", type: "button", onclick: () => { draw(); more.remove(); } }, `Show ${rest} more`);
  return h("section", { class: "card" }, h("header", { class: "card-head" }, h("h2", {}, "What to look at")), list, more);
}

function finding(one) {
  const column = one.columns[0];
  return h(
    "li",
    {},
    badge(one.severity, TONE[one.severity]),
    h("span", { class: "what" }, one.message),
    column !== undefined && h("button", { class: "look", type: "button", onclick: () => setParam("column", column), "aria-label": `Look at ${column}` }, "Look"),
  );
}

function predictors(profile) {
  if (!profile.predictors.length) return null;
  const measure = MEASURES[profile.predictors[0].measure];
  const suspects = profile.predictors.filter((one) => one.is_suspect).map((one) => one.column);
  const best = profile.predictors[0];
  const title = suspects.length ? `${suspects.join(", ")} may give ${profile.target} away` : `${best.column} alone tells the most of ${profile.target}; nothing gives it away`;
  const items = profile.predictors.slice(0, 10).map((one) => ({ name: one.column, value: one.power, note: one.is_suspect ? "may leak" : "", token: one.is_suspect ? "--bad" : null }));
  return h(
    "section",
    { class: "card stack" },
    h("div", {}, h("h2", {}, title), h("p", { class: "hint" }, `How well each column alone predicts it on rows it was not fitted on: ${measure}, from 0 to 1.`)),
    bars(items, { label: `Power of each column to predict ${profile.target}`, max: 1, format: (v) => v.toFixed(2) }),
  );
}

function columns(profile) {
  const grid = h("div", { class: "columns" });
  const flagged = new Set(profile.findings.filter((one) => one.severity !== "note").flatMap((one) => one.columns));
  const count = h("p", { class: "hint", role: "status" });
  const draw = (text) => {
    const wanted = profile.columns.filter((column) => column.name.toLowerCase().includes(text.toLowerCase()));
    grid.replaceChildren(...wanted.slice(0, SHOWN_COLUMNS).map((column) => card(column, flagged.has(column.name))));
    count.textContent = wanted.length > SHOWN_COLUMNS ? `${SHOWN_COLUMNS} of ${wanted.length.toLocaleString("en")} columns shown; type a part of a name` : "";
  };
  draw("");
  const search = profile.columns.length > 12 && h("input", { class: "input", type: "search", placeholder: "Find a column", "aria-label": "Find a column", style: { width: "220px" }, oninput: (event) => draw(event.target.value) });
  return h("section", { class: "stack" }, h("div", { class: "section-head" }, h("h2", {}, "Columns"), search), grid, count);
}

function card(column, isFlagged) {
  const share = column.n_rows ? column.n_missing / column.n_rows : 0;
  return h(
    "button",
    { class: "column", type: "button", onclick: () => setParam("column", column.name), "aria-label": `${column.name}, ${KINDS[column.kind]}: details` },
    h("span", { class: "column-head" }, h("b", { class: "truncate", title: column.name }, column.name), h("span", { class: isFlagged ? "hint flag" : "hint", title: isFlagged ? "has a warning" : null }, isFlagged && "▲ ", KINDS[column.kind])),
    distribution(column),
    h("span", { class: "column-facts" }, h("span", {}, `${column.n_unique.toLocaleString("en")} distinct`), column.n_missing > 0 && h("span", {}, `${percent(share)} missing`)),
  );
}

/** The correlations of the numbers as a grid, and the strongest pairs of any kind beside it. */
function relations(profile) {
  const pairs = profile.associations.filter((one) => one.measure !== "pearson");
  if (!pairs.length) return null;
  const words = { spearman: "Spearman", cramers_v: "Cramér's V", correlation_ratio: "correlation ratio" };
  const strongest = pairs.slice(0, 8).map((one) => h("tr", {}, h("td", {}, `${one.a} · ${one.b}`, h("div", { class: "hint" }, words[one.measure])), h("td", { class: "num" }, one.value.toFixed(2))));
  const table = h("div", { class: "card" }, h("header", { class: "card-head" }, h("h2", {}, "Strongest pairs")), h("table", { class: "table" }, h("tbody", {}, strongest)));
  const grid = heatmap(profile);
  return h("section", { class: grid ? "split" : "" }, grid, table);
}

function gaps(profile) {
  return profile.gaps && h("section", { class: "card" }, gapsFigure(profile.gaps));
}

function heatmap(profile) {
  const pairs = profile.associations.filter((one) => one.measure === "spearman");
  const names = [...new Set(pairs.flatMap((one) => [one.a, one.b]))].slice(0, 24);
  if (names.length < 3) return null;
  const at = new Map(names.map((name, k) => [name, k]));
  const z = names.map((_, i) => names.map((__, j) => (i === j ? 1 : null)));
  for (const { a, b, value } of pairs) {
    if (!at.has(a) || !at.has(b)) continue;
    z[at.get(a)][at.get(b)] = value;
    z[at.get(b)][at.get(a)] = value;
  }
  const top = pairs[0];
  const drawn = chart({
    title: `${top.a} and ${top.b} move together most (${top.value.toFixed(2)})`,
    note: "Spearman correlation of each pair of numbers; empty where too few rows have both",
    x: { type: "category", tickangle: -45, tickvals: names, ticktext: names.map(clipped) },
    y: { type: "category", autorange: "reversed", tickvals: names, ticktext: names.map(clipped) },
    data: [{ type: "heatmap", x: names, y: names, z, zmin: -1, zmax: 1, xgap: 1, ygap: 1, colorscale: DIVERGING, colorbar: { thickness: 8, outlinewidth: 0, len: 0.6, tickvals: [-1, 0, 1] }, hovertemplate: "%{x} · %{y}: %{z:.2f}<extra></extra>" }],
    height: Math.max(260, 90 + names.length * 24),
    file: "correlations",
    table: { columns: ["Column", "Column ", "Spearman"], rows: pairs.map((one) => [one.a, one.b, one.value]) },
  });
  return h("div", { class: "card" }, drawn.element);
}

function clipped(name) {
  return name.length <= 16 ? name : `${name.slice(0, 15)}…`;
}

/** What the side panel says of one column. */
export function columnPanel(profile, name) {
  const column = profile.columns.find((one) => one.name === name);
  if (!column) return { title: name, body: h("p", { class: "muted" }, "This table has no such column.") };
  const about = profile.findings.filter((one) => one.columns.includes(name));
  const power = profile.predictors.find((one) => one.column === name);
  const pairs = profile.associations.filter((one) => one.measure !== "pearson" && [one.a, one.b].includes(name)).slice(0, 6);
  return {
    title: name,
    eyebrow: KINDS[column.kind],
    body: [
      distribution(column, { isFull: true }),
      about.length > 0 && h("ul", { class: "findings" }, about.map((one) => h("li", {}, badge(one.severity, TONE[one.severity]), h("span", { class: "what" }, one.message)))),
      h("dl", { class: "pairs" }, facts(column).map(([term, value]) => [h("dt", {}, term), h("dd", { class: "num" }, value)])),
      power && h("p", { class: "muted" }, `Alone it predicts ${profile.target} with ${MEASURES[power.measure]} of ${power.power.toFixed(2)}.`),
      pairs.length > 0 && h("div", {}, h("h3", {}, "Goes together with"), bars(pairs.map((one) => ({ name: one.a === name ? one.b : one.a, value: Math.abs(one.value) })), { label: `Columns that go together with ${name}`, max: 1, format: (v) => v.toFixed(2) })),
    ],
  };
}

/** What texts are made of; a profile stored by an older version says less. */
function textFacts(text) {
  if (!text?.n_by_block?.length) return [];
  const most = (counts) => counts.slice(0, 3).map((one) => `${one.value} (${one.n.toLocaleString("en")})`).join(", ");
  const rows = [["Unicode blocks", most(text.n_by_block)]];
  if (text.n_by_script.length) rows.push(["Scripts", most(text.n_by_script)]);
  if (text.n_words) rows.push(["Words", `${text.n_words.toLocaleString("en")}, ${text.n_distinct_words.toLocaleString("en")} distinct`]);
  if (text.frequent_words.length) rows.push(["Frequent words", most(text.frequent_words)]);
  return rows;
}

function facts(column) {
  const rows = [["Stored as", column.stored_as], ["Distinct values", column.n_unique.toLocaleString("en")], ["Missing", `${column.n_missing.toLocaleString("en")} of ${column.n_rows.toLocaleString("en")}`]];
  for (const one of column.missing_spellings) rows.push([`Missing, spelled "${one.value}"`, one.n.toLocaleString("en")]);
  if (column.n_once !== null) rows.push(["Occur once", column.n_once.toLocaleString("en")]);
  if (column.order) rows.push(["Down the rows", column.order]);
  if (column.text) rows.push(["Length", `${column.text.minimum_length.toLocaleString("en")} to ${column.text.maximum_length.toLocaleString("en")} characters`]);
  rows.push(...textFacts(column.text));
  const n = column.number;
  if (!n) return rows;
  const unit = column.kind === "text" ? "length, " : "";
  const at = (value) => written(column, value);
  if (column.kind !== "datetime") rows.push([`${unit}mean ± sd`, `${figure(n.mean)} ± ${figure(n.std)}`]);
  rows.push([`${unit}median`, at(n.median)], [`${unit}quartiles`, `${at(n.q1)} to ${at(n.q3)}`], [`${unit}range`, `${at(n.minimum)} to ${at(n.maximum)}`]);
  if (column.kind !== "number") return rows;
  if (n.p5 !== null) rows.push(["5 % and 95 %", `${figure(n.p5)} and ${figure(n.p95)}`], ["sum", figure(n.sum)], ["median distance to the median", figure(n.mad)]);
  rows.push(["skew", figure(n.skew)], ["excess kurtosis", figure(n.excess_kurtosis)], ["zeros", n.n_zero.toLocaleString("en")], ["negative", n.n_negative.toLocaleString("en")]);
  if (n.n_infinite) rows.push(["infinite", n.n_infinite.toLocaleString("en")]);
  if (n.n_outlying) rows.push(["beyond 3 IQR", n.n_outlying.toLocaleString("en")]);
  return rows;
}
