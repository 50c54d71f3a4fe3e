// Every component once: what a page's author copies from, and what the browser tests look at.
// Read beside it: elements.js, form.js, charts.js, sparks.js.

import { chart } from "/design/charts.js";
import {
  attributionBars, badge, choices, codeBlock, dropzone, emptyState, errorState, getParam, h, meter, sidePanel, setParam, skeleton, tabs, toast,
} from "/design/elements.js";
import { confirmed } from "/design/dialog.js";
import { schemaForm } from "/design/form.js";
import { mountFrame } from "/design/frame.js";
import { ProblemError } from "/design/http.js";
import { plot } from "/design/plots.js";
import { bars, sparkline } from "/design/sparks.js";

const SCHEMA = {
  type: "object",
  required: ["age", "contract", "monthly"],
  properties: {
    age: { type: "integer", title: "Age", minimum: 0, maximum: 120, unit: "years", examples: [61] },
    monthly: { type: "number", title: "Monthly charge", exclusiveMinimum: 0, unit: "USD", examples: [70.35], description: "Before tax." },
    contract: { enum: ["month to month", "one year", "two years"], title: "Contract", examples: ["one year"] },
    paperless: { type: "boolean", title: "Paperless billing" },
    note: { anyOf: [{ type: "string", maxLength: 500 }, { type: "null" }], title: "Note", examples: ["asked about a discount"] },
    region: { type: "string", title: "Region", "x-known": ["north", "south"], maxLength: 1000 },
    since: { type: "string", format: "date", title: "Customer since" },
    readings: { type: "array", title: "Readings", examples: [[1, 2, 3]] },
  },
};

const refusal = new ProblemError(
  { title: "The row cannot be predicted", status: 422, detail: "Two fields are not what the model was trained on.",
    errors: [{ field: "body.monthly", message: "7035 is far outside what the model saw.", accepted: "18.25 to 118.75" }, { field: "rows", message: "One row at least." }] },
  { requestId: "4f0c2a9e" },
);

function section(title, ...children) {
  return h("section", {}, h("h2", {}, title), h("div", { class: "specimens" }, children));
}

function swatches() {
  const names = ["--ground", "--surface", "--sunken", "--ink", "--ink-2", "--ink-3", "--edge", "--line", "--accent", "--accent-fill", "--accent-wash", "--good", "--warn", "--bad", ...Array.from({ length: 8 }, (_, k) => `--series-${k + 1}`)];
  return h("ul", { class: "swatches" }, names.map((name) => h("li", {}, h("div", { class: "swatch", style: { background: `var(${name})` } }), name)));
}

function form() {
  const said = h("p", { class: "hint", id: "sent" });
  const made = schemaForm({
    schema: SCHEMA, submit: "Predict", keep: "gallery",
    onSubmit: async (values) => {
      if (values.monthly > 1000) throw refusal;
      said.textContent = JSON.stringify(values);
      toast("Predicted", { tone: "good" });
    },
  });
  return h("div", { class: "card stack" }, made.element, said);
}

function charts() {
  const weeks = Array.from({ length: 24 }, (_, k) => k + 1);
  const decay = (from, to, rate) => weeks.map((w) => Number((to + (from - to) * Math.exp(-w / rate)).toFixed(3)));
  const line = chart({
    title: "Validation loss stops falling after step 12", note: "Two runs, same data", file: "loss",
    x: { title: "Step", unit: "thousand" }, y: { title: "Loss", zero: true },
    data: [{ name: "wide", x: weeks, y: decay(1.1, 0.31, 5) }, { name: "narrow", x: weeks, y: decay(1.2, 0.46, 8) }],
  });
  const columns = chart({
    title: "Month-to-month contracts churn three times as often", file: "churn",
    x: { title: "Contract" }, y: { title: "Churned", unit: "%", zero: true },
    data: [{ type: "bar", x: ["month to month", "one year", "two years"], y: [42.7, 11.3, 2.8] }],
  });
  return [line, columns].map((one) => h("div", { class: "card" }, one.element));
}

function plots() {
  const months = Array.from({ length: 25 }, (_, k) => k * 3);
  const chance = months.map((m) => 0.12 + 0.55 * Math.exp(-m / 18));
  const days = Array.from({ length: 30 }, (_, k) => new Date(2026, 10, 1 + k));
  const curve = plot({
    title: "Churn is said below 11 months", file: "what-if", x: { title: "Tenure", unit: "months", kind: "number", values: months }, shade: { from: 0, to: 60 }, mark: 24,
    panels: [{ y: { title: "Probability", domain: [0, 1] }, marks: [{ kind: "area", low: chance.map((v) => v - 0.06), high: chance.map((v) => v + 0.06) }, { kind: "line", y: chance, token: "--series-1" }, { kind: "level", at: 0.42, name: "threshold" }] }],
    onPick: (x) => curve.update({ mark: x }),
  });
  const panels = plot({
    title: "Rows doubled on the 15th", file: "rows", x: { kind: "time", values: days },
    panels: [{ title: "Rows", height: 100, y: { zero: true }, marks: [{ kind: "bars", y: days.map((_, k) => (k < 14 ? 20 : 41)) }] }, { title: "Missing", height: 100, y: { unit: "%", zero: true }, marks: [{ kind: "line", y: days.map((_, k) => (k === 9 ? null : k % 4)), token: "--series-3" }] }],
  });
  return [curve, panels].map((one) => h("div", { class: "card" }, one.element));
}

