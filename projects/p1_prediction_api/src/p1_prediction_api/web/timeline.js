// The watched hours as panels one above the other, all on one clock: what came, how strange it was, what was said.

import { plot } from "/design/plots.js";
import { count, percent } from "/words.js";

const LEVELS = { moderate: 0.1, strong: 0.25 };

export function timeline() {
  const made = plot(spec(null));
  return { element: made.element, update: (seen) => made.update(spec(seen)) };
}

function spec(seen) {
  if (!seen) return { title: "", file: "timeline", x: { kind: "time", values: [] }, panels: [] };
  const { timeline: moments } = seen;
  const step = (new Date(seen.until) - new Date(seen.since)) / Math.max(1, moments.length);
  const starts = moments.map((one) => new Date(one.started_at));
  const quiet = [];
  const panels = [rows(moments), strange(seen), said(seen), largest(moments)];
  if (moments.some((one) => one.missing)) panels.push({ title: "Cells missing", height: 76, y: { title: "Cells missing", zero: true, format: percent }, marks: [{ kind: "line", y: moments.map((one) => one.missing), token: "--series-3" }] });
  else if (isKnown(moments.map((one) => one.missing))) quiet.push("no cell was missing");
  if (seen.refused) panels.push({ title: "Requests refused", height: 76, y: { title: "Requests refused", zero: true }, marks: [{ kind: "bars", y: moments.map((one) => one.n_refused), token: "--bad" }] });
  else quiet.push("no request was refused");
  return {
    title: finding(seen), file: "timeline", note: `One stretch is ${span(step)}${quiet.length ? `; ${quiet.join(", ")}` : ""}.`,
    x: { title: "", kind: "time", values: starts.map((start) => new Date(start.getTime() + step / 2)), domain: [new Date(seen.since), new Date(seen.until)] },
    panels: panels.filter((one) => one && one.marks.some((mark) => isKnown(mark.y || []))), // what nobody can tell has no panel
  };
}

const isKnown = (values) => values.some((value) => value !== null);

function finding(seen) {
  const share = seen.out_of_distribution;
  const came = `${count(seen.n_rows, "row")} came`;
  if (!share) return came;
  const isMore = share.seen.low > share.expected;
  return `${came}; ${percent(share.seen.value)} (${percent(share.seen.low)} to ${percent(share.seen.high)}) out of distribution, ${isMore ? "more than" : "where"} ${isMore ? "the " : ""}${percent(share.expected)} ${isMore ? "that is expected" : "is expected"}`;
}

function span(ms) {
  const minutes = ms / 60000;
  if (minutes < 1) return `${Math.round(ms / 1000)} seconds`;
  if (minutes === 1) return "1 minute";
  return minutes < 60 ? `${Number(minutes.toPrecision(3))} minutes` : `${Number((minutes / 60).toPrecision(3))} hours`;
}

const rows = (moments) => ({ title: "Rows", height: 96, y: { title: "Rows", zero: true }, marks: [{ kind: "bars", y: moments.map((one) => one.n_rows), token: "--series-1" }] });

function strange({ timeline: moments, out_of_distribution: share }) {
  const marks = [{ kind: "line", y: moments.map((one) => one.strange), token: "--series-2" }];
  if (share) marks.push({ kind: "level", at: share.expected, name: "expected" });
  return { title: "Out of distribution", height: 92, y: { title: "Out of distribution", zero: true, format: percent }, marks };
}

function said({ timeline: moments, prediction }) {
  const isShare = Boolean(prediction?.classes.length);
  const title = prediction ? (isShare ? `Mean probability of ${prediction.of}` : `Mean prediction of ${prediction.of}`) : "Mean prediction";
  return { title, height: 92, y: isShare ? { title, domain: [0, 1], format: percent } : { title }, marks: [{ kind: "line", y: moments.map((one) => one.prediction), token: "--series-1" }] };
}

/** Fewer rows in a stretch move more by chance, so that single peaks are no alarm; the levels say what is far. */
function largest(moments) {
  const y = moments.map((one) => one.largest_psi);
  if (!isKnown(y)) return null;
  const top = Math.max(...y.filter((value) => value !== null));
  const marks = [{ kind: "line", y, token: "--series-4" }, ...Object.entries(LEVELS).filter(([, at]) => at <= top * 1.5).map(([name, at]) => ({ kind: "level", at, name }))];
  return { title: "Feature moved most (PSI)", height: 92, y: { title: "Largest PSI", zero: true }, marks };
}
