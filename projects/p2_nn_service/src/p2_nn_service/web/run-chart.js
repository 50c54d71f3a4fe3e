// The numbers of a run by step: loss, held-out accuracy, learning rate, length of the gradients; one cursor through all.

import { plot } from "/design/plots.js";
import { count, figure, spelled } from "/design/words.js";

const MOST_POINTS = 800;

export function runChart(record, numbers) {
  const drawn = plot(spec(record, numbers));
  return { element: drawn.element, update: (...now) => drawn.update(spec(...now)) };
}

function spec(record, { steps, epochs }) {
  const shown = thinned(steps);
  const at = new Map([...shown, ...epochs].map((one) => [one.step, null]));
  const places = [...at.keys()].sort((a, b) => a - b);
  const of = (found, name) => { const by = new Map(found.map((one) => [one.step, one.values[name]])); return places.map((step) => by.get(step) ?? null); };
  const line = (name, y, more = {}) => ({ kind: "line", name, y, isSparse: true, ...more });
  const end = record.status === "running" || record.status === "interrupted" ? Math.max(record.steps, places.at(-1)) : places.at(-1);
  const hasHeldOutLoss = epochs.some((one) => "held_out_loss" in one.values);
  const panels = [
    { title: hasHeldOutLoss ? "Loss: line in training, dots held out" : "Loss", height: 210, y: { title: "Loss", zero: true }, marks: [line("training", bridged(of(shown, "loss")), { isSparse: false }), ...(hasHeldOutLoss ? [line("held out", of(epochs, "held_out_loss"), { token: "--series-2" })] : [])] },
    { title: "Held-out accuracy", height: 160, y: { title: "Accuracy", domain: aroundOne(epochs), format: (share) => `${spelled(100 * share)} %` }, marks: [line("", of(epochs, "held_out_accuracy"), { token: "--series-2" })] },
    { title: "Learning rate", height: 110, y: { title: "Learning rate", zero: true }, marks: [line("", bridged(of(shown, "learning_rate")), { isSparse: false, token: "--series-3" })] },
    { title: "Gradient norm", height: 110, y: { title: "Gradient norm", zero: true }, marks: [line("", bridged(of(shown, "gradient_norm")), { isSparse: false, token: "--series-3" })] },
  ];
  return {
    title: findingOf(record, shown, epochs), note: noteOf(steps, shown), file: `run-${record.id}`,
    x: { title: "Step", values: places, domain: [0, end], format: (step) => step.toLocaleString() },
    panels: panels.filter((panel) => panel.marks.some((mark) => mark.y.some((value) => value !== null))),
  };
}

/** One measurement has no range of its own: five points to either side; more find theirs. */
function aroundOne(epochs) {
  const seen = new Set(epochs.map((one) => one.values.held_out_accuracy).filter((value) => value !== undefined));
  if (seen.size !== 1) return undefined;
  const [only] = seen;
  return [Math.max(0, only - 0.05), Math.min(1, only + 0.05)];
}

/** Places of the other series hold the value before, so that a line is whole. */
function bridged(y) {
  let last = null;
  return y.map((value) => { last = value ?? last; return last; });
}

/** Few enough points to draw: means of equal stretches. */
function thinned(steps) {
  const every = Math.ceil(steps.length / MOST_POINTS);
  if (every <= 1) return steps;
  return Array.from({ length: Math.ceil(steps.length / every) }, (_, k) => {
    const part = steps.slice(k * every, (k + 1) * every);
    const names = Object.keys(part[0].values);
    return { ...part.at(-1), values: Object.fromEntries(names.map((name) => [name, part.reduce((sum, one) => sum + one.values[name], 0) / part.length])) };
  });
}

function findingOf(record, steps, epochs) {
  const judged = epochs.filter((one) => one.values.held_out_accuracy !== undefined);
  const best = judged.reduce((a, b) => (b.values.held_out_accuracy > a.values.held_out_accuracy ? b : a), judged[0]);
  const fell = steps.length > 1 ? `the loss went from ${figure(steps[0].values.loss)} to ${figure(steps.at(-1).values.loss)}` : "the first steps are taken";
  if (!best) return `In ${count(steps.at(-1)?.step ?? 0, "step")} ${fell}`;
  return `Best held-out accuracy ${(100 * best.values.held_out_accuracy).toFixed(2)} %, after epoch ${Math.round(best.epoch)}; ${fell}`;
}

function noteOf(steps, shown) {
  const mean = shown.length < steps.length ? ` Means of ${Math.ceil(steps.length / shown.length)} points each.` : "";
  return `Training numbers at the steps that were written; held-out ones after each epoch.${mean}`;
}
