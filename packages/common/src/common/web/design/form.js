// A form made from a JSON schema. What the schema says is what the person sees.
//
//   import { schemaForm } from "/design/form.js";
//   const form = schemaForm({
//     schema,                       // {type: "object", properties, required, $defs}: as OpenAPI or a signature gives it
//     submit: "Predict",            // the button's words
//     onSubmit: async (values, { signal }) => {…},   // throw http.js's ProblemError: its errors land at the fields
//     values: {},                   // to start from
//     keep: "predict",              // survives a reload of this tab (sessionStorage); null = not kept
//     onChange: (values) => {…},    // optional; called with what is valid so far
//   });
//   main.append(form.element);      form.fill({ age: 61 });  form.fillExamples();  form.values();  form.showProblem(error)
//
// From a property: title → label, description → hint, type/format → input, enum → select, minimum/maximum →
// range shown and checked, unit or x-unit → at the field's end, examples[0] or example → placeholder,
// default → start value, x-known → a choice with room for another value. Nullable ones may stay empty. What no input fits becomes a JSON field.
// Errors stand at the field in words; what was typed stays. Knows no route. Next: http.js.

import { errorState, h } from "/design/elements.js";

export function schemaForm({ schema, submit = "Send", onSubmit, values = {}, keep = null, onChange = null }) {
  const required = new Set(schema.required || []);
  const fields = Object.entries(schema.properties || {}).map(([name, raw]) =>
    makeField(name, resolve(raw, schema), required.has(name)),
  );
  const trouble = h("div", { "aria-live": "polite" });
  const button = h("button", { class: "button", "data-kind": "primary", type: "submit" }, submit);
  const buttons = h("div", { class: "row" }, button);
  const element = h("form", { class: "stack", novalidate: true }, h("div", { class: "fields" }, fields.map((f) => f.element)), trouble, buttons);
  const storageKey = keep && `form:${location.pathname}:${keep}`;

  const read = () => Object.fromEntries(fields.map((f) => [f.name, f.read()]).filter(([, v]) => v !== undefined));
  const fill = (given) => fields.forEach((f) => f.name in given && f.write(given[f.name]));
  const showProblem = (error) => place(error, fields, trouble);

  if (fields.some((f) => f.example !== undefined)) {
    const fillExamples = () => { fields.forEach((f) => f.example !== undefined && f.write(f.example)); changed(); };
    buttons.append(h("button", { class: "button", "data-kind": "quiet", type: "button", onclick: fillExamples }, "Fill with the example"));
  }
  const changed = () => {
    remember(storageKey, Object.fromEntries(fields.map((f) => [f.name, f.text()])));
    if (onChange) onChange(read());
  };
  element.addEventListener("input", (event) => {
    fields.find((f) => f.element.contains(event.target))?.say("");
    changed();
  });
  element.addEventListener("change", (event) => fields.find((f) => f.element.contains(event.target))?.check({ isFinal: false }));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    const wrong = fields.filter((f) => !f.check({ isFinal: true }));
    if (wrong.length) return wrong[0].focus();
    await send(button, () => onSubmit(read(), { signal: AbortSignal.timeout(120000) }), showProblem);
  });

  fill(values);
  restore(storageKey, fields);
  return {
    element, fill, showProblem,
    values: read,
    fillExamples: () => fields.forEach((f) => f.example !== undefined && f.write(f.example)),
  };
}

