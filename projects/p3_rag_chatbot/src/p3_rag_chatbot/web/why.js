// "Why this answer": the question as it was searched, what was found with its scores, each sentence's check, the time.
// Knows `RagAnswer`. A score that did not take part is a dash.

import { badge, h } from "/design/elements.js";
import { bars } from "/design/sparks.js";
import { passageLink, pathWords } from "/passage.js";

const SCORES = [["bm25", "Words (BM25)"], ["dense", "Meaning (cosine)"], ["fused", "Blended"], ["reranked", "Reader"]];
const TIMES = { search: "Search", read: "Read and rerank", total: "In all" };

export function whyView(rag, usage, asked) {
  return h("div", { class: "stack why" },
    rag.question !== asked && h("p", {}, h("b", {}, "Searched for: "), rag.question, h("span", { class: "hint" }, " (rewritten from the conversation)")),
    rag.hits.length > 0 && hitsTable(rag),
    rag.checks.length > 0 && checksTable(rag),
    h("div", { class: "why-foot" }, timings(rag), h("p", { class: "hint" }, [usage && `${usage.prompt_tokens.toLocaleString()} tokens read, ${usage.completion_tokens.toLocaleString()} written`, rag.collection && `collection ${rag.collection}`].filter(Boolean).join(" · "))));
}

const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(3).replace("-", "−"));

function hitsTable({ hits, citations }) {
  const used = new Map(citations.map((one) => [one.passage_id, one.number]));
  const row = ({ passage, rank, scores }) => h("tr", {},
    h("td", { class: "num" }, rank),
    h("th", { scope: "row", class: "hit" },
      passageLink(passage, passage.title), used.has(passage.id) && [" ", badge(`cited as [${used.get(passage.id)}]`, "accent")],
      h("span", { class: "hint" }, pathWords(passage)),
      h("span", { class: "snippet" }, passage.text)),
    SCORES.map(([name]) => h("td", { class: "num" }, score(scores[name]))));
  return h("section", { class: "stack tight" },
    h("h4", {}, "What was found"),
    h("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-label": "What was found" }, h("table", { class: "table hits" },
      h("thead", {}, h("tr", {}, h("th", { class: "num" }, "Rank"), h("th", {}, "Passage"), SCORES.map(([, words]) => h("th", { class: "num" }, words)))),
      h("tbody", {}, hits.map(row)))));
}

function checksTable({ checks }) {
  const verdict = (one) => (one.is_withheld ? badge("left out", "warn") : one.is_supported ? badge("supported", "good") : badge("not supported", "bad"));
  const row = (one) => h("tr", {}, h("td", {}, verdict(one)), h("td", { class: "claim" }, one.sentence), h("td", { class: "num" }, score(one.score)), h("td", {}, one.citations.map((n) => `[${n}]`).join(" ") || "none"));
  return h("section", { class: "stack tight" },
    h("h4", {}, "Each sentence against what it cites"),
    h("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-label": "Checks" }, h("table", { class: "table checks" },
      h("thead", {}, h("tr", {}, h("th", {}, "Check"), h("th", {}, "Sentence"), h("th", { class: "num" }, "Support"), h("th", {}, "Cites"))),
      h("tbody", {}, checks.map(row)))));
}

function timings({ timings_ms: times }) {
  const items = Object.entries(times).map(([name, value]) => ({ name: TIMES[name] ?? name, value }));
  return items.length > 0 && h("section", { class: "stack tight" }, h("h4", {}, "Where the time went"), bars(items, { unit: "ms", label: "Time of each step", format: (v) => v.toFixed(0) }));
}
