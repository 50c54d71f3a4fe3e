// Files and addresses on their way in: one request each, one after another; each tells how far it is, what became of
// its documents, and why one failed. Cancelling ends between two documents: what was indexed stays.

import { badge, h } from "/design/elements.js";
import { events } from "/design/http.js";
import { count } from "/design/words.js";

const WORDS = { waiting: "waits", working: "being read", done: "done", failed: "failed", cancelled: "cancelled" };
const TONES = { working: "accent", done: "good", failed: "bad", cancelled: "warn" };

export function uploadQueue({ collection, onDone }) {
  const list = h("ul", { class: "uploads", "aria-label": "Uploads" });
  const element = h("div", { class: "stack tight", hidden: true }, h("div", { class: "row between" }, h("h3", {}, "On their way in"), h("button", { class: "button", "data-kind": "quiet", "data-size": "small", type: "button", onclick: clear }, "Clear")), list);
  let jobs = [];
  let isRunning = false;

  function add(job) {
    const made = { ...job, collection: collection(), state: "waiting", told: [], error: null, report: null, stop: new AbortController() };
    made.element = h("li", { class: "upload" });
    jobs.push(made);
    list.append(made.element);
    element.hidden = false;
    draw(made);
    run();
  }

  const addFiles = (files) => files.forEach((file) => add({
    name: file.name, size: file.size,
    request: () => { const body = new FormData(); body.append("files", file, file.name); return ["documents", { body }]; },
  }));
  const addPages = (urls, onTaken) => add({ name: urls.length === 1 ? urls[0] : count(urls.length, "address", "addresses"), request: () => ["pages", { json: { urls } }], onTaken });

  async function run() {
    if (isRunning) return;
    isRunning = true;
    for (let job = next(); job; job = next()) await work(job);
    isRunning = false;
  }
  const next = () => jobs.find((one) => one.state === "waiting");

  async function work(job) {
    job.state = "working";
    draw(job);
    const [way, options] = job.request();
    try {
      for await (const { name, data } of events(`/v1/collections/${encodeURIComponent(job.collection)}/${way}`, { method: "POST", signal: job.stop.signal, ...options })) {
        if (name === "document") job.told.push(data);
        if (name === "report") job.report = data;
        draw(job);
      }
      job.state = job.report?.is_complete && !job.report.failures.length ? "done" : "failed";
      if (job.report?.is_complete) job.onTaken?.();
    } catch (error) {
      job.state = job.stop.signal.aborted ? "cancelled" : "failed";
      job.error = job.state === "failed" ? error : null;
    }
    draw(job);
    onDone();
  }

  function cancel(job) {
    job.stop.abort();
    if (job.state === "waiting") job.state = "cancelled";
    draw(job);
  }

  function retry(job) {
    Object.assign(job, { state: "waiting", told: [], error: null, report: null, stop: new AbortController() });
    draw(job);
    run();
  }

  function clear() {
    const over = jobs.filter((one) => one.state !== "waiting" && one.state !== "working");
    over.forEach((one) => one.element.remove());
    jobs = jobs.filter((one) => !over.includes(one));
    element.hidden = !jobs.length;
  }

  function draw(job) {
    const isOpen = job.state === "waiting" || job.state === "working";
    job.element.replaceChildren(
      h("div", { class: "row between" }, h("span", { class: "truncate upload-name", title: job.name }, job.name), h("span", { class: "row" }, job.state === "working" && h("span", { class: "spinner", "aria-hidden": "true" }), badge(WORDS[job.state], TONES[job.state]))),
      h("p", { class: "hint", role: "status" }, progressWords(job)),
      ...troubles(job).map((words) => h("p", { class: "upload-trouble" }, words)),
      ...(isOpen ? [button("Cancel", () => cancel(job))] : job.state === "done" ? [] : [button("Try again", () => retry(job))]));
  }

  return { element, addFiles, addPages };
}

const button = (label, act) => h("div", {}, h("button", { class: "button", "data-size": "small", type: "button", onclick: act }, label));

function progressWords({ told, report, state, size, collection }) {
  if (state === "waiting") return size === undefined ? `into ${collection}` : `${bytes(size)}, into ${collection}`;
  if (report) {
    const parts = [report.n_indexed && `${count(report.n_indexed, "document")} indexed, ${count(report.n_chunks, "passage")}`, report.n_unchanged && `${count(report.n_unchanged, "document")} unchanged`, report.failures.length && `${count(report.failures.length, "document")} not read`];
    return `${parts.filter(Boolean).join("; ") || "Nothing to index"} · ${report.seconds.toFixed(1)} s`;
  }
  const last = told.at(-1);
  return last ? `${count(told.length, "document")} so far; last ${last.source}` : size === undefined ? "Fetching…" : `${bytes(size)}: sending, reading, embedding…`;
}

const troubles = ({ report, error }) => [
  ...(error ? [error.message] : []),
  ...(report?.failures ?? []).map((one) => (one.reason.startsWith(one.source) ? one.reason : `${one.source}: ${one.reason}`)),
  ...(report?.notes ?? []).map((one) => `Not read of ${one.source}: ${one.reason}`),
];

const bytes = (n) => (n < 1e6 ? `${Math.max(1, Math.round(n / 1000)).toLocaleString()} kB` : `${(n / 1e6).toFixed(1)} MB`);
