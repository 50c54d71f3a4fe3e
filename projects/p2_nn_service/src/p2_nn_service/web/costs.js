// What a network costs, by each of the measures that are kept: their names, units and how they are written. No DOM.

import { spelled } from "/design/scales.js";

export const COSTS = {
  latency_ms: { label: "Latency", title: "Time for {one}, one thread", unit: "ms", write: (value) => `${spelled(value, 3)} ms` },
  n_parameters: { label: "Parameters", title: "Parameters", unit: "", write: (value) => shortened(value) },
  n_flops: { label: "Multiply-adds", title: "Multiply-adds of {one}", unit: "", write: (value) => shortened(value) },
  n_bytes: { label: "Bytes", title: "Size of the graph", unit: "bytes", write: (value) => bytesWords(value) },
  train_s: { label: "Training time", title: "Training", unit: "s", write: (value) => durationWords(value) },
};

const ONE = { images: "one image", series: "one series", text: "one text" };

/** A cost and its unit, for networks that read that kind of example. */
export const titleOf = (cost, kind) => COSTS[cost].title.replace("{one}", ONE[kind] ?? "one example");

const SIZES = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

export function shortened(value) {
  const found = SIZES.find(([size]) => value >= size);
  return found ? `${spelled(value / found[0], 3)} ${found[1]}` : spelled(value, 3);
}

export const bytesWords = (value) => `${shortened(value)}${value >= 1000 ? "" : " "}B`;

export function durationWords(seconds) {
  if (seconds < 100) return `${spelled(seconds, 2)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
