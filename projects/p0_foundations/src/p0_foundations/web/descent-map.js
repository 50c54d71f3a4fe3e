// The pictures of the room on descent: the map with the path, the loss step by step, and the solid view.

import { cameraOf, isHome, seenFrom, turned } from "/camera.js";
import { chart, color } from "/design/charts.js";
import { choices, h, s } from "/design/elements.js";
import { plot } from "/design/plots.js";
import { spelled } from "/design/scales.js";
import { plane } from "/plane.js";
import { pair, titleOf } from "/steps.js";
import { levelsOf, terrain } from "/terrain.js";

const REACH_PX = 26; // how near the pointer must come to a point of the path
const ARROW_PX = 18; // shorter pieces carry no arrow
const DOT_PX = 5; // nearer ones would run together
const SOLID_CUT = 0.96; // share of the heights that the solid view shows

export function descentMap({ state, surface, run, step, change, hover }) {
  let levels = [];
  const view = () => ({ x: state().view.slice(0, 2), y: state().view.slice(2), xTitle: "x", yTitle: "y" });
  const title = () => (run() ? `${titleOf(run().asked.by)}: from loss ${spelled(run().losses[0])} at ${pair(run().points[0])} to ${spelled(run().losses[step()])} ${step() < run().points.length - 1 ? `at point ${step()}` : "at the end"}` : "The map of the function");
  const map = plane({
    current: () => ({ title: title(), note: noteOf(surface()), file: "descent", table: pathTable(run()) }),
    view,
    height: (width) => Math.round(Math.min(520, Math.max(300, width * 0.72))),
    back: (scale) => (surface() ? terrain(surface(), levels, scale) : []),
    front: (scale) => (run() ? pathOf(run(), step(), scale) : []),
    onPress: (at) => change({ start: at.map(rounded) }),
    onHover: (at, scale) => hover(at && run() ? nearest(run(), at, scale) : null),
  });
  map.handle({
    name: "start", at: () => state().start, label: () => `Start at ${pair(state().start)}`,
    mark: [s("circle", { class: "knob", r: 9 }), s("text", { class: "handle-name haloed", y: -15, "text-anchor": "middle" }, "start")],
    onMove: (at) => change({ start: at.map(rounded) }),
  });
  const zoom = (by) => () => {
    const [x0, x1, y0, y1] = state().view;
    const wider = (a, b) => [(a + b) / 2 - ((b - a) / 2) * by, (a + b) / 2 + ((b - a) / 2) * by];
    const next = [...wider(x0, x1), ...wider(y0, y1)].map((value) => Number(value.toPrecision(6)));
    if (next.every((value) => Math.abs(value) <= 1e5) && next[1] - next[0] > 1e-3) change({ view: next, k: state().k }, { isNew: true });
  };
  const button = (label, text, by) => h("button", { class: "icon-button", type: "button", "aria-label": label, title: label, onclick: zoom(by) }, text);
  map.element.querySelector(".chart-tools").prepend(button("Look closer", "+", 0.5), button("Look from further away", "−", 2));
  return {
    element: map.element,
    drawBack: () => { levels = levelsOf(surface()); map.draw(); },
    draw: map.drawFront,
  };
}

const rounded = (value) => Number(value.toPrecision(4));

function noteOf(surface) {
  if (!surface) return "";
  if (surface.lowest === null) return "The function has no finite value anywhere in this window";
  const isHoled = surface.values.some((row) => row.includes(null));
  return `Darker towards the accent is lower, from ${spelled(surface.lowest)} to ${spelled(surface.highest)}${isHoled ? "; blank: no value" : ""}`;
}

function pathTable(run) {
  if (!run) return { columns: ["Step", "x", "y", "Loss"], rows: [] };
  return { columns: ["Step", "x", "y", "Loss", "Slope x", "Slope y"], rows: run.points.map((point, k) => [k, ...point, run.losses[k], ...run.gradients[k]]) };
}

/** The point of the path nearest to the pointer, if one is near. */
function nearest({ points }, at, scale) {
  const [px, py] = [scale.x(at[0]), scale.y(at[1])];
  let best = [REACH_PX, null];
  points.forEach(([x, y], k) => {
    const far = Math.hypot(scale.x(x) - px, scale.y(y) - py);
    if (far < best[0]) best = [far, k];
  });
  return best[1];
}

