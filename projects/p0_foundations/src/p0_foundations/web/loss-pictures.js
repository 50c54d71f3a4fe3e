// The pictures of the room on losses: points, lines and errors; and what an error costs under each loss.

import { s } from "/design/elements.js";
import { spelled } from "/design/scales.js";
import { TASKS, at, meanLoss } from "/loss-maths.js";
import { plane } from "/plane.js";

const NAME_PX = 15;
const NARROW_PX = 420;
const EDGE_PX = 9; // a cost beyond the picture is marked this far inside its edge

export function fitPicture({ state, points, line, fits, change }) {
  const task = () => TASKS[state().task];
  const title = () => {
    const { task: kind, loss, delta } = state();
    return `Your line costs ${spelled(meanLoss(kind, loss, line(), points(), delta), 3)} by ${task().losses[loss].name} loss`;
  };
  const map = plane({
    current: () => ({ title: title(), note: noteOf(state().task), file: "loss-lines", table: tableOf(state().task, points(), line()) }),
    view: () => task(),
    height: (width) => Math.round(Math.min(470, Math.max(290, width * 0.66))),
    back: () => [],
    front: (scale) => drawn({ state: state(), points: points(), line: line(), fits: fits() }, scale),
  });
  const end = (k) => map.handle({
    name: "line-end", at: () => [task().ends[k], state().line[k]],
    label: () => `${k ? "Right" : "Left"} end of your line, at ${spelled(state().line[k], 3)}`,
    mark: s("rect", { class: "knob", x: -8, y: -8, width: 16, height: 16, rx: 4 }),
    onMove: ([, y]) => change({ line: state().line.map((value, n) => (n === k ? round(y) : value)) }),
  });
  map.handle({
    name: "outlier", at: () => state().out, label: () => `The outlier, at x ${spelled(state().out[0], 3)}, y ${spelled(state().out[1], 3)}`,
    mark: [s("path", { class: "knob", d: "M0,-10L10,0L0,10L-10,0Z" }), s("text", { class: "handle-name haloed", y: -16, "text-anchor": "middle" }, "outlier")],
    onMove: ([x, y], key) => change({ out: [round(x), state().task === "values" ? round(y) : label(key?.[1] || y)] }),
  });
  end(0);
  end(1);
  return { element: map.element, draw: map.drawFront, drawAll: map.draw };
}

const label = (height) => (height < 0 ? -1 : 1);
const round = (value) => Number(value.toPrecision(4));
const noteOf = (task) => (task === "values" ? "Drag the square ends and the outlier. Dashed: the best line of each loss; bars: your line's errors" : "Drag the square ends and the outlier (up or down changes its label). Dashed: the best score of each loss; where a line crosses 0 the answer changes");

function tableOf(task, points, line) {
  return { columns: ["x", "y", "Your line", TASKS[task].error], rows: points.map((point) => [...point, at(line, point[0]), TASKS[task].errorOf(line, point)]) };
}

function drawn({ state, points, line, fits }, scale) {
  const task = TASKS[state.task];
  const { token } = task.losses[state.loss];
  const through = (one, name, style = {}) => s("line", { class: name, style, x1: scale.left, x2: scale.right, y1: scale.y(at(one, scale.view.x[0])), y2: scale.y(at(one, scale.view.x[1])) });
  const bars = points.map(([x, y]) => s("line", { class: "error-bar", style: { stroke: `var(${token})` }, x1: scale.x(x), x2: scale.x(x), y1: scale.y(y), y2: scale.y(at(line, x)) }));
  const dots = points.slice(0, -1).map(([x, y]) => s("circle", { class: "fit-point", "data-label": state.task === "labels" ? y : null, cx: scale.x(x), cy: scale.y(y), r: 5 }));
  const settled = fits.filter((fit) => fit.is_settled);
  const ghosts = settled.map((fit) => through(fit, "ghost", { stroke: `var(${task.losses[fit.loss].token})` }));
  const zero = state.task === "labels" && s("line", { class: "zero-line", x1: scale.left, x2: scale.right, y1: scale.y(0), y2: scale.y(0) });
  return { marks: [zero, bars, ghosts, through(line, "your-line"), dots], names: names(task, settled, line, scale) };
}

