// One answer on the page: it grows while it streams, then shows how far to trust it, its sources, and why.
// Knows an `answer` of asking.js. Read next: answer-text.js, why.js.

import { badge, copyButton, errorState, h, icon } from "/design/elements.js";
import { request } from "/design/http.js";
import { percent } from "/design/words.js";
import { answerText, unsupportedRanges } from "/answer-text.js";
import { DEPTHS } from "/asking.js";
import { passageLink, pathWords } from "/passage.js";
import { whyView } from "/why.js";

export function answerView(answer, { asked, retry, stop, onRated }) {
  const head = h("header", { class: "row answer-head" });
  const text = h("div", { class: "prose answer-text" });
  const rest = h("div", { class: "stack tight" });
  const element = h("article", { class: "answer stack tight", "aria-label": `Answer, ${labelOf(answer)}`, "data-depth": answer.depth }, head, text, rest);

  function update() {
    const isAsking = answer.status === "asking";
    element.setAttribute("aria-busy", String(isAsking));
    head.replaceChildren(h("b", {}, labelOf(answer)), ...verdictBadges(answer), ...(isAsking ? [h("span", { class: "spinner", role: "status", "aria-label": "Answering" }), stopButton(stop)] : []));
    text.replaceChildren(...(answer.text ? answerText(answer.text, { cite: citeOf(answer), unsupported: unsupportedRanges(answer.text, answer.rag?.checks ?? []) }) : isAsking ? [h("p", { class: "muted" }, waitingWords(answer))] : []));
    rest.replaceChildren(...(isAsking ? [] : settled(answer, { asked, retry, onRated })));
  }
  update();
  return { element, update };
}

const labelOf = (answer) => DEPTHS.find((one) => one.value === answer.depth).label;
const waitingWords = ({ depth }) => ({ extract: "Searching and reading…", generate: "Searching, then writing…", free: "Writing…" })[depth];
const stopButton = (stop) => h("button", { class: "button", "data-size": "small", type: "button", onclick: stop }, "Stop");

function verdictBadges({ depth, rag, status }) {
  if (status === "stopped") return [badge("stopped", "warn")];
  if (!rag) return [];
  if (rag.verdict === "not_in_documents") return [badge(depth === "extract" ? "The documents do not say" : "No sentence is supported", "warn")];
  if (depth === "free") return [badge("not checked: no documents")];
  const n = rag.checks.filter((one) => !one.is_withheld);
  if (depth === "extract") return [badge(`${percent(rag.confidence)} sure`, "good")];
  const supported = n.filter((one) => one.is_supported).length;
  return [badge(`${supported} of ${n.length} sentences supported`, supported === n.length ? "good" : "warn")];
}

/** A number in the text: a link to its passage once that is known. */
function citeOf({ rag }) {
  const places = new Map([...(rag?.nearest ?? []), ...(rag?.citations ?? [])].map((one) => [one.number, one]));
  return (number) => {
    const place = places.get(number);
    if (!place) return h("span", { class: "cite", title: rag ? "There is no such passage" : null }, `[${number}]`);
    const link = passageLink(place, `[${number}]`);
    link.className = "cite";
    link.title = `${place.title}: ${place.quote.slice(0, 160)}`;
    link.setAttribute("aria-label", `Source ${number}: ${place.title}`);
    return link;
  };
}

function settled(answer, { asked, retry, onRated }) {
  const { rag, error, status } = answer;
  return [
    error && errorState(error, { retry }),
    status === "stopped" && h("div", { class: "row" }, h("span", { class: "hint" }, "You stopped this answer; its sources come at the end."), h("button", { class: "button", "data-size": "small", type: "button", onclick: retry }, icon("retry"), "Ask again")),
    rag && sources(rag),
    rag && h("details", { class: "why-holder" }, h("summary", {}, "Why this answer"), whyView(rag, answer.usage, asked)),
    status === "done" && footer(answer, { retry, onRated }),
  ].filter(Boolean);
}

/** What it rests on; where the documents do not say, what came nearest. */
function sources({ citations, nearest, verdict, hits }) {
  const near = nearest.length ? nearest : hits.slice(0, 3).map(({ passage, rank }) => ({ ...passage, number: rank }));
  const shown = verdict === "not_in_documents" && !citations.length ? near : citations;
  if (!shown.length) return null;
  const item = (one) => h("li", { value: one.number }, passageLink(one, one.title), " ", h("span", { class: "hint" }, pathWords(one)));
  return h("section", { class: "sources" }, h("h4", {}, shown === citations ? "Sources" : "Nearest passages"), h("ol", {}, shown.map(item)));
}

// ------------------------------------------------------------------------------------ thumbs
function footer(answer, { retry, onRated }) {
  const place = h("div", { class: "stack tight" });
  const rate = async (rating, comment = "") => {
    try {
      await request("/v1/feedback", { method: "POST", json: { answer_id: answer.id, rating, comment, collection: answer.rag?.collection ?? "", passages: (answer.rag?.citations ?? []).map((one) => one.passage_id) } });
      answer.rating = rating;
      onRated();
      draw(comment ? "Thank you; your words were kept." : "Thank you.", rating === "down" && !comment);
    } catch (error) {
      place.replaceChildren(tools(), errorState(error, { retry: () => rate(rating, comment) }));
    }
  };
  const thumb = (rating, words) => h("button", { class: "icon-button thumb", "data-way": rating, type: "button", "aria-label": words, title: words, "aria-pressed": String(answer.rating === rating), onclick: () => rate(rating) }, icon("thumb"));
  const tools = () => h("div", { class: "row answer-tools" },
    thumb("up", "This answer helps"), thumb("down", "This answer does not help"),
    copyButton(answer.text, { label: "Copy the answer" }),
    h("button", { class: "icon-button", type: "button", "aria-label": "Ask again", title: "Ask again", onclick: retry }, icon("retry")));
  const draw = (said = "", wantsWords = false) => {
    place.replaceChildren(...[tools(), said && h("p", { class: "hint", role: "status" }, said), wantsWords && commentForm((words) => rate("down", words))].filter(Boolean));
  };
  draw();
  return place;
}

function commentForm(send) {
  const input = h("input", { class: "input", "aria-label": "What is wrong with it?", placeholder: "What is wrong with it?", maxlength: 4000 });
  return h("form", { class: "key-form", onsubmit: (event) => { event.preventDefault(); if (input.value.trim()) send(input.value.trim()); } }, input, h("button", { class: "button", type: "submit" }, "Send"));
}
