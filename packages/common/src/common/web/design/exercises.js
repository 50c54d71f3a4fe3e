// A room: a phase's exercises by exit criterion, each with its task, its hints one by one, and the commands to begin
// and to check it. Answers are files of the reader's own; nothing is judged here.
//
//   import { exercisesRoom } from "/design/exercises.js";
//   main.append(exercisesRoom({ title: "Could you have said so?", lead: "Predictions, small functions, bugs. …" }));
//
// Knows common's exercise routes (/v1/exercises). The open exercise is in the address: ?exercise=…. Done and hints
// taken are those of `roadmap exercises`.

import { badge, codeBlock, emptyState, errorState, h, meter, setParam, getParam, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";

const ADDRESS = "/v1/exercises";

export function exercisesRoom({ title, lead }) {
  const list = h("nav", { class: "stack", "aria-label": "Exercises" }, skeleton(320));
  const task = h("article", { class: "stack exercise-task", tabindex: -1 });
  let items = [];
  let shown = null;

  const draw = () => list.replaceChildren(...(items.length ? listView(items, getParam("exercise")) : [emptyState({ title: "No exercises are installed", text: "They lie beside the package: install it anew." })]));

  async function load() {
    try {
      items = await request(ADDRESS);
      draw();
      await open();
    } catch (error) {
      list.replaceChildren(errorState(error, { retry: load }));
    }
  }

  async function open() {
    const name = getParam("exercise") || items.find((one) => !one.done_at)?.name || items[0]?.name;
    if (!name || shown === name) return;
    shown = name;
    task.replaceChildren(skeleton(320));
    await fill(name, () => request(`${ADDRESS}/${encodeURIComponent(name)}`), () => { shown = null; open(); });
  }

  async function fill(name, fetched, retry) {
    try {
      const text = await fetched();
      if (shown !== name) return;
      items = items.map((one) => (one.name === name ? { ...one, n_hints_taken: text.n_hints_taken, done_at: text.done_at } : one));
      draw();
      task.replaceChildren(...taskView(text, hint));
    } catch (error) {
      if (shown === name) task.replaceChildren(errorState(error, { retry }));
    }
  }

  const hint = async (name) => {
    const take = () => fill(name, () => request(`${ADDRESS}/${encodeURIComponent(name)}/hints`, { method: "POST" }), take);
    await take();
    task.querySelector(".hint-text:last-of-type")?.focus();
  };

  addEventListener("popstate", async () => {
    if (!items.length) return;
    const before = shown;
    draw();
    await open();
    if (shown !== before) task.focus(); // on a narrow screen it stands far below the list
  });
  addEventListener("focus", () => { if (shown) { const name = shown; fill(name, () => request(`${ADDRESS}/${encodeURIComponent(name)}`), load); } }); // back from the terminal
  load();
  return h("div", { class: "stack exercise-room" },
    h("div", { class: "stack" },
      h("h1", {}, title),
      h("p", { class: "lead" }, lead, " Your answer is a file of yours; a check in the terminal says what is wrong with it, and what it finds appears here.")),
    h("div", { class: "exercises" }, list, task));
}

function listView(items, open) {
  const n = items.filter((one) => one.done_at).length;
  const criteria = [...new Set(items.map((one) => one.criterion))];
  return [
    h("div", { class: "captioned" }, h("p", { class: "hint" }, `${n} of ${items.length} passed`), meter(n / items.length, "Exercises passed")),
    ...criteria.map((criterion) => h("section", {}, h("h2", { class: "criterion" }, criterion), h("ol", { class: "exercise-list" }, items.filter((one) => one.criterion === criterion).map((one) => entry(one, one.name === open))))),
  ];
}

function entry(one, isOpen) {
  const follow = (event) => { event.preventDefault(); setParam("exercise", one.name); };
  const url = new URL(location.href);
  url.searchParams.set("exercise", one.name);
  return h("li", {}, h("a", { href: url.pathname + url.search, onclick: follow, "aria-current": isOpen && "true" }, one.title), one.done_at && badge("Passed", "good"));
}

/** Text that the server rendered and sanitised; parsed apart, so that nothing in it could run. */
function prose(html) {
  return h("div", { class: "prose" }, [...new DOMParser().parseFromString(html, "text/html").body.childNodes]);
}

function taskView(text, takeHint) {
  const left = text.n_hints - text.n_hints_taken;
  const hints = text.hints_html.map((html, k) => h("section", { class: "hint-text", tabindex: -1, "aria-label": `Hint ${k + 1}` }, h("p", { class: "hint" }, `Hint ${k + 1} of ${text.n_hints}`), prose(html)));
  return [
    h("div", { class: "row between" }, h("h2", {}, text.title), text.done_at && badge(`Passed ${new Date(text.done_at).toLocaleDateString()}`, "good")),
    prose(text.task_html),
    h("div", { class: "exercise-commands" },
      h("div", { class: "captioned" }, h("p", { class: "hint" }, "Begin: copies the starter to a file of yours and prints its place"), codeBlock(text.start_command)),
      h("div", { class: "captioned" }, h("p", { class: "hint" }, "Check: passes, or says what is wrong"), codeBlock(text.check_command))),
    ...hints,
    left > 0 && h("div", {}, h("button", { class: "button", type: "button", onclick: (event) => { event.currentTarget.disabled = true; takeHint(text.name); } }, text.n_hints_taken ? "One more hint" : "A hint"), h("span", { class: "hint" }, ` ${left} left, each says more`)),
  ].filter(Boolean);
}
