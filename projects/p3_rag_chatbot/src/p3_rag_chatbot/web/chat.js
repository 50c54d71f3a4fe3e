// Chat: a conversation with a collection. How it is answered (?depth=), from what (?collection=) and the last question
// (?q=) are in the address; opened with a question, it asks it. Read next: composer.js, asking.js, answer.js.

import { choices, emptyState, errorState, getParam, h, icon, setParam, skeleton } from "/design/elements.js";
import { saveText } from "/design/figure.js";
import { count } from "/design/words.js";
import { answerView } from "/answer.js";
import { DEPTHS, ask, newAnswer } from "/asking.js";
import { BUILT_IN, collectionChoice } from "/collections.js";
import { composerForm } from "/composer.js";
import { asJson, asMarkdown, keepTurns, loadTurns, messagesOf } from "/conversation.js";
import { EXAMPLES } from "/examples.js";

const SIDE_BY_SIDE = { value: "all", label: "Side by side", about: "The three answers to one question" };
const WAYS = [...DEPTHS, SIDE_BY_SIDE];

export function chatRoom({ shelf }) {
  let turns = loadTurns();
  let working = []; // the AbortControllers of answers under way
  const log = h("div", { class: "stack turns" });
  const told = h("p", { class: "visually-hidden", role: "status" });
  const about = h("span", { class: "hint" });
  const composer = composerForm({ onAsk: begin, onStop: stopAll });
  const tools = h("div", { class: "row chat-tools", role: "group", "aria-label": "Conversation" });
  const ways = h("div", {});
  const element = h("section", { class: "chat", "aria-label": "Chat" },
    h("div", { class: "chat-bar" }, h("div", { class: "chat-collection" }, collectionChoice(shelf)), h("div", { class: "row" }, ways, about), tools),
    log, told, composer.element);

  const wayNow = () => WAYS.find((one) => one.value === getParam("depth")) ?? DEPTHS[0];
  const keep = () => keepTurns(turns);

  function drawWays() {
    const way = wayNow();
    if (ways.dataset.value === way.value) return;
    ways.dataset.value = way.value;
    ways.replaceChildren(choices(WAYS, { label: "How to answer", value: way.value, onChoose: (value) => setParam("depth", value, { replace: true }) }));
    about.textContent = way.about;
  }

  function drawTools() {
    const button = (label, name, act) => h("button", { class: "button", "data-kind": "quiet", "data-size": "small", type: "button", onclick: act }, icon(name), label);
    tools.replaceChildren(...(turns.length ? [
      button("Markdown", "download", () => saveText(asMarkdown(turns), "conversation.md", "text/markdown")),
      button("JSON", "download", () => saveText(asJson(turns), "conversation.json", "application/json")),
      button("New chat", "close", forget),
    ] : []));
  }

  // ------------------------------------------------------------------------------- questions
  async function begin(question) {
    await shelf.asked;
    const { name } = shelf.state();
    const depths = wayNow() === SIDE_BY_SIDE ? DEPTHS.map((one) => one.value) : [wayNow().value];
    const turn = { question, answers: depths.map((depth) => newAnswer(depth, name)) };
    const history = [...turns];
    turns.push(turn);
    setParam("q", question, { replace: true });
    draw();
    log.lastElementChild.scrollIntoView({ block: "start" });
    turn.answers.forEach((answer) => answerOne(answer, history, turn));
  }

  async function answerOne(answer, history, turn) {
    const stop = new AbortController();
    working.push(stop);
    composer.setBusy(true);
    stops.set(answer, stop);
    await ask(answer, messagesOf(history, turn.question), { signal: stop.signal, onChange: () => views.get(answer)?.update() });
    working = working.filter((one) => one !== stop);
    composer.setBusy(working.length > 0);
    told.textContent = { done: "The answer is complete.", stopped: "The answer was stopped.", failed: "The answer failed." }[answer.status];
    keep();
    if (!working.length) shelf.refresh();
  }

  function stopAll() { working.forEach((one) => one.abort()); }

  function forget() {
    stopAll();
    turns = [];
    keep();
    setParam("q", null, { replace: true });
    draw();
    composer.focus();
  }

  // ----------------------------------------------------------------------------------- drawing
  const views = new WeakMap();
  const stops = new WeakMap();

  function turnView(turn, k) {
    const again = (answer) => { if (answer.status !== "asking") answerOne(answer, turns.slice(0, k), turn); };
    const view = (answer) => {
      const made = answerView(answer, { asked: turn.question, retry: () => again(answer), stop: () => stops.get(answer)?.abort(), onRated: keep });
      views.set(answer, made);
      return made.element;
    };
    return h("section", { class: "turn stack", "aria-label": `Question ${k + 1}` }, h("h2", { class: "question" }, turn.question), h("div", { class: "turn-answers", "data-n": turn.answers.length }, turn.answers.map(view)));
  }

  let drawn = [];
  function draw() {
    drawTools();
    if (!turns.length) {
      drawn = [];
      return log.replaceChildren(emptyView(shelf.state(), { onAsk: begin, retry: shelf.refresh }));
    }
    if (!drawn.length) log.replaceChildren();
    turns.slice(drawn.length).forEach((turn, k) => log.append(turnView(turn, drawn.length + k)));
    drawn = [...turns];
  }

  addEventListener("popstate", drawWays);
  shelf.onChange(() => { if (!turns.length) draw(); });
  drawWays();
  draw();
  const shared = getParam("q");
  if (shared && turns.at(-1)?.question !== shared) {
    turns = [];
    drawn = [];
    log.replaceChildren();
    begin(shared);
  }
  return { element, open: () => composer.focus() };
}

/** Nothing asked yet: what can be asked, or what is missing for it. */
function emptyView({ collections, error, name, chosen }, { onAsk, retry }) {
  if (!collections && error) return errorState(error, { retry });
  if (!collections) return skeleton(280);
  const toDocuments = { label: "Add documents", run: () => setParam("tab", "documents") };
  if (!chosen) return emptyState({ title: `There is no collection ${name}`, text: "It was removed, or it is another key's. Choose one above, or make a new one.", action: toDocuments });
  if (!chosen.n_chunks && name === BUILT_IN) return h("div", { class: "state", "data-kind": "empty" }, h("h3", {}, "The guides are being indexed"), h("p", { class: "row muted" }, h("span", { class: "spinner" }), `${count(chosen.n_documents, "document")} so far. It takes less than a minute, once.`));
  if (!chosen.n_chunks) return emptyState({ title: `${name} has no documents yet`, text: "Drop files, or name web pages; each is searched as soon as it is indexed.", action: toDocuments });
  const examples = name === BUILT_IN ? EXAMPLES : [];
  return h("div", { class: "state welcome", "data-kind": "empty" },
    h("h3", {}, `Ask ${name}: ${count(chosen.n_documents, "document")}, ${count(chosen.n_chunks, "passage")}`),
    h("p", { class: "muted" }, "An answer cites the passage it rests on; a number opens it. Where the documents do not say, it says so."),
    examples.length > 0 && h("ul", { class: "examples" }, examples.map((one) => h("li", {}, h("button", { class: "button", type: "button", onclick: () => onAsk(one.question) }, one.question), h("span", { class: "hint" }, one.about)))));
}