/** The path up to the step shown, the rest faint; arrows where there is room; the end marked by its verdict. */
function pathOf(run, k, scale) {
  const all = run.points.map(([x, y]) => [scale.x(x), scale.y(y)]);
  const gone = run.verdict === "diverged" ? all.findIndex((place) => isFar(place, scale)) : -1;
  const places = gone < 0 ? all : all.slice(0, gone + 1); // beyond it the lines would only pile up
  const line = (part, name) => part.length > 1 && s("path", { class: `walk-line ${name}`, d: `M${part.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}` });
  const passed = places.slice(0, k + 1);
  const dots = apart(places).map((n) => s("circle", { class: n > k ? "walk-dot later" : "walk-dot", cx: places[n][0].toFixed(1), cy: places[n][1].toFixed(1), r: 2.5 }));
  const here = places[k];
  return [line(places, "later"), line(passed, "halo"), line(passed, "passed"), arrows(passed), dots, here && s("circle", { class: "walk-here", cx: here[0], cy: here[1], r: 6 })];
}

const isFar = ([x, y], { width, height }) => Math.abs(x) > 3 * width || Math.abs(y) > 3 * height;

/** Which of the places stand clear of the one before. */
function apart(places) {
  let last = null;
  return places.flatMap((place, n) => {
    if (last && Math.hypot(place[0] - last[0], place[1] - last[1]) < DOT_PX) return [];
    last = place;
    return [n];
  });
}

function arrows(places) {
  return places.slice(1).map(([x, y], n) => {
    const [fromX, fromY] = places[n];
    if (Math.hypot(x - fromX, y - fromY) < ARROW_PX) return null;
    const turn = (Math.atan2(y - fromY, x - fromX) * 180) / Math.PI;
    return s("path", { class: "walk-arrow", d: "M-5,-4L3,0L-5,4", transform: `translate(${((x + fromX) / 2).toFixed(1)} ${((y + fromY) / 2).toFixed(1)}) rotate(${turn.toFixed(1)})` });
  });
}

/** A power of ten as it is written by hand. */
function power(value) {
  if (!Number.isInteger(value) || Math.abs(value) < 4) return spelled(10 ** value, 2);
  return `10${[...String(value)].map((letter) => (letter === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[letter])).join("")}`;
}

/** The loss at every point; pointing at it points at the map too, pressing walks there. */
export function lossCurve({ state, run, step, change, hover, walkTo }) {
  const isLog = () => state().scale === "log" && run().losses.every((loss) => loss > 0);
  const spec = () => {
    const losses = run() ? run().losses : [0];
    const logged = run() && isLog();
    return {
      title: run() ? curveTitle(run()) : "The loss, step by step",
      note: run() && state().scale === "log" && !logged ? "On an even scale: a loss of 0 or below has no logarithm" : "",
      file: "descent-loss",
      x: { title: "Step", values: losses.map((_, k) => k), kind: "number" },
      panels: [{ height: 190, y: { title: "Loss", ...(logged ? { format: power } : {}) }, marks: [{ kind: "line", y: logged ? losses.map(Math.log10) : losses }] }],
      table: { columns: ["Step", "Loss"], rows: losses.map((loss, k) => [k, loss]) },
      mark: step(),
      onPick: (x) => walkTo(Math.round(x)),
      onHover: hover,
    };
  };
  const curve = plot(spec());
  const scale = choices([{ value: "log", label: "Powers of ten" }, { value: "linear", label: "Even" }], { label: "Scale of the loss", value: state().scale, onChoose: (value) => change({ scale: value, k: state().k }) });
  return { element: h("div", { class: "stack tight" }, curve.element, scale), draw: () => run() && curve.update(spec()) };
}

function curveTitle({ losses }) {
  const [first, last] = [losses[0], losses.at(-1)];
  if (losses.length === 1) return `The loss is ${spelled(first)} at the start, and there it stays`;
  const rises = losses.slice(1).filter((loss, k) => loss > losses[k]).length;
  const how = rises ? `rising at ${rises} of ${losses.length - 1} steps` : "lower at every step";
  return `The loss goes from ${spelled(first)} to ${spelled(last)}, ${how}`;
}

