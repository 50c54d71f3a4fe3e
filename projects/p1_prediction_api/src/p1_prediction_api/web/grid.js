// The places of a what-if: round values over training's range, with the value asked among them. No DOM.

import { ticks } from "/design/scales.js";
import { valueWords } from "/words.js";

const MOST_CHOICES = 24;
const DAY_MS = 86_400_000;

/** { values: what goes into the row, asked: index of the value asked or −1, typical: index, range: training's ends or null }. */
export function gridOf(feature, asked, most) {
  if (feature.kind === "category") return categories(feature, asked, Math.min(most, MOST_CHOICES));
  const { low, high } = feature;
  const own = asked === undefined || asked === null ? null : daysOrNumber(feature, asked);
  const places = new Set([low, ...ticks(low, high, most), high]);
  if (own !== null) places.add(own);
  const sorted = [...places].sort((a, b) => a - b);
  const range = [low, high].map((place) => valueAt(feature, place));
  const values = sorted.map((place) => (place === own ? asked : valueAt(feature, place)));
  return { values, asked: own === null ? -1 : sorted.indexOf(own), typical: indexOfTypical(feature, sorted), range };
}

function categories(feature, asked, most) {
  const known = feature.categories.slice(0, most);
  const own = asked ?? null;
  const values = [...known, ...(feature.may_be_missing ? [null] : [])];
  if (!values.includes(own)) values.push(own);
  return { values, asked: values.indexOf(own), typical: 0, range: null };
}

function indexOfTypical(feature, sorted) {
  const typical = daysOrNumber(feature, feature.example);
  return sorted.reduce((best, place, k) => (Math.abs(place - typical) < Math.abs(sorted[best] - typical) ? k : best), 0);
}

// A date is days since 1970 inside, and ISO 8601 in a row; one without a zone is UTC, as the service reads it.
const inUtc = (text) => new Date(/T.*(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : text.includes("T") ? `${text}Z` : text);
const daysOrNumber = ({ kind }, value) => (kind === "date" ? inUtc(String(value)).getTime() / DAY_MS : Number(value));
const valueAt = ({ kind }, place) => (kind === "date" ? new Date(Math.round(place) * DAY_MS).toISOString().slice(0, 10) : place);

/** Where a value stands on the axis: a number, a moment, or its name. */
export function placeOf(feature, value) {
  if (feature.kind === "category") return valueWords(value);
  if (value === null || value === undefined) return null;
  return feature.kind === "date" ? inUtc(String(value)) : Number(value);
}

export function placeWords(feature, value) {
  if (feature.kind !== "date" || value === null || value === undefined) return valueWords(value, feature.unit);
  return String(value);
}

/** The place of the grid nearest to a value as it stands in the address or on the axis; −1 where there is none. */
export function indexNear({ values, range }, wanted) {
  if (range === null) return values.findIndex((value) => (value ?? "") === wanted);
  const isDates = typeof range[0] === "string";
  const number = (value) => (isDates ? inUtc(value instanceof Date ? value.toISOString() : String(value)).getTime() : Number(value));
  const place = isDates && typeof wanted === "number" ? wanted : number(wanted);
  if (!Number.isFinite(place)) return -1;
  return values.reduce((best, value, k) => (Math.abs(number(value) - place) < Math.abs(number(values[best]) - place) ? k : best), 0);
}
