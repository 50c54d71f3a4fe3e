// What the network said of one image: its classes as bars, how strange the image is, what was done to it before.
// Built once and updated in place, so that bars move under a drawing and nothing jumps. Knows `Classification`.

import { badge, copyButton, h } from "/design/elements.js";
import { percent, spelled } from "/design/words.js";
import { evidence, seenPicture } from "/pixels.js";

const MOST_BARS = 12;

export function answerView(model) {
  const said = h("p", { class: "said", "aria-live": "polite" });
  const sure = h("p", { class: "muted" });
  const bars = h("div", { class: "bars class-bars", role: "group", "aria-label": "Probability of each class" });
  const strange = h("div", { class: "strange" });
  const seen = h("div", { class: "seen-row" });
  const by = h("p", { class: "hint answered-by" });
  const element = h("div", { class: "stack answer" }, h("div", {}, said, sure), bars, strange, seen, by);
  let order = model.card.classes;
  let rows = {};

  const build = () => {
    rows = Object.fromEntries(order.map((name) => [name, { bar: h("i"), share: h("span", { class: "num" }), name: h("span", { class: "truncate", title: name }, name) }]));
    bars.replaceChildren(...order.flatMap((name) => [rows[name].name, h("span", { class: "bar-track", "aria-hidden": "true" }, rows[name].bar), rows[name].share]));
  };

  function update({ one, prepared, served, ms, id, wantsSaliency }) {
    if (model.card.classes.length > MOST_BARS) order = Object.entries(one.probabilities).sort((a, b) => b[1] - a[1]).slice(0, MOST_BARS).map(([name]) => name);
    if (order.some((name) => !rows[name])) build();
    said.textContent = one.label;
    said.toggleAttribute("data-doubted", one.is_strange);
    sure.textContent = sureness(one);
    for (const name of order) {
      const share = one.probabilities[name] ?? 0;
      rows[name].bar.style.setProperty("--share", String(share));
      rows[name].share.textContent = percent(share) || "0 %";
      for (const part of Object.values(rows[name])) part.toggleAttribute("data-said", name === one.label);
    }
    strange.replaceChildren(...strangeness(one, model.card.strangeness));
    seen.replaceChildren(...preparation(one, prepared, wantsSaliency));
    by.replaceChildren(`Answered in ${spelled(ms, 2)} ms by ${served.name} version ${served.version}, ${served.variant} · `, h("span", { class: "row" }, h("code", {}, id), copyButton(id, { label: "Copy the answer's id" })));
  }

  return { element, update };
}

function sureness({ label, probability, probabilities }) {
  const second = Object.entries(probabilities).filter(([name]) => name !== label).sort((a, b) => b[1] - a[1])[0];
  const said = `Probability ${percent(probability)}`;
  return second && second[1] > 0.05 ? `${said}; ${second[0]} comes second with ${percent(second[1])}` : said;
}

/** The energy of the logits on a line, with the place from which on an image is called strange. */
function strangeness({ strangeness: energy, is_strange: isStrange }, { threshold }) {
  const reach = 2.2 * Math.max(Math.abs(energy - threshold), Math.abs(threshold) * 0.6, 1);
  const share = Math.min(0.985, Math.max(0.015, 0.5 + (energy - threshold) / reach));
  const words = isStrange
    ? "Unlike what it learned from: doubt the label. It has to name one of its classes, whatever it is shown."
    : "Not unlike what it learned from: 95 of 100 held-out images lie on this side of the line.";
  return [
    h("div", { class: "row" }, h("h3", {}, "Strangeness"), badge(isStrange ? "strange" : "familiar", isStrange ? "warn" : "good")),
    h("div", { class: "strange-line", role: "img", "aria-label": `Strangeness ${spelled(energy, 3)}; strange from ${spelled(threshold, 3)} on` }, h("i", { class: "strange-mark", style: { "--share": String(share) } })),
    h("p", { class: "strange-ends hint", "aria-hidden": "true" }, h("span", {}, "familiar"), h("span", {}, `strange from ${spelled(threshold, 3)} on; this is ${spelled(energy, 3)}`)),
    h("p", { class: "muted" }, words),
  ];
}

function preparation({ saliency, label }, prepared, wantsSaliency) {
  if (!prepared) return [];
  const size = `${prepared.pixels[0][0].length} × ${prepared.pixels[0].length}`;
  const isShown = wantsSaliency && saliency;
  const isBlank = isShown && !saliency.flat().some((weight) => weight > 0);
  const words = prepared.preparation.length ? prepared.preparation : ["nothing: it came in the model's own size"];
  return [
    h("figure", { class: "seen-stack" }, seenPicture(prepared.pixels, `What the network saw, ${size} pixels`), isShown && evidence(saliency, `Where the evidence for ${label} lies`)),
    h("div", { class: "stack tight" },
      h("h3", {}, "What the network saw"),
      h("ul", { class: "notes muted" }, words.map((text) => h("li", {}, text))),
      isShown && h("p", { class: "muted" }, isBlank ? `Nothing in the image speaks for ${label} alone.` : `Tinted where the evidence for ${label} lies: without it the network would be less sure.`)),
  ];
}
