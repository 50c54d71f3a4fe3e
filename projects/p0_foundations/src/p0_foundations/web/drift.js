// A drift report drawn: verdict, then a row for each column, the moved ones first.
// Knows the DriftReport of the API; no page.

import { badge, h } from "/design/elements.js";

const TONE = { strong: "bad", moderate: "warn", slight: "accent", none: null };
const SHOWN = 100;

export function driftView(report) {
  const worst = report.columns[0]?.severity || "none";
  const hasMoved = report.added.length + report.removed.length > 0;
  const tone = hasMoved && worst === "none" ? "warn" : { bad: "bad", warn: "warn" }[TONE[worst]] || "good";
  const fact = (value, word) => h("span", {}, h("b", {}, value), ` ${word}`);
  const moved = report.columns.filter((one) => one.severity !== "none");
  return [
    h(
      "section",
      { class: "headline", "data-tone": tone, "aria-label": "Verdict" },
      h("p", { class: "verdict", id: "verdict" }, report.verdict),
      h("p", { class: "facts" }, fact(report.n_before.toLocaleString("en"), "rows before"), fact(report.n_after.toLocaleString("en"), "rows after"), fact(`${moved.length} of ${report.columns.length}`, "columns moved beyond chance")),
    ),
    schema(report),
    h(
      "section",
      { class: "card" },
      h("header", { class: "card-head" }, h("h2", {}, "Column by column"), h("p", { class: "hint" }, `${report.n_tests} tests corrected together (Benjamini–Hochberg): the chance of any false alarm is ${report.alpha * 100}%`)),
      h("table", { class: "table drift" }, h("thead", {}, h("tr", {}, ["Column", "Drift", "What moved"].map((text) => h("th", {}, text)), h("th", { class: "num" }, "PSI"), h("th", { class: "num" }, "Adjusted p"))), h("tbody", {}, report.columns.slice(0, SHOWN).map(row))),
      report.columns.length > SHOWN && h("p", { class: "hint" }, `${SHOWN} of ${report.columns.length} columns shown; the JSON has them all.`),
    ),
  ];
}

function schema(report) {
  const lines = [["Gone", report.removed, "bad"], ["New", report.added, "warn"], ["Changed type", report.retyped, "bad"]].filter(([, names]) => names.length);
  if (!lines.length) return null;
  return h("section", { class: "card" }, h("ul", { class: "findings" }, lines.map(([word, names, tone]) => h("li", {}, badge(word, tone), h("span", { class: "what" }, names.slice(0, 20).join(", "), names.length > 20 && ` and ${names.length - 20} more`)))));
}

function row(one) {
  const p = one.p_adjusted;
  return h(
    "tr",
    {},
    h("td", {}, h("b", {}, one.column)),
    h("td", {}, badge(one.severity, TONE[one.severity])),
    h("td", { class: "what" }, one.message),
    h("td", { class: "num figure-cell" }, one.psi === null ? "" : one.psi.toFixed(3)),
    h("td", { class: "num figure-cell" }, p === null ? "" : p < 0.0001 ? "<0.0001" : p.toFixed(4)),
  );
}
