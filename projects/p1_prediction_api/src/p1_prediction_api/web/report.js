// Report: how good the model is and why it fails, verdict first, drawn from the diagnosis published with it.
// The section is in the address: ?section=errors. Read next: findings below, then diagnosed.js for the charts.

import { badge, codeBlock, emptyState, errorState, getParam, h, icon, setParam, skeleton, toast } from "/design/elements.js";
import { saveText } from "/design/figure.js";
import { request } from "/design/http.js";
import { modelCard } from "/card.js";
import { sections } from "/diagnosed.js";
import { count } from "/words.js";

const TONE = { problem: "bad", warning: "warn", note: "accent" };

export function reportPane() {
  const element = h("div", { class: "stack report" }, skeleton(90), skeleton(240), skeleton(320));
  let model = null;
  let drawnFor = null; // the version on the screen
  let isOpen = false;

  async function load() {
    const version = model.model.version;
    if (drawnFor === version) return;
    drawnFor = version;
    if (!model.has_report) return element.replaceChildren(modelCard(model), none(model));
    try {
      const diagnosis = await request("/v1/diagnosis");
      if (model.model.version === version) draw(diagnosis);
    } catch (error) {
      drawnFor = null;
      element.replaceChildren(modelCard(model), errorState(error, { retry: load }));
    }
  }

  function draw(diagnosis) {
    const found = sections(diagnosis);
    element.replaceChildren(
      h("section", { class: "headline", "data-tone": worst(diagnosis), "aria-label": "Verdict" },
        h("p", { class: "verdict", id: "report-verdict" }, diagnosis.verdict),
        !diagnosis.findings.length && h("p", { class: "muted" }, "Leaks, repeated rows, shift, label noise, weak slices, too simple, too flexible, too little data: each was looked for."),
        h("div", { class: "row between" }, contents(found), downloads(diagnosis, model))),
      h("div", { class: "report-top" }, diagnosis.findings.length > 0 && findings(diagnosis), modelCard(model)),
      ...found.map(section),
      ...skipped(diagnosis));
    const wanted = getParam("section");
    if (wanted && isOpen) show(wanted);
  }

  return {
    element,
    open: () => { isOpen = true; if (model) load(); },
    close: () => { isOpen = false; if (getParam("section") !== null) setParam("section", null, { replace: true }); },
    setModel: (next) => { model = next; if (isOpen) load(); },
    setTrouble: (state) => element.replaceChildren(state),
  };
}

const show = (slug) => document.getElementById(`section-${slug}`)?.scrollIntoView({ block: "start" });
const worst = ({ findings: found }) => ({ problem: "bad", warning: "warn" })[found[0]?.severity] || "good";

function contents(found) {
  const go = (slug) => { setParam("section", slug, { replace: true }); show(slug); };
  return h("nav", { class: "row", "aria-label": "Sections" }, found.map(({ slug, title }) => h("button", { class: "button", "data-kind": "quiet", "data-size": "small", type: "button", onclick: () => go(slug) }, title)));
}

function downloads(diagnosis, { model }) {
  const name = `${model.name}-v${model.version}-diagnosis`;
  const html = async () => {
    try {
      saveText(await request("/v1/report", { headers: { accept: "text/html" } }), `${name}.html`, "text/html");
    } catch (error) {
      toast(`The report was not answered: ${error.message}`, { tone: "bad" });
    }
  };
  const button = (label, act) => h("button", { class: "button", "data-size": "small", type: "button", onclick: act, "aria-label": `Download the diagnosis as ${label}` }, icon("download"), label);
  return h("div", { class: "row" }, h("a", { class: "button", "data-size": "small", href: "/v1/report", target: "_blank", rel: "noopener" }, icon("external"), "Full report"), button("HTML", html), button("JSON", () => saveText(JSON.stringify(diagnosis, null, 2), `${name}.json`, "application/json")));
}

function findings({ findings: found }) {
  return h("section", { class: "card stack", "aria-labelledby": "findings-title" }, h("h2", { id: "findings-title" }, `${count(found.length, "thing")} to know, the most serious first`), found.map((one) => h("article", { class: "finding" },
    h("h3", {}, badge(one.severity, TONE[one.severity]), one.headline),
    h("ul", { class: "notes muted" }, one.evidence.map((text) => h("li", {}, text))),
    h("p", {}, h("span", { class: "muted" }, "What to do: "), one.next_step))));
}

function section({ slug, title, lead, figures }) {
  return h("section", { class: "stack goes-stale", id: `section-${slug}`, "aria-labelledby": `title-${slug}` },
    h("header", {}, h("h2", { id: `title-${slug}` }, title), lead && h("p", { class: "muted" }, lead)),
    h("div", { class: "figures" }, figures.map((figure) => h("div", { class: `card${figure.isWide ? " wide-figure" : ""}` }, figure.element))));
}

function skipped({ skipped: left }) {
  return !left.length ? [] : [h("section", { class: "stack" }, h("h2", {}, "What was not done"), h("ul", { class: "notes" }, left.map((one) => h("li", {}, h("b", {}, one.what), `: ${one.why}`))))];
}

function none({ model, signature }) {
  const command = `p1-prediction-api train TABLE --target ${shellWord(signature.target)} --model ${model.name}`;
  return h("div", { class: "stack" },
    emptyState({ title: "This version has no diagnosis", text: "It was published without one. This trains the next version and looks for why it fails: leaks, noise, shift, weak slices, too simple or too flexible. The page follows by itself." }),
    codeBlock(command));
}

const shellWord = (text) => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
