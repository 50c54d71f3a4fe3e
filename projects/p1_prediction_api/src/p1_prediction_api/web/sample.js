// Rows made up around the model's typical row, to see the watch at work. Kinds and ranges come from the signature.

const N_REQUESTS = 12;
const ROWS_A_REQUEST = 5;
const SPREAD = 0.2; // of training's range, to either side of the typical value
const DAY_MS = 86_400_000;

export function someRows({ features }) {
  const one = () => Object.fromEntries(features.map((feature) => [feature.name, value(feature)]));
  return Array.from({ length: N_REQUESTS }, () => Array.from({ length: ROWS_A_REQUEST }, one));
}

function value(feature) {
  if (feature.kind === "category") return feature.categories[Math.floor(Math.random() * feature.categories.length)] ?? feature.example;
  const { low, high } = feature;
  if (feature.kind === "date") return new Date((low + Math.random() * (high - low)) * DAY_MS).toISOString().slice(0, 10);
  const near = feature.example + (Math.random() - 0.5) * 2 * SPREAD * (high - low);
  return Number(Math.min(high, Math.max(low, near)).toPrecision(6));
}
