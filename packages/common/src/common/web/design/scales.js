// Round numbers and moments for an axis, and figures as a person writes them. No DOM.
//
//   ticks(0, 47, 5) → [0, 10, 20, 30, 40]       timeTicks(from, to, 6) → [[Date, "14:00"], …]
//   spelled(0.0312) → "0.031"                    timeWords(date) → "24 Nov 14:05"        percent(0.031) → "3.1 %"

const ROUND = [1, 2, 2.5, 5, 10];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SPANS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * MINUTE).concat([1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY));

/** About `n` round numbers from `low` to `high`, both ends within. */
export function ticks(low, high, n) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / Math.max(1, n);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ROUND.find((one) => one * power >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** Round moments of the reader's own clock, each with its words. */
export function timeTicks(from, to, n) {
  const [low, high] = [Number(from), Number(to)];
  const step = SPANS.find((span) => (high - low) / span <= n) || SPANS.at(-1);
  const offset = new Date(low).getTimezoneOffset() * MINUTE;
  const found = [];
  for (let at = Math.ceil((low - offset) / step) * step + offset; at <= high; at += step) found.push(at);
  const words = step >= DAY ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return found.map((at) => [new Date(at), new Date(at).toLocaleString(undefined, words)]);
}

export function timeWords(moment) {
  return moment.toLocaleString(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** A figure in at most four digits, with a true minus. */
export function spelled(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e9 || size < 1e-4)) return value.toExponential(1).replaceAll("-", "−");
  return value.toLocaleString(undefined, { maximumSignificantDigits: size >= 1e4 ? Math.max(digits, 6) : digits }).replace("-", "−");
}

/** A share as a percentage; what is not zero never reads as zero. */
export function percent(share) {
  if (share === null || share === undefined) return "";
  if (share > 0 && share < 0.001) return "<0.1 %";
  return `${(share * 100).toLocaleString(undefined, { maximumFractionDigits: share < 0.1 ? 1 : 0 })} %`;
}
