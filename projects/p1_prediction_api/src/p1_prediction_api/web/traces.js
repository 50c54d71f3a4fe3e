// The few shapes of Plotly that a diagnosis is drawn with. Colours are tokens: charts.js paints them.

export const dots = (name, x, y, more = {}) => ({ type: "scatter", mode: "markers", name, x, y, ...more });

export const bars = (names, values, more = {}) => ({ type: "bar", orientation: "h", x: values, y: names, ...more });

/** Whiskers from intervals that need not be even. */
export const spread = (estimates) => ({ type: "data", symmetric: false, array: estimates.map((one) => one.high - one.value), arrayminus: estimates.map((one) => one.value - one.low), thickness: 1.25, width: 3 });

/** A stretch between two lines, filled. */
export const band = (x, low, high) => [
  dots("10 % of rows below", x, low, { mode: "lines", line: { width: 0 }, showlegend: false, isInLegend: true, hoverinfo: "skip" }),
  dots("80 % of rows", x, high, { mode: "lines", line: { width: 0 }, fill: "tonexty", fillToken: "--accent-wash", isInLegend: true, hoverinfo: "skip" }),
];

export const diagonal = (name = "guessing") => dots(name, [0, 1], [0, 1], { mode: "lines", token: "--ink-3", line: { dash: "dash", width: 1.5 }, isInLegend: true });

/** A vertical line through the whole height at a place of x. */
export const vertical = (x) => ({ type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", token: "--ink-3", line: { dash: "dash", width: 1 } });

/** Counts by true class and said class, coloured by the share of the true class. */
export const heat = (classes, counts) => ({
  type: "heatmap", x: classes, y: classes, zmin: 0, zmax: 1, showscale: false, xgap: 2, ygap: 2,
  z: counts.map((row) => { const sum = row.reduce((a, b) => a + b, 0) || 1; return row.map((n) => n / sum); }),
  text: counts, texttemplate: classes.length <= 12 ? "%{text}" : "", hovertemplate: "true %{y}, said %{x}: %{text} rows<extra></extra>",
});
