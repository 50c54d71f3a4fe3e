// A drawing as a list of strokes: how it is painted, and how it stands in the address. No requests.
//
//   stroke = { tool: "pen" | "eraser" | "fill", size: 1–9, points: [[x, y], …] }     x and y from 0 to 999
//   paint(context, strokes)         dark on white paper, SIDE pixels square
//   toText(strokes) → "p4:2s2s3a3a…"     fromText(text) → strokes, or [] for what is no drawing
//
// Strokes rather than pixels, so that undo is dropping one and a drawing can be shared by its link.

export const SIDE = 280;
export const UNITS = 1000;
export const SIZES = { fine: 2, medium: 4, thick: 7 };
const WIDTH_OF_SIZE = 5;
const PAPER = "#fff";
const INK = "#1b1b1b";
const SOFT_EDGE = 40; // what is lighter is filled: paper, and the soft edge of a line
const CLOSE = 9; // units: points nearer than this add nothing
const MOST_LETTERS = 6000;
const TOOLS = { p: "pen", e: "eraser", f: "fill" };
const LETTERS = { pen: "p", eraser: "e", fill: "f" };

export function paint(context, strokes) {
  context.fillStyle = PAPER;
  context.fillRect(0, 0, SIDE, SIDE);
  strokes.forEach((stroke) => paintOne(context, stroke));
}

export function paintOne(context, { tool, size, points }) {
  if (tool === "fill") return flood(context, points[0].map((v) => Math.min(SIDE - 1, Math.floor((v / UNITS) * SIDE))));
  const at = ([x, y]) => [(x / UNITS) * SIDE, (y / UNITS) * SIDE];
  context.strokeStyle = tool === "pen" ? INK : PAPER;
  context.lineWidth = size * WIDTH_OF_SIZE * (tool === "pen" ? 1 : 1.6);
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...at(points[0]));
  points.slice(1).forEach((point) => context.lineTo(...at(point)));
  if (points.length === 1) context.lineTo(at(points[0])[0] + 0.1, at(points[0])[1]);
  context.stroke();
}

/** Fill the area of one tone around a place. */
function flood(context, [x, y]) {
  const image = context.getImageData(0, 0, SIDE, SIDE);
  const isPaper = (k) => image.data[4 * k] > SOFT_EDGE;
  if (!isPaper(y * SIDE + x)) return;
  const waiting = [y * SIDE + x];
  const ink = Number.parseInt(INK.slice(1, 3), 16);
  while (waiting.length) {
    const k = waiting.pop();
    if (!isPaper(k)) continue;
    image.data.fill(ink, 4 * k, 4 * k + 3);
    const column = k % SIDE;
    if (column > 0) waiting.push(k - 1);
    if (column < SIDE - 1) waiting.push(k + 1);
    if (k >= SIDE) waiting.push(k - SIDE);
    if (k < SIDE * (SIDE - 1)) waiting.push(k + SIDE);
  }
  context.putImageData(image, 0, 0);
}

/** Whether a point is far enough from the last to be worth keeping. */
export const isFar = ([x, y], last) => !last || Math.hypot(x - last[0], y - last[1]) >= CLOSE;

export const within = (value) => Math.min(UNITS - 1, Math.max(0, Math.round(value)));
const spelled = (value) => within(value).toString(36).padStart(2, "0");

export function toText(strokes) {
  return strokes.map(({ tool, size, points }) => `${LETTERS[tool]}${size}:${points.flat().map(spelled).join("")}`).join(".");
}

export function fromText(text) {
  if (!text || text.length > MOST_LETTERS * 4) return [];
  const strokes = text.split(".").map((part) => {
    const found = /^([pef])([1-9]):((?:[0-9a-z]{4})+)$/.exec(part);
    if (!found) return null;
    const numbers = found[3].match(/../g).map((two) => Number.parseInt(two, 36));
    const points = Array.from({ length: numbers.length / 2 }, (_, k) => [within(numbers[2 * k]), within(numbers[2 * k + 1])]);
    return { tool: TOOLS[found[1]], size: Number(found[2]), points };
  });
  return strokes.includes(null) ? [] : strokes;
}
