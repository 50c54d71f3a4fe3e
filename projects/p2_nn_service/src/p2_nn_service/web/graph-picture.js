// A computation graph from left to right: each node with its value and, as far as the walk back has come, its gradient.
//
//   const p = graphPicture(graph, { known: Set, chosen: id, onChoose: (id) => … });   p.element   p.update({ known, chosen })

import { h, s } from "/design/elements.js";
import { figureFrame, svgImages } from "/design/figure.js";
import { spelled } from "/design/scales.js";
import { layout } from "/graph-layout.js";

const [WIDE, HIGH] = [78, 54];
const [COLUMN, ROW] = [93, 64];
const PAD = 8;
const LETTERS = 11;

export function graphPicture(graph, index, { title, note, state, onChoose }) {
  let now = state;
  let isRedrawn = false; // the focus that comes back after a redraw chooses nothing
  const placed = layout(graph, index);
  const holder = h("div", { class: "chart-plot plot scroll-x graph" });
  const draw = () => holder.replaceChildren(picture(graph, placed, index, now));
  const frame = figureFrame({
    current: () => ({ title, note, file: "backprop", table: tableOf(graph) }), plot: holder, draw, images: svgImages(() => holder.querySelector("svg"), () => "backprop"),
  });
  const told = (event) => event.target.closest("[data-node]")?.dataset.node;
  holder.addEventListener("click", (event) => { const id = told(event); if (id) onChoose(id); });
  holder.addEventListener("focusin", (event) => { const id = told(event); if (id && id !== now.chosen && !isRedrawn) onChoose(id); });
  holder.addEventListener("pointerover", (event) => { const id = told(event); if (id && id !== now.chosen && event.pointerType === "mouse") onChoose(id); });
  frame.show();
  const focusOn = (id) => holder.querySelector(`[data-node="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
  return {
    element: frame.element,
    /** The focus stays on its node, or goes with the walk to `follows`. */
    update: (change, { follows = null } = {}) => {
      const had = document.activeElement?.dataset?.node;
      now = { ...now, ...change };
      if (frame.isTable()) return;
      isRedrawn = true;
      draw();
      if (had) focusOn(follows ?? had);
      isRedrawn = false;
    },
    reveal: (id) => holder.querySelector(`[data-node="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" }),
  };
}

function tableOf({ nodes }) {
  return {
    columns: ["Node", "Operation", "Value", "Gradient", "Gradient by torch"],
    rows: nodes.map((node) => [node.label, node.op, node.value, node.gradient, node.torch_gradient]),
  };
}

function picture({ nodes }, { at, columns, rows }, { by, uses }, { known, chosen, fresh }) {
  const [width, height] = [columns * COLUMN - (COLUMN - WIDE) + 2 * PAD, rows * ROW + 2 * PAD];
  const corner = (id) => { const [column, row] = at.get(id); return [PAD + column * COLUMN, PAD + row * ROW - HIGH / 2]; };
  const near = new Set([chosen, ...(chosen ? [...by.get(chosen).inputs, ...uses.get(chosen).map((use) => use.node.id)] : [])]);
  const edges = nodes.flatMap((node) => node.inputs.map((from) => edge(corner(from), corner(node.id), { isNear: from === chosen || node.id === chosen, isBack: known.has(from) && known.has(node.id) })));
  const boxes = nodes.map((node) => box(node, corner(node.id), { isKnown: known.has(node.id), isChosen: node.id === chosen, isFresh: node.id === fresh, isNear: near.has(node.id) }));
  return s("svg", { class: "svg-chart graph-picture", viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": "Computation graph; values above, gradients below" }, edges, boxes);
}

function edge([x, y], [toX, toY], { isNear, isBack }) {
  const [fromX, fromY, endX, endY] = [x + WIDE, y + HIGH / 2, toX, toY + HIGH / 2];
  const bend = Math.max(16, (endX - fromX) / 2);
  return s("path", { class: "edge", "data-near": isNear, "data-back": isBack, d: `M${fromX},${fromY}C${fromX + bend},${fromY} ${endX - bend},${endY} ${endX},${endY}` });
}

function box(node, [x, y], { isKnown, isChosen, isFresh }) {
  const said = `${node.label}: value ${spelled(node.value)}${isKnown ? `, gradient ${spelled(node.gradient)}` : ", gradient not known yet"}`;
  return s("g", { class: "node", "data-node": node.id, "data-kind": node.inputs.length ? "operation" : "leaf", "data-chosen": isChosen, "data-fresh": isFresh, tabindex: 0, role: "button", "aria-label": said, transform: `translate(${x} ${y})` },
    s("rect", { class: "node-box", width: WIDE, height: HIGH, rx: 7 }),
    s("text", { class: "node-name", x: WIDE / 2, y: 15, "text-anchor": "middle" }, shown(node.label)),
    s("text", { class: "node-value", x: WIDE / 2, y: 30, "text-anchor": "middle" }, spelled(node.value)),
    s("text", { class: isKnown ? "node-gradient" : "node-gradient unknown", x: WIDE / 2, y: 46, "text-anchor": "middle" }, isKnown ? spelled(node.gradient) : "?"));
}

const shown = (label) => (label.length > LETTERS ? `${label.slice(0, LETTERS - 1)}…` : label);
