// Questions to the model, and an answer taken apart: result, how sure, what speaks for it and what against.
// `POST /v1/explain` answers without being counted as traffic; `POST /v1/predict` is logged and watched.

import { attributionBars, badge, copyButton, h } from "/design/elements.js";
import { request } from "/design/http.js";
import { bars } from "/design/sparks.js";
import { answerWords, capital, count, figure, percent, signed, surenessWords, valueWords } from "/words.js";

const N_REASONS = 8;

export async function explain(rows, { of = null, signal } = {}) {
  return request("/v1/explain", { method: "POST", json: of === null ? { rows } : { rows, of }, signal });
}

/** A refusal names fields as `rows.0.age`; the form knows them as `age`. */
export function namedAsInTheForm(error) {
  for (const one of error.problem?.errors || []) one.field = one.field.replace(/^rows\.0\./, "");
  return error;
}

/** The parts of an answer. `order` keeps the reasons where they were while a value is tried out. */
export function answerParts(explained, { level, signature, order = null }) {
  const one = explained.prediction;
  const shares = one.probabilities && Object.entries(one.probabilities).sort((a, b) => (order ? 0 : b[1] - a[1]));
  const sure = surenessWords(one, level, signature.unit);
  return [
    h("p", { class: "result", id: "result" }, answerWords(one, signature.unit)),
    shares && bars(shares.slice(0, N_REASONS).map(([name, value]) => ({ name, value })), { label: "Probability of each class", max: 1, format: percent }),
    sure && h("p", { class: "sureness", id: "sureness" }, sure),
    why(explained, signature, order),
    one.warnings.length > 0 && h("div", { class: "stack tight" }, h("div", {}, badge(count(one.warnings.length, "unusual value"), "warn")), h("ul", { class: "notes" }, one.warnings.map((text) => h("li", {}, text)))),
  ];
}

function why(explained, signature, order) {
  const units = Object.fromEntries(signature.features.map((feature) => [feature.name, feature.unit]));
  const parts = order ? order.map((name) => explained.attributions.find((part) => part.feature === name)) : explained.attributions.filter((part) => part.attribution !== 0).slice(0, N_REASONS);
  if (!parts.length) return null;
  const rest = explained.attributions.filter((part) => !parts.includes(part));
  const left = rest.reduce((sum, part) => sum + part.attribution, 0);
  const scale = explained.scale === "log-odds" ? `log-odds of ${explained.of}` : explained.of;
  const also = rest.length && left !== 0 ? ` and ${signed(left)} from ${rest.length} more` : "";
  return h("section", { class: "why", id: "why", "aria-label": "Why" },
    h("h3", {}, `What speaks for ${explained.of}, and what against`),
    attributionBars(parts.map((part) => ({ name: part.feature, note: valueWords(part.value, units[part.feature]), value: part.attribution })), { format: signed, isSorted: true, label: `What each value adds to the ${scale}` }),
    h("p", { class: "hint" }, `${capital(scale)} ${figure(explained.score)}: ${figure(explained.base)} for the average row, the values above${also}.`));
}

/** The names of the reasons shown, in their order. */
export const reasons = (explained) => explained.attributions.filter((part) => part.attribution !== 0).slice(0, N_REASONS).map((part) => part.feature);

/** Which version answered, and the id under which the truth can be told later. */
export function answeredBy(model, id) {
  return h("p", { class: "hint answered-by" }, `Answered by ${model.name}, version ${model.version}.`, id && h("span", { class: "logged" }, " Logged as ", h("code", {}, id), copyButton(id, { label: "Copy the id, to tell the truth later" })));
}
