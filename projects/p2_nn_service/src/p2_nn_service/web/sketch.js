// The stage: a square to draw on with pen, eraser and bucket, by mouse, touch or keys; or where a picture is shown.
//
//   const stage = sketchStage({ onDrawn: (strokes, { isDone }) => … });
//   stage.element   stage.setStrokes([…])   stage.showPicture(url, "shoe.jpg")   stage.strokes()   await stage.png()
//
// Arrow keys move the pen, Space puts it down and lifts it, Ctrl+Z takes a stroke back. Read next: strokes.js.

import { choices, h, icon } from "/design/elements.js";
import { SIDE, SIZES, UNITS, isFar, paint, within } from "/strokes.js";

const KEY_STEP = 25;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function sketchStage({ onDrawn }) {
  const canvas = h("canvas", { width: SIDE, height: SIDE, class: "sketch", tabindex: 0, role: "application", "aria-label": "Drawing. Arrow keys move the pen, Space puts it down or lifts it, Control Z takes a stroke back." });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const picture = h("img", { class: "stage-picture", hidden: true, alt: "" });
  const pen = h("i", { class: "pen-mark", hidden: true, "aria-hidden": "true" });
  const hint = h("p", { class: "stage-hint", "aria-hidden": "true" }, "Draw here");
  const said = h("p", { class: "visually-hidden", role: "status" });
  const stage = h("div", { class: "stage" }, canvas, picture, hint, pen);
  let strokes = [];
  let tool = "pen";
  let size = SIZES.medium;
  let drawing = null; // the stroke under way
  let keys = null; // where the pen is when keys move it

  const repaint = () => {
    paint(context, strokes);
    hint.hidden = strokes.length > 0 || !picture.hidden;
    undo.disabled = clear.disabled = strokes.length === 0;
  };
  const changed = (isDone) => { repaint(); onDrawn(strokes, { isDone }); };
  const begin = (point) => {
    picture.hidden = true;
    drawing = { tool, size, points: [point] };
    strokes = [...strokes, drawing];
    if (tool === "fill") drawing = null;
    changed(drawing === null);
  };
  const extend = (point) => {
    if (!drawing || !isFar(point, drawing.points.at(-1))) return;
    drawing.points.push(point);
    changed(false);
  };
  const end = () => { if (drawing) { drawing = null; changed(true); } };
  const back = () => { strokes = strokes.slice(0, -1); drawing = null; changed(true); };

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top].map((px) => within((px / box.width) * UNITS));
  };
  canvas.addEventListener("pointerdown", (event) => { if (event.button) return; canvas.setPointerCapture(event.pointerId); hideKeys(); begin(place(event)); });
  canvas.addEventListener("pointermove", (event) => event.getCoalescedEvents().concat(event).forEach((one) => extend(place(one))));
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("blur", () => { hideKeys(); });
  canvas.addEventListener("keydown", (event) => {
    const handled = (event.key === "z" && (event.ctrlKey || event.metaKey)) ? (strokes.length && back(), true) : byKey(event);
    if (handled) event.preventDefault();
  });

  function byKey({ key, shiftKey }) {
    if (key === " ") {
      keys ??= [UNITS / 2, UNITS / 2];
      if (drawing) end();
      else begin([...keys]);
    } else if (KEYS[key]) {
      const far = KEY_STEP * (shiftKey ? 4 : 1);
      keys = keys ? keys.map((value, k) => within(value + KEYS[key][k] * far)) : [UNITS / 2, UNITS / 2];
      extend([...keys]);
    } else return false;
    pen.hidden = false;
    pen.toggleAttribute("data-down", Boolean(drawing));
    ["left", "top"].forEach((side, k) => { pen.style[side] = `${keys[k] / 10}%`; });
    said.textContent = drawing ? "Pen is down" : "Pen is up";
    return true;
  }
  function hideKeys() {
    end();
    keys = null;
    pen.hidden = true;
  }

  const undo = h("button", { class: "button", "data-size": "small", type: "button", onclick: back }, icon("back"), "Undo");
  const clear = h("button", { class: "button", "data-size": "small", type: "button", onclick: () => { strokes = []; changed(true); canvas.focus(); } }, "Clear");
  const tools = h("div", { class: "sketch-tools" },
    choices([{ value: "pen", label: "Pen" }, { value: "eraser", label: "Eraser" }, { value: "fill", label: "Fill" }], { label: "Tool", value: tool, onChoose: (chosen) => { tool = chosen; } }),
    choices(Object.entries(SIZES).map(([label, value]) => ({ label, value })), { label: "Thickness", value: size, onChoose: (chosen) => { size = chosen; } }),
    h("div", { class: "row" }, undo, clear));
  const element = h("div", { class: "stack tight" }, stage, tools, said);
  repaint();

  return {
    element,
    strokes: () => strokes,
    setStrokes: (next) => { picture.hidden = true; drawing = null; strokes = next; repaint(); },
    showPicture: (url, name, { isSmall = false } = {}) => {
      strokes = [];
      Object.assign(picture, { src: url, alt: name, hidden: false });
      picture.toggleAttribute("data-small", isSmall);
      repaint();
    },
    png: () => new Promise((resolve) => canvas.toBlob(resolve, "image/png")),
  };
}
