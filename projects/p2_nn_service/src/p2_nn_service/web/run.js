// One training run: how far it is, how good it became, its numbers by step, what to do next. Followed over
// server-sent events until it is over; when the service goes, it is taken up again. Knows `RunRecord`, `RunEvent`.

import { badge, errorState, h, meter, skeleton } from "/design/elements.js";
import { events, request } from "/design/http.js";
import { ago, capital, count, dateWords, figure } from "/design/words.js";
import { command } from "/commands.js";
import { durationWords, shortened } from "/costs.js";
import { runChart } from "/run-chart.js";

const AGAIN_MS = 3000;
export const TONES = { running: "accent", finished: "good", interrupted: "warn", failed: "bad" };

export function runView(id, { onEnd, mayStop }) {
  const head = h("div", { class: "stack" }, skeleton(150));
  const stopping = stopControl(id, mayStop);
  const chartSpot = h("section", { class: "card" }, skeleton(560));
  const facts = h("div", {});
  const trouble = h("div", { class: "run-trouble" });
  const element = h("div", { class: "stack" }, trouble, h("section", { class: "card stack" }, head, stopping.element), chartSpot, facts);
  const stop = new AbortController();
  let record = null;
  let chart = null;
  let numbers = byStep();

  function show() {
    if (!record) return;
    head.replaceChildren(...headOf(record, numbers));
    stopping.show(record.status);
    if (!numbers.steps.length && !numbers.epochs.length) {
      if (record.status !== "running") chartSpot.replaceChildren(h("p", { class: "muted" }, "It wrote no numbers."));
      return;
    }
    if (chart) return chart.update(record, numbers);
    chart = runChart(record, numbers);
    chartSpot.replaceChildren(chart.element);
  }

  async function follow() {
    numbers = byStep();
    try {
      for await (const { name, data } of events(`/v1/runs/${encodeURIComponent(id)}/stream`, { signal: stop.signal })) {
        trouble.replaceChildren();
        if (name === "record") { record = data; facts.replaceChildren(factsOf(record)); }
        if (name === "events") numbers.add(data);
        if (name === "end") return onEnd();
        show();
      }
      if (!stop.signal.aborted) setTimeout(follow, AGAIN_MS); // the service was stopped in the middle
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!record || !error.isUnreachable) trouble.replaceChildren(errorState(error, { retry: follow }));
      if (error.isUnreachable) setTimeout(() => stop.signal.aborted || follow(), AGAIN_MS);
    }
  }

  follow();
  return { id, element, close: () => stop.abort() };
}

/** Numbers as they come: those of steps and those of epochs; of a step that was repeated after a resume, the later. */
function byStep() {
  const [steps, epochs] = [new Map(), new Map()];
  const kept = { steps: [], epochs: [] };
  kept.add = (found) => {
    for (const one of found) ("learning_rate" in one.values ? steps : epochs).set(one.step, one);
    kept.steps = [...steps.values()].sort((a, b) => a.step - b.step);
    kept.epochs = [...epochs.values()].sort((a, b) => a.step - b.step);
  };
  return kept;
}

function headOf(record, numbers) {
  const accuracy = record.metrics.held_out_accuracy;
  const step = Math.max(record.step, numbers.steps.at(-1)?.step ?? 0);
  const share = record.steps ? step / record.steps : 0;
  return [
    h("header", { class: "row between" }, h("h2", {}, `${record.model} on ${record.dataset}`), badge(record.status, TONES[record.status])),
    h("p", { class: "verdict", id: "run-verdict" }, verdictOf(record, accuracy)),
    record.status !== "finished" && h("div", { class: "stack tight" }, meter(Math.min(1, share), "Share of the steps that are done"), h("p", { class: "row between hint" }, h("span", {}, `step ${step.toLocaleString()} of ${record.steps.toLocaleString()}, epoch ${Math.min(record.epochs, record.epoch + (record.status === "running" ? 1 : 0))} of ${record.epochs}`), h("span", {}, leftWords(record, numbers, step)))),
    ...nextStep(record),
  ].filter(Boolean);
}

