// A plane with axes, layers and handles that are dragged by mouse, by touch and by the arrow keys.
//
//   const one = plane({
//     current: () => ({ title, note, file, table }),          // what figure.js asks for
//     view: () => ({ x: [-3, 3], y: [-3, 3], xTitle: "x", yTitle: "y" }),
//     height: (width) => 420,
//     back: (scale) => [nodes],  front: (scale) => [nodes],   // redrawn apart: the front follows a drag
//     onPress: ([x, y]) => …,  onHover: ([x, y] | null, scale) => …,
//   });
//   one.handle({ label: () => "Start", at: () => [x, y], onMove: ([x, y], key) => … });   // key: the way of an arrow key, else absent
//   main.append(one.element);  one.draw();  one.drawFront();
//
// Draws at its true width. A handle stays the same element, so that a redraw never takes the focus.
// Knows no function and no loss.

import { h, s } from "/design/elements.js";
import { figureFrame, svgImages } from "/design/figure.js";
import { spelled, ticks } from "/design/scales.js";

const MARGIN = { left: 44, right: 10, top: 8, bottom: 38 };
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const KEY_SHARE = 1 / 60;
const FAST = 5;
let made = 0;

export function plane({ current, view, height, back, front, onPress = null, onHover = null }) {
  const clip = `plane-clip-${(made += 1)}`;
  const layers = { axes: s("g"), back: s("g", { "clip-path": `url(#${clip})` }), front: s("g", { "clip-path": `url(#${clip})` }), names: s("g"), handles: s("g") };
  const opening = s("rect");
  const svg = s("svg", { class: "svg-chart plane", role: "group" }, s("defs", {}, s("clipPath", { id: clip }, opening)), layers.back, layers.axes, layers.front, layers.names, layers.handles);
  const holder = h("div", { class: "chart-plot plot" }, svg);
  const handles = [];
  let scale = null;
  let width = 0;

  function draw() {
    if (!width) return;
    scale = scaleOf(view(), width, height(width));
    for (const [name, value] of Object.entries({ width, height: scale.height, viewBox: `0 0 ${width} ${scale.height}` })) svg.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x: scale.left, y: scale.top, width: scale.right - scale.left, height: scale.bottom - scale.top })) opening.setAttribute(name, value);
    layers.axes.replaceChildren(...axes(scale, view()));
    layers.back.replaceChildren(...shown(back(scale)));
    drawFront();
  }
  function drawFront() {
    if (!scale) return;
    svg.setAttribute("aria-label", current().title);
    const drawn = front(scale);
    layers.front.replaceChildren(...shown(drawn.marks || drawn));
    layers.names.replaceChildren(...shown(drawn.names || []));
    handles.forEach((one) => one.place());
  }
  const frame = figureFrame({ current, plot: holder, draw, images: svgImages(() => svg, () => current().file) });
  const watcher = new ResizeObserver(([entry]) => {
    const wide = Math.round(entry.contentRect.width);
    if (!wide || wide === width) return;
    width = wide;
    draw();
  });
  watcher.observe(holder);
  document.addEventListener("themechange", () => draw());

  const at = (event) => {
    const box = svg.getBoundingClientRect();
    return scale.from([event.clientX - box.left, event.clientY - box.top]);
  };
  if (onPress) press(svg, at, onPress);
  if (onHover) {
    svg.addEventListener("pointermove", (event) => scale && !event.buttons && onHover(at(event), scale));
    svg.addEventListener("pointerleave", () => onHover(null, scale));
  }
  const handle = (spec) => {
    const one = handleOf(spec, { at, scale: () => scale });
    layers.handles.append(one.element);
    handles.push(one);
    one.place();
    return one;
  };
  return { element: frame.element, draw: () => frame.show(), drawFront: () => (frame.isTable() ? frame.show() : (titles(frame, current()), drawFront())), handle };
}

/** The words above the picture follow a drag; the rest of the frame stays. */
function titles({ element }, { title, note }) {
  element.querySelector(".chart-title").textContent = title;
  const line = element.querySelector(".chart-note");
  line.textContent = note || "";
  line.hidden = !note;
}

const shown = (nodes) => nodes.flat(Infinity).filter(Boolean);

