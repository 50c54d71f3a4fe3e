// Predict: a form made from the model's own row schema, the answer with its reasons, and the what-if below it.
// Knows no field by name: what the model says is what is shown. Read next: explain.js, whatif.js.

import { emptyState, errorState, h, icon, skeleton, toast } from "/design/elements.js";
import { schemaForm } from "/design/form.js";
import { request } from "/design/http.js";
import { answerParts, answeredBy, explain, namedAsInTheForm, reasons } from "/explain.js";
import { isSameRow, putRowInAddress, rowInAddress } from "/row.js";
import { whatIf } from "/whatif.js";

export function predictPane({ onOtherVersion }) {
  const formSpot = h("div", {}, skeleton(480));
  const body = h("div", { id: "answer-body" }, skeleton(160));
  const share = shareButton();
  const answer = h("section", { class: "card stack goes-stale", id: "answer", "aria-labelledby": "answer-title", "aria-live": "polite" }, h("header", { class: "row between" }, h("h2", { id: "answer-title" }, "Prediction"), share), body);
  const trial = whatIf({ onTry: (tried) => show(tried || asked?.explained, tried) });
  const element = h("div", { class: "work" },
    h("section", { class: "card stack", id: "ask", "aria-labelledby": "ask-title" }, h("h2", { id: "ask-title" }, "Ask the model"), formSpot),
    h("div", { class: "stack side" }, answer, trial.element));
  let model = null;
  let form = null;
  let asked = null; // { row, explained, reply, id }

  function show(explained, tried = null) {
    if (!explained) return;
    share.hidden = false;
    const level = model.card.uncertainty?.level;
    const order = tried && reasons(asked.explained);
    answer.toggleAttribute("data-trying", Boolean(tried));
    body.replaceChildren(...[tried && trial.banner(), ...answerParts(explained, { level, signature: model.signature, order }), answeredBy(asked.reply.model, asked.id)].filter(Boolean));
  }

  /** Ask for the reasons, and, when a person pressed the button, for an answer that is logged. */
  async function ask(row, { isLogged, signal }) {
    const rows = [row];
    const [reply, logged] = await Promise.all([
      explain(rows, { signal }),
      isLogged ? request("/v1/predict", { method: "POST", json: { rows }, signal }) : null,
    ]).catch((error) => { throw namedAsInTheForm(error); });
    asked = { row, reply, explained: reply.explanations[0], id: logged?.id };
    putRowInAddress(row);
    show(asked.explained);
    trial.start({ row, explained: asked.explained, model });
    if (reply.model.version !== model.model.version) onOtherVersion();
  }

  async function restore() {
    const row = model && rowInAddress(model.signature);
    if (!row || isSameRow(row, asked?.row)) return;
    form.fill(row);
    body.replaceChildren(skeleton(320));
    try {
      await ask(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)), { isLogged: false });
    } catch (error) {
      form.showProblem(error);
      body.replaceChildren(errorState(error, { retry: restore }));
    }
  }

  function setModel(next) {
    model = next;
    asked = null;
    share.hidden = true;
    trial.stop();
    form = schemaForm({
      schema: model.row_schema, submit: "Predict", keep: `predict-${model.model.name}`,
      onSubmit: async (row, { signal }) => { await ask(row, { isLogged: true, signal }); answer.scrollIntoView({ block: "nearest" }); },
    });
    formSpot.replaceChildren(form.element);
    body.replaceChildren(emptyState({
      title: "Nothing asked yet", text: `Fill in the form, or start from a typical row, and the model predicts ${model.signature.target}.`,
      action: { label: "Predict a typical row", run: () => { form.fillExamples(); form.element.requestSubmit(); } },
    }));
    restore();
  }

  function setTrouble(state) {
    formSpot.replaceChildren(state);
    body.replaceChildren(h("p", { class: "muted" }, "Answers appear here once a model is served."));
    trial.stop();
  }

  addEventListener("popstate", restore);
  return { element, setModel, setTrouble };
}

function shareButton() {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      toast("The address of this prediction is copied; the row stands in it", { tone: "good" });
    } catch {
      toast("The browser refused the clipboard; the address bar holds this prediction", { tone: "bad" });
    }
  };
  return h("button", { class: "button", "data-kind": "quiet", "data-size": "small", type: "button", hidden: true, onclick: copy }, icon("copy"), "Copy link");
}