function verdictOf(record, accuracy) {
  const right = accuracy === undefined ? "" : `${(100 * accuracy).toFixed(2)} % of held-out examples right after ${count(record.epoch, "epoch")}`;
  if (record.status === "failed") return `Failed: ${record.reason}`;
  if (record.status === "interrupted") return `Interrupted${right ? `; ${right}` : ""}. ${capital(record.reason)}.`;
  if (record.status === "running") return right || "Its first epoch is under way.";
  return `${right || "Finished"}${record.reason ? `; it stopped early: ${record.reason}` : ""}.`;
}

/** From the pace of what was written, of which a pause between a stop and a resume is no part. */
function leftWords(record, { steps }, step) {
  if (record.status !== "running" || steps.length < 2) return "";
  const recent = steps.slice(-20);
  const pace = (recent.at(-1).at_s - recent[0].at_s) / (recent.at(-1).step - recent[0].step);
  return pace > 0 ? `about ${durationWords(pace * Math.max(0, record.steps - step))} left` : "";
}

function nextStep({ id, status, published }) {
  if (status === "running") return [];
  if (status === "interrupted") return [command("Go on from where it stopped", `p2-nn-service train --resume ${id}`)];
  if (status === "failed") return [command("Look for the reason", `p2-nn-service debug ${id}`)];
  if (published) return [h("p", { class: "hint" }, `Published as ${published}.`), command("Measure its variants, for the room Compare", "p2-nn-service compare --measure")];
  return [h("div", { class: "two" }, command("Serve it", `p2-nn-service publish ${id}`), command("Look inside it", `p2-nn-service debug ${id}`))];
}

/** The button that stops a training; it stands beside what is drawn anew, so that it keeps the focus. */
function stopControl(id, mayStop) {
  const words = h("p", { class: "hint", role: "status" });
  const trouble = h("div", {});
  const button = h("button", { class: "button", type: "button", onclick: stop }, "Stop training");
  const element = h("div", { class: "stack tight", hidden: true }, h("div", { class: "row" }, button, words), trouble);
  const say = (isAsked) => {
    button.disabled = isAsked || !mayStop;
    words.textContent = isAsked ? "Asked to stop: it ends after the step under way, with a checkpoint."
      : mayStop ? "Keeps what it has learned, as Ctrl-C in its terminal does; it can go on from there."
        : "This service stops no training: start it with P2_ALLOW_STOPPING=true. Ctrl-C in its terminal stops it and keeps what it has learned.";
  };

  async function stop() {
    trouble.replaceChildren();
    say(true);
    try {
      await request(`/v1/runs/${encodeURIComponent(id)}/stop`, { method: "POST" });
    } catch (error) {
      say(false);
      trouble.replaceChildren(errorState(error, { retry: stop }));
    }
  }

  say(false);
  return { element, show: (status) => { element.hidden = status !== "running"; if (element.hidden) say(false); } };
}

function factsOf(record) {
  const pairs = [
    ["Run", h("code", {}, record.id)],
    ["Started", h("time", { datetime: record.started_at, title: dateWords(record.started_at) }, ago(record.started_at))],
    ["Training so far", record.train_s ? durationWords(record.train_s) : "none"],
    ["Parameters", record.n_parameters ? shortened(record.n_parameters) : "unknown"],
    record.n_flops > 0 && ["Multiply-adds of an example", shortened(record.n_flops)],
    ["Device", `${record.device}, ${record.precision}`],
    ...Object.entries(record.metrics).map(([name, value]) => [capital(name.replaceAll("_", " ")), figure(value)]),
  ].filter(Boolean);
  const recipe = Object.entries(record.recipe).map(([name, value]) => [capital(name.replaceAll("_", " ")), value || "none"]);
  return h("div", { class: "two" }, listing("What it is", pairs), listing("Its recipe", recipe));
}

const listing = (title, pairs) => h("section", { class: "card stack" }, h("h2", {}, title), h("dl", { class: "pairs" }, pairs.map(([term, words]) => [h("dt", {}, term), h("dd", { class: "num" }, words)])));