/** The surface as a solid, loaded when it is first opened. */
export function solidView({ state, surface, run, change }) {
  let solid = null;
  const body = h("div", {});
  const element = h("details", { class: "card solid", ontoggle: () => {
    const show = element.open ? "solid" : "map";
    if (state().show !== show) change({ show, k: state().k });
    draw();
  } }, h("summary", {}, "The same as a landscape in three dimensions"), body);
  let drawn = null;
  function draw() {
    if (element.open !== (state().show === "solid")) element.open = state().show === "solid";
    if (!element.open || !surface() || surface().lowest === null || !element.isConnected) return;
    const wanted = [surface(), run(), String(state().eye)];
    if (drawn && drawn.every((part, k) => part === wanted[k])) return;
    drawn = wanted;
    const spec = solidSpec(surface(), run(), state().eye);
    if (solid) return solid.update(spec);
    solid = chart(spec);
    body.append(solid.element);
    const picture = solid.element.querySelector(".chart-plot");
    picture.tabIndex = 0;
    picture.addEventListener("keydown", (event) => {
      const seen = !event.ctrlKey && !event.metaKey && !event.altKey && turned(state().eye, event.key);
      if (seen) { event.preventDefault(); look(seen); }
    });
    solid.drawn.then(() => picture.on?.("plotly_relayout", (moved) => {
      if (moved["scene.camera"]) look(seenFrom(moved["scene.camera"]), { isDrawn: true });
    }));
  }
  /** Keep where it is seen from in the address; home is what needs no words. */
  function look(seen, { isDrawn = false } = {}) {
    const eye = isHome(seen) ? null : seen;
    if (isDrawn && drawn) drawn[2] = String(eye);
    change({ eye, k: state().k });
  }
  document.addEventListener("themechange", () => { drawn = null; draw(); });
  return { element, draw };
}

function solidSpec(surface, run, eye) {
  const known = surface.values.flat().filter((value) => value !== null).sort((a, b) => a - b);
  const cut = known[Math.floor(SOLID_CUT * (known.length - 1))];
  const isCut = cut < known.at(-1);
  const inside = ([x, y], k) => x >= surface.x[0] && x <= surface.x.at(-1) && y >= surface.y[0] && y <= surface.y.at(-1) && run.losses[k] <= cut;
  const kept = run ? run.points.map((point, k) => [...point, run.losses[k]]).filter((point, k) => inside(point, k)) : [];
  const lift = (cut - known[0]) * 0.03;
  const axis = (title) => ({ title: { text: title }, color: color("--ink-2"), gridcolor: color("--grid"), zerolinecolor: color("--edge"), backgroundcolor: color("--surface") });
  return {
    title: "The path on the surface; drag to turn it, or the arrow keys",
    note: isCut ? `Heights above ${spelled(cut)} are cut off at the top` : "",
    height: 460, file: "descent-solid",
    table: { columns: ["x", "y", "Value"], rows: surface.y.flatMap((y, j) => surface.x.map((x, i) => [x, y, surface.values[j][i]])) },
    layout: { margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, scene: { xaxis: axis("x"), yaxis: axis("y"), zaxis: axis("f(x, y)"), aspectratio: { x: 1.2, y: 1.2, z: 0.7 }, camera: cameraOf(eye) } },
    data: [
      { type: "surface", name: "f", x: surface.x, y: surface.y, z: surface.values.map((row) => row.map((value) => (value === null ? null : Math.min(value, cut)))), showscale: false, colorscale: [[0, color("--accent")], [1, color("--accent-wash")]] },
      { type: "scatter3d", mode: "lines+markers", name: "", isInLegend: true, token: "--series-2", x: kept.map((p) => p[0]), y: kept.map((p) => p[1]), z: kept.map((p) => p[2] + lift), line: { color: color("--series-2"), width: 5 }, marker: { color: color("--series-2"), size: 2.5 } },
    ],
  };
}