/** The lines' names near where they leave the picture, kept apart. */
function names(task, fits, yours, scale) {
  const all = fits.map((fit) => ({ line: fit, text: `${task.losses[fit.loss].name}${scale.width < NARROW_PX ? "" : " best"}`, fill: `var(${task.losses[fit.loss].token})` }));
  const placed = all.map((one) => ({ ...one, ...exit(one.line, scale) })).sort((a, b) => a.y - b.y);
  placed.forEach((one, k) => { if (k) one.y = Math.max(one.y, placed[k - 1].y + NAME_PX); });
  const over = Math.max(0, (placed.at(-1)?.y ?? 0) - (scale.bottom - 4));
  const named = placed.map(({ text, fill, x, y }) => s("text", { class: "haloed line-name", style: { fill }, x: x - 4, y: y - over, "text-anchor": "end" }, text));
  return [...named, ownName(yours, scale)];
}

/** Your line's name on its middle, clear of the handles. */
function ownName(line, scale) {
  const x = scale.left + 0.4 * (scale.right - scale.left);
  const y = scale.y(at(line, scale.from([x, 0])[0]));
  return s("text", { class: "haloed line-name", x, y: Math.min(scale.bottom - 6, Math.max(scale.top + 14, y - 8)), "text-anchor": "middle" }, "your line");
}

/** Where a line leaves the picture on its right. */
function exit(line, scale) {
  const [low, high] = scale.view.y;
  const end = at(line, scale.view.x[1]);
  const y = Math.min(high, Math.max(low, end));
  const x = y === end || !line.slope ? scale.view.x[1] : (y - line.intercept) / line.slope;
  return { x: scale.x(Math.max(x, scale.view.x[0] + 0.25 * (scale.view.x[1] - scale.view.x[0]))), y: Math.min(scale.bottom - 6, Math.max(scale.top + 14, scale.y(y) - 5)) };
}

/** What one error costs under each loss, with the errors of your line on the chosen one. */
export function shapePicture({ state, points, line }) {
  const task = () => TASKS[state().task];
  const top = () => (state().task === "values" ? 16 : 9);
  const curve = (name) => {
    const [low, high] = task().span;
    return Array.from({ length: 161 }, (_, k) => { const e = low + ((high - low) * k) / 160; return [e, task().losses[name].of(e, state().delta)]; });
  };
  const spec = {
    current: () => ({ title: shapeTitle(state(), points(), line()), note: "Dots: the errors of your line; the diamond is the outlier's", file: "loss-shape", table: { columns: [task().error, ...Object.keys(task().losses)], rows: curve("squared").map(([e]) => [e, ...Object.values(task().losses).map((loss) => loss.of(e, state().delta))]) } }),
    view: () => ({ x: task().span, y: [0, top()], xTitle: task().error, yTitle: "loss" }),
    height: () => 270,
    back: () => [],
    front: (scale) => {
      const { loss: chosen, delta } = state();
      const path = (name) => s("path", { class: `shape-line${name === chosen ? " chosen" : ""}`, style: { stroke: `var(${task().losses[name].token})` }, d: `M${curve(name).map(([e, v]) => `${scale.x(e).toFixed(1)},${scale.y(v).toFixed(1)}`).join("L")}` });
      const loss = task().losses[chosen];
      const dots = points().map((point, k) => {
        const e = task().errorOf(line(), point);
        const place = [scale.x(Math.min(task().span[1], Math.max(task().span[0], e))), Math.max(scale.top + EDGE_PX, scale.y(loss.of(e, delta)))];
        const fill = { fill: `var(${loss.token})` };
        return k === points().length - 1 ? s("path", { class: "shape-dot", style: fill, d: "M0,-8L8,0L0,8L-8,0Z", transform: `translate(${place})` }) : s("circle", { class: "shape-dot", style: fill, cx: place[0], cy: place[1], r: 4.5 });
      });
      const named = Object.keys(task().losses).map((name, k) => s("text", { class: "haloed line-name", x: scale.left + 10, y: scale.top + 18 + k * NAME_PX, "text-anchor": "start", style: { fill: `var(${task().losses[name].token})` } }, `${task().losses[name].name}${name === chosen && scale.width >= NARROW_PX ? ", chosen" : ""}`));
      return { marks: [Object.keys(task().losses).map(path), dots], names: named };
    },
  };
  const picture = plane(spec);
  return { element: picture.element, draw: picture.draw };
}

function shapeTitle({ task, loss, delta }, points, line) {
  const { errorOf, losses } = TASKS[task];
  const costs = points.map((point) => losses[loss].of(errorOf(line, point), delta));
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  if (!total) return `Nothing is lost by ${losses[loss].name} loss`;
  return `The outlier makes ${Math.round((100 * costs.at(-1)) / total)} % of the ${losses[loss].name} loss of your line`;
}