async function send(button, call, showProblem) {
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    await call();
  } catch (error) {
    showProblem(error);
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

/** Put each error at its field; what belongs to none stands above the button. */
function place(error, fields, trouble) {
  const loose = [];
  for (const { field = "", message, accepted } of error.problem?.errors || []) {
    const last = String(field).split(/[./[\]]+/).filter(Boolean).pop();
    const target = fields.find((f) => f.name === last) || fields.find((f) => f.name === field);
    const words = accepted ? `${message}${/[.?!]$/.test(message) ? "" : "."} Accepted: ${accepted}.` : message;
    if (target) target.say(words);
    else loose.push(`${field}: ${words}`);
  }
  const placed = (error.problem?.errors || []).length - loose.length;
  if (placed && !loose.length) trouble.replaceChildren();
  else trouble.replaceChildren(errorState(error), ...loose.map((text) => h("p", { class: "field-error" }, text)));
  fields.find((f) => f.isWrong())?.focus();
}

/** Follow $ref, and take the one real option out of "anyOf [x, null]". */
function resolve(raw, root) {
  let node = raw;
  for (let depth = 0; node.$ref && depth < 8; depth += 1) {
    const target = node.$ref.replace(/^#\//, "").split("/").reduce((at, key) => at?.[key], root);
    node = { ...target, ...Object.fromEntries(Object.entries(node).filter(([key]) => key !== "$ref")) };
  }
  const options = node.anyOf || node.oneOf;
  if (!options) return Array.isArray(node.type) ? { ...node, type: node.type.find((t) => t !== "null"), nullable: node.type.includes("null") } : node;
  const real = options.filter((option) => option.type !== "null");
  const { anyOf, oneOf, ...rest } = node;
  if (real.length !== 1) return { ...rest, type: "json", nullable: real.length < options.length };
  return { ...resolve(real[0], root), ...rest, nullable: real.length < options.length };
}

function makeField(name, schema, isRequired) {
  const input = makeInput(schema, isRequired);
  const id = `f-${name.replace(/\W+/g, "-")}`;
  const error = h("span", { class: "field-error", id: `${id}-error`, role: "alert" });
  input.control.id = id;
  input.control.setAttribute("name", name);
  input.control.setAttribute("aria-describedby", `${id}-error`);
  const say = (words) => {
    error.textContent = words;
    input.control.setAttribute("aria-invalid", String(Boolean(words)));
  };
  const optional = isRequired || schema.type === "boolean" ? "" : "optional";
  const unit = schema.unit || schema["x-unit"];
  const box = unit && schema.type !== "boolean" ? h("span", { class: "with-unit" }, input.control, h("span", { class: "unit" }, unit)) : input.control;
  const label = h("label", { class: "label", for: id }, h("span", {}, schema.title || name), h("em", {}, [hasAHumanRange(schema) && rangeWords(schema), optional].filter(Boolean).join(" · ")));
  const description = schema.description && !schema["x-known"] && h("small", { class: "hint" }, schema.description);
  const check = ({ isFinal }) => {
    const words = input.wrong(isFinal);
    say(words);
    return !words;
  };
  return {
    name, say, check,
    element: h("div", { class: "field" }, label, box, input.beside, description, error),
    example: schema.examples?.[0] ?? schema.example,
    read: input.read, write: (value) => { input.write(value); say(""); }, text: input.text, restore: input.restore,
    focus: () => input.control.focus(),
    isWrong: () => input.control.getAttribute("aria-invalid") === "true",
  };
}

// A bound no person comes near (the end of a number's format) is worth a word only to who passes it.
const FAR = 1e15;

function hasAHumanRange({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  return [minimum, maximum, exclusiveMinimum, exclusiveMaximum].every((bound) => bound === undefined || Math.abs(bound) < FAR);
}

function rangeWords({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  const low = minimum ?? exclusiveMinimum;
  const high = maximum ?? exclusiveMaximum;
  if (low !== undefined && high !== undefined) return `${low} – ${high}`;
  if (low !== undefined) return exclusiveMinimum !== undefined ? `above ${low}` : `from ${low}`;
  if (high !== undefined) return exclusiveMaximum !== undefined ? `below ${high}` : `to ${high}`;
  return "";
}

function makeInput(schema, isRequired) {
  if (schema.enum || schema.type === "boolean") return choiceInput(schema, isRequired);
  if (schema["x-known"]) return knownInput(schema, isRequired);
  if (schema.type === "number" || schema.type === "integer") return numberInput(schema, isRequired);
  if (schema.type === "string") return textInput(schema, isRequired);
  return jsonInput(schema, isRequired);
}

const OTHER = "other";
const MISSING = "Needed: please fill this in.";

function common(control, schema) {
  const example = schema.examples?.[0] ?? schema.example;
  if (example !== undefined) control.placeholder = typeof example === "object" ? JSON.stringify(example) : `e.g. ${example}`;
  if (schema.default !== undefined && schema.default !== null) control.value = typeof schema.default === "object" ? JSON.stringify(schema.default) : schema.default;
  const set = (value) => { control.value = value === null || value === undefined ? "" : value; };
  return { control, text: () => control.value, restore: set, write: set };
}

function numberInput(schema, isRequired) {
  const isWhole = schema.type === "integer";
  const control = h("input", { class: "input", type: "number", step: isWhole ? 1 : "any", inputmode: isWhole ? "numeric" : "decimal", min: schema.minimum, max: schema.maximum });
  const wrong = (isFinal) => {
    if (control.validity.badInput) return "This is not a number.";
    if (control.value === "") return isRequired && isFinal ? MISSING : "";
    const value = Number(control.value);
    if (isWhole && !Number.isInteger(value)) return "A whole number is needed.";
    if (value < schema.minimum || value <= schema.exclusiveMinimum) return `${control.value} is too small; accepted: ${rangeWords(schema)}.`;
    if (value > schema.maximum || value >= schema.exclusiveMaximum) return `${control.value} is too large; accepted: ${rangeWords(schema)}.`;
    return "";
  };
  return { ...common(control, schema), wrong, read: () => (control.value === "" ? undefined : Number(control.value)) };
}

function textInput(schema, isRequired) {
  const isLong = schema.maxLength > 200 || schema.format === "textarea";
  const isDay = schema.format === "date-time" && /^\d{4}-\d\d-\d\d$/.test(schema.examples?.[0] ?? ""); // moments that are told by the day
  const type = isDay ? "date" : { date: "date", "date-time": "datetime-local", email: "email", uri: "url", password: "password" }[schema.format] || "text";
  const control = isLong ? h("textarea", { class: "input", rows: 3 }) : h("input", { class: "input", type, maxlength: schema.maxLength });
  const wrong = (isFinal) => {
    if (control.value === "") return isRequired && isFinal && schema.minLength !== 0 ? MISSING : "";
    if (control.value.length < schema.minLength) return `At least ${schema.minLength} characters are needed.`;
    if (schema.pattern && !new RegExp(schema.pattern, "u").test(control.value)) return `This does not match ${schema.pattern}.`;
    return "";
  };
  return { ...common(control, schema), wrong, read: () => (control.value === "" && !isRequired ? undefined : control.value) };
}

function choiceInput(schema, isRequired) {
  const options = schema.enum || [true, false];
  const words = (value) => ({ true: "Yes", false: "No" })[String(value)] || String(value);
  const control = h("select", { class: "input" }, h("option", { value: "" }, isRequired ? "Choose…" : "Not given"), options.map((value, k) => h("option", { value: String(k) }, words(value))));
  const set = (value) => { control.value = String(options.indexOf(value)); if (control.selectedIndex < 0) control.value = ""; };
  if (schema.default !== undefined) set(schema.default);
  return {
    control, write: set,
    text: () => control.value, restore: (text) => { control.value = text; },
    read: () => (control.value === "" ? undefined : options[Number(control.value)]),
    wrong: (isFinal) => (control.value === "" && isRequired && isFinal ? "Please choose one." : ""),
  };
}

/** The values known so far, and a field for another: for texts that are labels without being an enum. */
function knownInput(schema, isRequired) {
  const known = schema["x-known"];
  const other = h("input", { class: "input", hidden: true, maxlength: schema.maxLength, "aria-label": `${schema.title || "The field"}: another value` });
  const control = h("select", { class: "input" }, h("option", { value: "" }, isRequired ? "Choose…" : "Not given"), known.map((value, k) => h("option", { value: String(k) }, String(value))), h("option", { value: OTHER }, "Another value…"));
  const read = () => (control.value === OTHER ? other.value || undefined : control.value === "" ? undefined : known[Number(control.value)]);
  const write = (value) => {
    const isGiven = value !== null && value !== undefined && value !== "";
    const k = known.indexOf(value);
    control.value = k >= 0 ? String(k) : isGiven ? OTHER : "";
    other.hidden = control.value !== OTHER;
    other.value = other.hidden ? "" : value;
  };
  control.addEventListener("change", () => { other.hidden = control.value !== OTHER; if (!other.hidden) other.focus(); });
  return { control, beside: other, read, write, text: () => read() ?? "", restore: write, wrong: (isFinal) => (isRequired && isFinal && read() === undefined ? "Please choose one." : "") };
}

function jsonInput(schema, isRequired) {
  const control = h("textarea", { class: "input mono", rows: 1, spellcheck: "false" });
  const parse = () => (control.value.trim() === "" ? undefined : JSON.parse(control.value));
  const wrong = (isFinal) => {
    if (control.value.trim() === "") return isRequired && isFinal ? MISSING : "";
    try {
      parse();
      return "";
    } catch (error) {
      return `This is not valid JSON: ${error.message}.`;
    }
  };
  return { ...common(control, schema), wrong, write: (value) => { control.value = JSON.stringify(value, null, 2); }, read: () => { try { return parse(); } catch { return undefined; } } };
}

function remember(key, texts) {
  if (!key) return;
  try {
    sessionStorage.setItem(key, JSON.stringify(texts));
  } catch {
    // Storage refused or full: the fields on the screen still hold what was typed.
  }
}

function restore(key, fields) {
  if (!key) return;
  try {
    const texts = JSON.parse(sessionStorage.getItem(key) || "{}");
    fields.forEach((f) => texts[f.name] && f.restore(texts[f.name]));
  } catch {
    sessionStorage.removeItem(key);
  }
}
