// One head's attention as lines from each token (left) to those it looks at (right); the stronger, the more seen. One
// token alone shows by pointing at it, and stays by a press; its shares stand at the right.

import { h, s } from "/design/elements.js";
import { percent } from "/design/words.js";

const ROW = 26;
const WIDTH = 100;
const LEAST = 0.02;

export function attentionLines(tokens, weights, { chosen = null, onChoose }) {
  let kept = chosen;
  const lines = s("svg", { class: "attention-lines", viewBox: `0 0 ${WIDTH} ${tokens.length * ROW}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const shares = tokens.map(() => h("span", { class: "share num" }));
  const name = (text, k) => h("li", { class: "looked-at", "data-k": k }, h("span", { class: "bar-under", "aria-hidden": "true" }), h("span", { class: "mono" }, text), shares[k]);
  const right = h("ol", { class: "looks" }, tokens.map(name));
  const left = h("ol", { class: "looks looks-from" }, tokens.map((text, k) => h("li", {}, h("button", {
    type: "button", class: "looks-button mono", "aria-pressed": "false",
    onmouseenter: () => draw(k), onmouseleave: () => draw(kept), onfocus: () => draw(k), onblur: () => draw(kept),
    onclick: () => { kept = kept === k ? null : k; onChoose(kept); draw(kept); },
  }, text))));

  function draw(one) {
    const y = (k) => (k + 0.5) * ROW;
    const path = (from, to, weight) => s("path", { d: `M0 ${y(from)}C${WIDTH / 2} ${y(from)} ${WIDTH / 2} ${y(to)} ${WIDTH} ${y(to)}`, "stroke-opacity": Math.min(1, 0.1 + weight).toFixed(3), "stroke-width": (0.75 + 3 * weight).toFixed(2), "vector-effect": "non-scaling-stroke" });
    const rows = one === null ? weights.map((row, k) => [k, row]) : [[one, weights[one]]];
    lines.replaceChildren(...rows.flatMap(([from, row]) => row.map((weight, to) => weight >= LEAST && path(from, to, weight)).filter(Boolean)));
    shares.forEach((share, k) => {
      const weight = one === null ? mean(weights, k) : weights[one][k];
      share.textContent = percent(weight);
      share.parentElement.style.setProperty("--share", String(Math.min(1, weight)));
    });
    [...left.querySelectorAll("button")].forEach((button, k) => { button.setAttribute("aria-pressed", String(k === kept)); button.toggleAttribute("data-looking", k === one); });
    caption.textContent = one === null ? "What all tokens look at, on average. Point at a token, or press it, to see its own." : `What “${tokens[one]}” looks at.`;
  }

  const caption = h("p", { class: "hint", role: "status" });
  const element = h("div", { class: "stack tight" }, caption, h("div", { class: "attention-grid", style: { "--rows": tokens.length } }, left, lines, right));
  draw(kept);
  return element;
}

const mean = (weights, k) => weights.reduce((sum, row) => sum + row[k], 0) / weights.length;
