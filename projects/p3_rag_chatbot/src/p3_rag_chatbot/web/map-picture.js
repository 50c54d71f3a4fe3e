// The map's picture: points, the one looked at with its document's others, a text placed among them with its nearest.
// Knows a map; fetches nothing.

import { s } from "/design/elements.js";

const PAD = 18;
const WIDEST = 760;
const NEAR_PX = 24;

/** Drawn for the width there is, so that words are as large as elsewhere; it stretches when that changes. */
export function mapPicture(map, room, { onLook, onPick }) {
  const width = Math.min(WIDEST, room || WIDEST);
  const height = Math.round(width * 0.7);
  const scale = scaleOf(map.points, width, height);
  const dots = map.points.map((one) => s("circle", { cx: scale.x(one.x), cy: scale.y(one.y), r: 3.5, class: "map-dot", "data-id": one.passage_id }));
  const index = new Map(map.points.map((one, k) => [one.passage_id, k]));
  const over = s("g", {});
  const placed = s("g", {});
  const element = s("svg", { class: "svg-chart map-picture", viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "application", "aria-label": `Map of ${map.points.length} passages; the arrow keys go through them, Enter keeps one` },
    s("line", { class: "rule", x1: PAD, x2: width - PAD, y1: scale.y(0), y2: scale.y(0) }), s("line", { class: "rule", y1: PAD, y2: height - PAD, x1: scale.x(0), x2: scale.x(0) }),
    dots, placed, over);
  let at = null;

  const nearest = (event) => {
    const box = element.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
    let [best, distance] = [null, NEAR_PX ** 2];
    map.points.forEach((one, k) => {
      const d = (scale.x(one.x) - x) ** 2 + (scale.y(one.y) - y) ** 2;
      if (d < distance) [best, distance] = [k, d];
    });
    return best;
  };
  const look = (k) => { if (k === at || k === null) return; at = k; onLook(map.points[k].passage_id); };
  element.addEventListener("pointermove", (event) => look(nearest(event)));
  element.addEventListener("click", (event) => { const k = nearest(event); onPick(k === null ? null : map.points[k].passage_id); });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); look(((at ?? (step > 0 ? -1 : 0)) + step + map.points.length) % map.points.length); }
    if (event.key === "Enter" && at !== null) onPick(map.points[at].passage_id);
  });

  function mark(id) {
    at = index.has(id) ? index.get(id) : null;
    const one = at === null ? null : map.points[at];
    dots.forEach((dot, k) => dot.toggleAttribute("data-same", one !== null && map.points[k].document === one.document));
    over.replaceChildren(...(one ? [s("circle", { class: "here", cx: scale.x(one.x), cy: scale.y(one.y), r: 6 }), label(map.documents[one.document].title, scale.x(one.x), scale.y(one.y), width)] : []));
  }

  function place(found) {
    const rings = (found?.nearest ?? []).filter((one) => index.has(one.passage_id)).map((one) => map.points[index.get(one.passage_id)]);
    const [x, y] = found ? [inside(scale.x(found.x), width), inside(scale.y(found.y), height)] : [];
    placed.replaceChildren(...(found ? [
      ...rings.map((one) => s("line", { class: "map-thread", x1: x, y1: y, x2: scale.x(one.x), y2: scale.y(one.y) })),
      ...rings.map((one) => s("circle", { class: "map-ring", cx: scale.x(one.x), cy: scale.y(one.y), r: 6 })),
      s("path", { class: "map-place", d: `M${x} ${y - 9}L${x + 9} ${y}L${x} ${y + 9}L${x - 9} ${y}Z` }, s("title", {}, found.text)),
      label(found.text, x, y, width),
    ] : []));
  }

  return { element, mark, place };
}

const inside = (value, most) => Math.min(most - PAD, Math.max(PAD, value));

/** Words beside a point, on the side where there is room. */
function label(text, x, y, width) {
  const words = text.length > 40 ? `${text.slice(0, 39)}…` : text;
  const isRight = x > width / 2;
  return s("text", { class: "readout haloed", x: x + (isRight ? -11 : 11), y: y + 4, "text-anchor": isRight ? "end" : "start" }, words);
}

/** One scale for both axes, so that distances are true. */
function scaleOf(points, width, height) {
  const [xs, ys] = [points.map((one) => one.x), points.map((one) => one.y)];
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const k = Math.min((width - 2 * PAD) / (right - left || 1), (height - 2 * PAD) / (high - low || 1));
  return { x: (v) => width / 2 + (v - (left + right) / 2) * k, y: (v) => height / 2 - (v - (low + high) / 2) * k };
}