function scaleOf({ x, y }, width, height) {
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const within = (value, [low, high]) => Math.min(high, Math.max(low, value));
  return {
    left, right, top, bottom, width, height, view: { x, y },
    x: (value) => left + ((value - x[0]) / (x[1] - x[0])) * (right - left),
    y: (value) => bottom - ((value - y[0]) / (y[1] - y[0])) * (bottom - top),
    from: ([px, py]) => [within(x[0] + ((px - left) / (right - left)) * (x[1] - x[0]), x), within(y[0] + ((bottom - py) / (bottom - top)) * (y[1] - y[0]), y)],
  };
}

function axes(scale, { x, y, xTitle, yTitle }) {
  const { left, right, top, bottom } = scale;
  const across = ticks(x[0], x[1], Math.max(3, (right - left) / 80)).map((value) => [
    s("line", { class: "axis", x1: scale.x(value), x2: scale.x(value), y1: bottom, y2: bottom + 4 }),
    s("text", { class: "label", x: scale.x(value), y: bottom + 17, "text-anchor": "middle" }, spelled(value)),
  ]);
  const up = ticks(y[0], y[1], Math.max(3, (bottom - top) / 60)).map((value) => [
    s("line", { class: "axis", x1: left - 4, x2: left, y1: scale.y(value), y2: scale.y(value) }),
    s("text", { class: "label", x: left - 8, y: scale.y(value) + 4, "text-anchor": "end" }, spelled(value)),
  ]);
  const names = [
    s("text", { class: "label", x: (left + right) / 2, y: bottom + 33, "text-anchor": "middle" }, xTitle),
    s("text", { class: "label", transform: `translate(11 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, yTitle),
  ];
  const box = s("rect", { class: "plane-box", x: left, y: top, width: right - left, height: bottom - top });
  return [box, ...shown([across, up, names])];
}

/** A press anywhere: the mouse goes on dragging; a finger taps, so that it can still scroll the page. */
function press(svg, at, onPress) {
  let isDragging = false;
  const isFree = (event) => event.button === 0 && !event.target.closest(".handle");
  svg.addEventListener("pointerdown", (event) => {
    if (!isFree(event) || event.pointerType === "touch") return;
    isDragging = true;
    svg.setPointerCapture(event.pointerId);
    onPress(at(event));
  });
  svg.addEventListener("pointermove", (event) => isDragging && onPress(at(event)));
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => { isDragging = false; });
  svg.addEventListener("click", (event) => event.pointerType === "touch" && isFree(event) && onPress(at(event)));
}

function handleOf({ label, at: where, onMove, name = "handle", mark = null }, { at, scale }) {
  const element = s("g", { class: `handle ${name}`, tabindex: 0, role: "slider", "aria-roledescription": "point in the plane" },
    s("circle", { class: "grip", r: 18 }), mark || s("circle", { class: "knob", r: 8 }));
  const place = () => {
    const now = scale();
    if (!now) return;
    const [x, y] = where();
    element.setAttribute("transform", `translate(${now.x(x).toFixed(1)} ${now.y(y).toFixed(1)})`);
    element.setAttribute("aria-label", `${label()}; the arrow keys move it, with Shift faster`);
    for (const [key, value] of Object.entries({ "aria-valuemin": now.view.x[0], "aria-valuemax": now.view.x[1], "aria-valuenow": x, "aria-valuetext": `x ${spelled(x)}, y ${spelled(y)}` })) element.setAttribute(key, value);
  };
  let isDragging = false;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    isDragging = true;
    element.setPointerCapture(event.pointerId);
    element.focus({ preventScroll: true });
    event.preventDefault();
  });
  element.addEventListener("pointermove", (event) => isDragging && onMove(at(event)));
  element.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // a group has no touch-action
  for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => { isDragging = false; });
  element.addEventListener("keydown", (event) => {
    const by = KEYS[event.key];
    if (!by) return;
    event.preventDefault();
    const { x: spanX, y: spanY } = scale().view;
    const share = KEY_SHARE * (event.shiftKey ? FAST : 1);
    const [x, y] = where();
    const moved = [x + by[0] * share * (spanX[1] - spanX[0]), y + by[1] * share * (spanY[1] - spanY[0])];
    onMove([Math.min(spanX[1], Math.max(spanX[0], moved[0])), Math.min(spanY[1], Math.max(spanY[0], moved[1]))], by);
  });
  return { element, place };
}
