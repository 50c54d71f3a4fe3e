// Two rooms of the lab: drop a table and read its profile, or drop two and read their drift.
// Keeps the chosen files, so that a target can be picked and a failed request tried again; the open
// column is in the address. Draws with profile.js and drift.js.

import { dropzone, emptyState, errorState, h, icon, sidePanel, skeleton } from "/design/elements.js";
import { request } from "/design/http.js";
import { driftView } from "/drift.js";
import { columnPanel, profileView } from "/profile.js";

const ACCEPT = ".csv,.tsv,.txt,.data,.parquet,.jsonl,.xlsx,.xls,.ods";
const EXAMPLES = ["/example-march.csv", "/example-june.csv"];
let shown = null; // the profile on the screen, for the side panel

const panel = sidePanel({
  param: "column",
  render: (name) => (shown ? columnPanel(shown, name) : { title: name, body: h("p", { class: "muted" }, "Drop the table again to see this column; tables are not kept.") }),
});

/** Send a form and draw what comes back; a second call stops the first. */
function sender(output, draw) {
  let running = null;
  const send = async (path, form, what) => {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    output.replaceChildren(busy(what, () => mine.abort()));
    try {
      const answer = await request(path, { method: "POST", body: form(), signal: mine.signal });
      output.replaceChildren(...draw(answer).filter(Boolean));
    } catch (error) {
      if (running !== mine) return;
      if (error.name === "AbortError") return output.replaceChildren(emptyState({ title: "Stopped", text: "Nothing was kept.", action: { label: "Start again", run: () => send(path, form, what) } }));
      output.replaceChildren(errorState(error, { retry: () => send(path, form, what) }));
    }
  };
  return send;
}

function busy(what, stop) {
  return h("div", { class: "stack", "aria-busy": "true" }, h("div", { class: "busy", role: "status" }, h("span", { class: "muted" }, `${what}…`), h("button", { class: "button", "data-size": "small", type: "button", onclick: stop }, "Stop")), skeleton(112), skeleton(180), skeleton(220));
}

async function example(address) {
  const text = await request(address);
  return new File([text], address.slice(1), { type: "text/csv" });
}

async function save(path, form, { accept, name }) {
  const answer = await request(path, { method: "POST", body: form(), headers: { accept } });
  const text = typeof answer === "string" ? answer : JSON.stringify(answer);
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: accept })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function downloads(path, form, name) {
  const button = (label, accept, ending) =>
    h("button", { class: "button", "data-size": "small", type: "button", onclick: (event) => {
      const { currentTarget } = event;
      currentTarget.setAttribute("aria-busy", "true");
      save(path, form, { accept, name: `${name}.${ending}` }).finally(() => currentTarget.removeAttribute("aria-busy"));
    } }, icon("download"), label);
  return h("div", { class: "row" }, button("Report", "text/html", "html"), button("JSON", "application/json", "json"));
}

export function profileRoom() {
  const output = h("div", { class: "stack lab goes-stale" });
  const bar = h("div", {});
  let file = null;
  let target = "";
  const form = () => { const data = new FormData(); data.append("file", file); return data; };
  const path = () => `/v1/profile${target ? `?target=${encodeURIComponent(target)}` : ""}`;
  const send = sender(output, (profile) => {
    shown = profile;
    bar.replaceChildren(again(profile));
    panel.refresh();
    return profileView(profile);
  });
  const run = () => send(path(), form, `Reading ${file.name}`);
  const take = ([chosen]) => { file = chosen; target = ""; shown = null; run(); };
  const again = (profile) => {
    const select = h("select", { class: "input", onchange: (event) => { target = event.target.value; run(); } }, h("option", { value: "" }, "None"), profile.columns.map((one) => h("option", { value: one.name, selected: one.name === profile.target }, one.name)));
    return h("div", { class: "card again row between" }, h("div", { class: "row" }, dropzone({ accept: ACCEPT, label: file.name, onFiles: take })), h("label", { class: "field" }, h("span", { class: "label" }, "Column to predict ", h("em", {}, "finds what leaks it")), select), downloads(path(), form, `${file.name}-profile`));
  };
  bar.append(h("div", { class: "stack" },
    h("h1", {}, "What is in this table, and what is wrong with it?"),
    h("p", { class: "lead" }, "Types, missing values however they are spelled, distributions, relations, and columns that give your target away. The table is read, answered and forgotten."),
    dropzone({ accept: ACCEPT, label: "Drop a CSV, TSV, Parquet, JSON lines or Excel file", hint: "or press to choose one", onFiles: take }),
    h("div", { class: "row" }, h("button", { class: "button", type: "button", onclick: async () => { try { take([await example(EXAMPLES[0])]); } catch (error) { output.replaceChildren(errorState(error)); } } }, icon("table"), "Try it with an example"), h("span", { class: "hint" }, "600 members of a gym, March")),
  ));
  return h("div", { class: "stack lab" }, bar, output);
}

export function compareRoom() {
  const output = h("div", { class: "stack lab goes-stale" });
  const files = [null, null];
  const holders = [h("div", {}), h("div", {})];
  const words = ["The reference: what you trained on", "The later table: what comes in now"];
  const bar = h("div", {});
  const form = () => { const data = new FormData(); data.append("before", files[0]); data.append("after", files[1]); return data; };
  const send = sender(output, (report) => {
    bar.replaceChildren(downloads("/v1/compare", form, "drift"));
    return driftView(report);
  });
  const run = () => files.every(Boolean) && send("/v1/compare", form, `Comparing ${files[0].name} with ${files[1].name}`);
  const draw = (k) => {
    const zone = dropzone({ accept: ACCEPT, multiple: true, label: files[k] ? files[k].name : words[k], hint: files[k] ? words[k].split(":")[0] : "CSV, TSV, Parquet, JSON lines or Excel", onFiles: (chosen) => take(k, chosen) });
    if (files[k]) zone.classList.add("taken");
    holders[k].replaceChildren(zone);
  };
  const take = (k, chosen) => {
    files[k] = chosen[0];
    if (chosen.length > 1) files[1 - k] = chosen[1];
    holders.forEach((_, n) => draw(n));
    run();
  };
  holders.forEach((_, k) => draw(k));
  const examples = async () => { try { take(0, await Promise.all(EXAMPLES.map(example))); } catch (error) { output.replaceChildren(errorState(error)); } };
  return h("div", { class: "stack lab" },
    h("div", { class: "stack" },
      h("h1", {}, "Has the data moved since?"),
      h("p", { class: "lead" }, "Kolmogorov–Smirnov for numbers, chi-squared for categories, PSI for the size of it, and one correction over all tests, so that a hundred columns raise no more false alarms than one."),
      h("div", { class: "two" }, holders),
      h("div", { class: "row between" }, h("button", { class: "button", type: "button", onclick: examples }, icon("table"), "Compare the two examples"), bar)),
    output);
}
