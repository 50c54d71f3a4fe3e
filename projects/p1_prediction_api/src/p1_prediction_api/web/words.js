// How values, answers and how sure they are are written on this page; the rest is every page's. No DOM.

import { figure, spelled } from "/design/words.js";

export * from "/design/words.js";

export function valueWords(value, unit = "") {
  if (value === null || value === undefined) return "missing";
  return typeof value === "number" ? `${spelled(value, 5)}${unit ? ` ${unit}` : ""}` : String(value);
}

/** What the model said, for the result line. */
export function answerWords({ prediction }, unit = "") {
  return typeof prediction === "number" ? valueWords(prediction, unit) : prediction;
}

/** How sure the answer is, as conformal prediction lets one say it; empty where the model cannot. */
export function surenessWords(one, level, unit = "") {
  if (!level) return "";
  const often = `${Math.round(100 * level)} times in 100`;
  if (one.interval) return `The truth lies between ${figure(one.interval[0])} and ${figure(one.interval[1])}${unit ? ` ${unit}` : ""} ${often}.`;
  if (!one.prediction_set) return "";
  if (!one.prediction_set.length) return `Unlike the rows it learned from: no class is plausible at ${often}.`;
  const last = one.prediction_set.at(-1);
  const others = one.prediction_set.slice(0, -1);
  return `Sets made like this one hold the truth ${often}: ${others.length ? `${others.join(", ")} or ${last}` : last}.`;
}