function decisions() {
  const ask = async () => toast((await confirmed({ title: "Serve version 2?", body: h("p", {}, "It scores 0.02 more."), action: "Promote" })) ? "Promoted" : "Left as it was");
  return h("div", { class: "card stack" }, choices([{ value: 1, label: "1 hour" }, { value: 24, label: "24 hours" }], { label: "Range", value: 24, onChoose: (value) => toast(`${value} hours`) }), h("input", { class: "slider", type: "range", "aria-label": "Tenure" }), h("div", {}, h("button", { class: "button", type: "button", onclick: ask }, "Promote version 2")));
}

const rows = [["baseline", 0.5, "± 0.03"], ["logistic regression", 0.84, "± 0.02"], ["boosted trees", 0.83, "± 0.02"]];
const table = h("div", { class: "scroll-x card" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", {}, "Model"), h("th", { class: "num" }, "AUC"), h("th", { class: "num" }, "95 %"))), h("tbody", {}, rows.map((row) => h("tr", {}, h("td", {}, row[0]), h("td", { class: "num" }, row[1].toFixed(2)), h("td", { class: "num" }, row[2]))))));

const phase = Number(getParam("phase") ?? 1);
mountFrame({ product: "Design system", phase, title: "Gallery", health: getParam("health") });
document.getElementById("main").append(
  section("Colour", swatches()),
  section(
    "Actions and status",
    h("div", { class: "card row" }, h("button", { class: "button", "data-kind": "primary", type: "button", onclick: () => toast("Saved", { tone: "good" }) }, "Primary"), h("button", { class: "button", type: "button", onclick: () => setParam("detail", "one") }, "Open the panel"), h("button", { class: "button", "data-kind": "quiet", type: "button" }, "Quiet"), h("button", { class: "button", "data-kind": "danger", type: "button" }, "Delete"), h("button", { class: "button", type: "button", disabled: true }, "Busy")),
    h("div", { class: "card row" }, badge("neutral"), badge("accent", "accent"), badge("ready", "good"), badge("planned", "warn"), badge("failed", "bad"), ["ready", "waiting", "gone"].map((state) => h("span", { class: "row" }, h("span", { class: "dot", "data-state": state }), state))),
    h("div", { class: "card stack" }, h("p", { class: "verdict" }, "Logistic regression and boosted trees cannot be told apart on this data."), h("p", { class: "figure" }, "0.84 ", h("small", {}, "± 0.02 AUC")), meter(0.62, "Trained")),
  ),
  section("Form from a schema", form()),
  section("Tables, bars, attributions", table, h("div", { class: "card" }, bars(rows.map(([name, value, note]) => ({ name, value, note })), { label: "AUC of each model", max: 1 })), h("div", { class: "card" }, attributionBars([{ name: "contract = month to month", value: 0.31 }, { name: "tenure = 2 months", value: 0.18 }, { name: "monthly = 70.35 USD", value: -0.07 }])), h("div", { class: "card" }, sparkline([3, 5, 4, 8, 6, 9, 12], { label: "Requests a minute" }))),
  section("Charts", charts()),
  section("Plots without Plotly", plots()),
  section("Choices, slider, decision", decisions()),
  section("States", emptyState({ title: "No model yet", text: "Train one on your own table; it takes seconds.", action: { label: "Train", run: () => toast("Training") } }), errorState(refusal, { retry: () => toast("Again") }), errorState(new ProblemError({ title: "The service does not answer", detail: "Check that it is running, then try again." }, { isUnreachable: true })), skeleton(120)),
  section("Code, files, tabs", codeBlock("uv run p1-prediction-api train data.csv --target churn"), dropzone({ accept: ".csv", label: "Drop a CSV file", hint: "or press to choose; up to 50 MB", onFiles: (files) => toast(files[0].name) }), tabs([{ id: "a", label: "Overview", content: "The first pane." }, { id: "b", label: "Data", content: "The second pane." }])),
);
sidePanel({ param: "detail", render: (value) => ({ title: "A detail", eyebrow: "Side panel", phase, body: h("p", {}, `This panel is open because the address says detail=${value}.`) }) });
