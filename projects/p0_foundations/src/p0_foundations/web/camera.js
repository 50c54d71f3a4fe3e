// Where a solid view is seen from: six numbers of the address, the camera that Plotly takes, and turning it by keys.

const HOME = [-0.95, -1.3, 0.95, 0, 0, -0.15]; // the eye, then what it looks at
const TURN = Math.PI / 18;
const NEAR = [0.4, 6]; // how far the eye may be
const TOP = Math.PI / 2 - 0.05;
const TURNS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const NEARER = { "+": 0.9, "=": 0.9, "-": 1 / 0.9 };
const point = ([x, y, z]) => ({ x, y, z });
const three = ({ x, y, z }) => [x, y, z].map((value) => Number(value.toFixed(3)));

export const cameraOf = (seen) => ({ eye: point(seen || HOME), center: point((seen || HOME).slice(3)) });
export const seenFrom = ({ eye, center }) => [...three(eye), ...three(center)];
export const isHome = (seen) => HOME.every((value, k) => Math.abs(value - seen[k]) < 5e-4);

/** The view after a key: an arrow turns it about what it looks at, plus and minus come nearer and go back; null for any other. */
export function turned(seen, key) {
  const turn = TURNS[key] || [0, 0];
  if (!TURNS[key] && !NEARER[key]) return null;
  const [from, to] = [(seen || HOME).slice(0, 3), (seen || HOME).slice(3)];
  const [x, y, z] = from.map((value, k) => value - to[k]);
  const reach = Math.min(NEAR[1], Math.max(NEAR[0], Math.hypot(x, y, z) * (NEARER[key] || 1)));
  const around = Math.atan2(y, x) + turn[0] * TURN;
  const up = Math.min(TOP, Math.max(-TOP, Math.atan2(z, Math.hypot(x, y)) + turn[1] * TURN));
  const eye = [Math.cos(up) * Math.cos(around), Math.cos(up) * Math.sin(around), Math.sin(up)].map((value, k) => to[k] + reach * value);
  return [...three(point(eye)), ...to];
}
