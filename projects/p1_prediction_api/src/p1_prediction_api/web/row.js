// A row in the address, so that a prediction can be shared: #mean+radius=17.99&contract=one+year
// After the hash, because what stands there never leaves the browser. Values missing from it are missing.

export function rowInAddress(signature) {
  const found = new URLSearchParams(location.hash.slice(1));
  if (!signature.features.some((feature) => found.has(feature.name))) return null;
  return Object.fromEntries(signature.features.map(({ name, kind }) => [name, read(found.get(name), kind)]));
}

function read(text, kind) {
  if (text === null || text === "") return undefined;
  return kind === "number" && Number.isFinite(Number(text)) ? Number(text) : text;
}

export function putRowInAddress(row) {
  const given = Object.entries(row).filter(([, value]) => value !== undefined && value !== null);
  const hash = `#${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
  if (hash !== location.hash) history.pushState(null, "", `${location.pathname}${location.search}${hash}`);
}

/** Whether two rows ask the same: what is missing in one may be absent in the other. */
export function isSameRow(one, other) {
  const names = new Set([...Object.keys(one || {}), ...Object.keys(other || {})]);
  return Boolean(one && other) && [...names].every((name) => (one[name] ?? null) === (other[name] ?? null));
}
