// The confusion matrix: rows are truths, columns answers; the tint is the share of the row. A cell opens by a press,
// or by the arrow keys and Enter. Drawn at the true width, so that text stays legible.
//
//   const p = confusionPicture({ classes, confusion }, { cell: [6, 0], onPick: (cell) => … });   p.element   p.update({ cell })

import { h, s } from "/design/elements.js";
import { figureFrame, svgImages } from "/design/figure.js";
import { count, percent } from "/design/words.js";

const LETTER_PX = 6.6;
const LEAST_CELL = 22;
const MOST_CELL = 44;
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function confusionPicture(card, { cell, onPick }) {
  let open = cell;
  let width = 0;
  let here = cell || [0, 0]; // which cell the Tab key comes to
  const holder = h("div", { class: "chart-plot plot matrix scroll-x" });
  const draw = () => width && holder.replaceChildren(picture(card, { width, open, here }));
  const frame = figureFrame({ current: () => about(card), plot: holder, draw, images: svgImages(() => holder.querySelector("svg"), () => "confusion") });
  new ResizeObserver(([entry]) => { const wide = Math.round(entry.contentRect.width); if (wide && wide !== width) { width = wide; if (!frame.isTable()) draw(); } }).observe(holder);

  const at = (event) => event.target.closest("[data-cell]")?.dataset.cell.split("-").map(Number);
  holder.addEventListener("click", (event) => { const picked = at(event); if (picked) { here = picked; onPick(isSame(picked, open) ? null : picked); focus(); } });
  holder.addEventListener("keydown", (event) => {
    const from = at(event);
    if (!from) return;
    if (event.key === "Enter" || event.key === " ") onPick(isSame(from, open) ? null : from);
    else if (STEPS[event.key]) here = from.map((k, side) => Math.min(card.classes.length - 1, Math.max(0, k + STEPS[event.key][side])));
    else return;
    event.preventDefault();
    draw();
    focus();
  });
  const focus = () => holder.querySelector(`[data-cell="${here.join("-")}"]`)?.focus({ preventScroll: true });
  frame.show();
  return { element: frame.element, update: (change) => { const hadFocus = holder.contains(document.activeElement); open = change.cell; frame.show(); if (hadFocus) focus(); } };
}

const isSame = (one, other) => Boolean(one && other) && one[0] === other[0] && one[1] === other[1];

function about({ classes, confusion }) {
  const all = confusion.flat().reduce((sum, n) => sum + n, 0);
  const right = confusion.reduce((sum, row, k) => sum + row[k], 0);
  const worst = confusion.flatMap((row, truth) => row.map((n, said) => ({ n, truth, said, share: n / Math.max(1, row.reduce((sum, one) => sum + one, 0)) }))).filter((one) => one.truth !== one.said).sort((a, b) => b.n - a.n)[0];
  const most = worst?.n ? `It takes ${percent(worst.share)} of ${classes[worst.truth]} for ${classes[worst.said]}, its most frequent mistake` : "It makes no mistake on held-out images";
  return {
    title: most, file: "confusion", note: `${count(right, "right answer")} of ${all.toLocaleString()} held-out images. Rows are what they are, columns what it says; the tint is the share of the row.`,
    table: { columns: ["Truth", ...classes.map((name) => `said ${name}`)], rows: confusion.map((row, k) => [classes[k], ...row]) },
  };
}

function picture({ classes, confusion }, { width, open, here }) {
  const n = classes.length;
  const longest = Math.max(...classes.map((name) => name.length));
  const left = Math.min(longest * LETTER_PX + 12, width * 0.3);
  const side = Math.max(LEAST_CELL, Math.min(MOST_CELL, (width - left - 2) / n));
  const letters = Math.floor((left - 10) / LETTER_PX);
  const top = Math.min(longest, 12) * LETTER_PX * 0.75 + 16;
  const [wide, high] = [left + side * n + 2, top + side * n + 2];
  const names = classes.map((name, k) => [
    s("text", { class: "label", x: left - 8, y: top + side * (k + 0.5) + 4, "text-anchor": "end" }, cut(name, letters)),
    s("text", { class: "label", transform: `translate(${left + side * (k + 0.5) + 3} ${top - 6}) rotate(-50)` }, cut(name, 12)),
  ]);
  const cells = confusion.map((row, truth) => {
    const total = Math.max(1, row.reduce((sum, one) => sum + one, 0));
    return row.map((value, said) => square({ value, share: value / total, truth, said, x: left + side * said, y: top + side * truth, side, classes, isOpen: isSame([truth, said], open), isHere: isSame([truth, said], here) }));
  });
  return s("svg", { class: "svg-chart confusion", viewBox: `0 0 ${Math.max(wide + 34, width)} ${high}`, width: Math.max(wide + 34, width), height: high, role: "group", "aria-label": "Confusion matrix; the arrow keys move, Enter opens a cell" }, names, cells);
}

/** Tints stay light enough for the ink that stands on them; the wrong ones carry another hue than the right ones. */
function square({ value, share, truth, said, x, y, side, classes, isOpen, isHere }) {
  const isRight = truth === said;
  const tint = value ? 12 + 42 * Math.sqrt(share) : 0;
  const words = `${count(value, "image")} of ${classes[truth]} ${isRight ? "known as such" : `taken for ${classes[said]}`}`;
  const size = String(value).length * 7 > side - 2 ? 9 : 12;
  return s("g", { class: "cell", role: "button", tabindex: isHere ? 0 : -1, "data-cell": `${truth}-${said}`, "aria-label": words, "aria-pressed": String(isOpen) },
    s("title", {}, words),
    s("rect", { x: x + 1, y: y + 1, width: side - 2, height: side - 2, rx: 3, style: { fill: value ? `color-mix(in oklab, var(${isRight ? "--series-1" : "--series-2"}) ${tint}%, var(--surface))` : "var(--sunken)" } }),
    value > 0 && s("text", { x: x + side / 2, y: y + side / 2 + 4, "text-anchor": "middle", style: { "font-size": `${size}px` } }, String(value)));
}

const cut = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text);
