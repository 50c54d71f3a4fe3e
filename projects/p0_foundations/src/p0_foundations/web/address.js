// A room's state in the page's address, and requests of which only the newest matters.
//
//   const kept = address("d", { step: number(0.1, { above: 0 }), start: numbers(2), f: words("x^2") });
//   kept.read() → { step, start, f }      kept.write(state, { isNew: true })      // d-step=…&d-start=…
//   const ask = newest((asked, signal) => request(…), { done, failed });  ask(asked)
// What cannot be read is the default. `isNew` makes an entry of the history, else the last is replaced.

const finite = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : null);
const short = (value) => String(Number(value.toPrecision(6)));

export const number = (fallback, { from = -Infinity, to = Infinity } = {}) => ({
  fallback, write: short,
  read: (text) => { const value = finite(text); return value !== null && value >= from && value <= to ? value : fallback; },
});
export const numbers = (n, fallback = null) => ({
  fallback, write: (values) => values.map(short).join(","),
  read: (text) => { const values = text.split(",").map(finite); return values.length === n && !values.includes(null) ? values : fallback; },
});
export const words = (fallback, accepted = null) => ({ fallback, write: (text) => text, read: (text) => (!accepted || accepted.includes(text) ? text : fallback) });

export function address(prefix, parts) {
  const read = () => {
    const { searchParams } = new URL(location.href);
    return Object.fromEntries(Object.entries(parts).map(([key, part]) => {
      const text = searchParams.get(`${prefix}-${key}`);
      return [key, text === null ? part.fallback : part.read(text)];
    }));
  };
  const write = (state, { isNew = false } = {}) => {
    const url = new URL(location.href);
    for (const [key, part] of Object.entries(parts)) {
      const isDefault = state[key] === null || state[key] === undefined || part.write(state[key]) === (part.fallback === null ? null : part.write(part.fallback));
      if (isDefault) url.searchParams.delete(`${prefix}-${key}`);
      else url.searchParams.set(`${prefix}-${key}`, part.write(state[key]));
    }
    if (url.href !== location.href) history[isNew ? "pushState" : "replaceState"](null, "", url);
  };
  return { read, write };
}

/** One request under way, the last wish waits, those between are dropped: a drag stays smooth and the service calm. */
export function newest(ask, { done, failed }) {
  let isBusy = false;
  let wish = null;
  const go = async () => {
    isBusy = true;
    while (wish) {
      const asked = wish;
      wish = null;
      try {
        done(await ask(asked), asked);
      } catch (error) {
        if (!wish) failed(error, asked);
      }
    }
    isBusy = false;
  };
  return (asked) => {
    wish = asked;
    if (!isBusy) go();
  };
}
