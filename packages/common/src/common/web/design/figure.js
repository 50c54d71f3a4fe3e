// What every chart owes its reader: the finding as its title, a table of its numbers, and downloads.
//
//   import { figureFrame, svgImages } from "/design/figure.js";
//   const frame = figureFrame({
//     current: () => ({ title, note, file, table: { columns, rows } }),   // asked anew at each use
//     plot, draw,                                  // the element of the picture, and how to draw it
//     images: svgImages(() => svg, () => file),    // { PNG, SVG }: what a press on the button does
//   });
//   main.append(frame.element);  frame.show();
//
// charts.js (Plotly) and plots.js (light SVG) draw into it. Knows neither.

import { h, icon, toast } from "/design/elements.js";

const ROWS_SHOWN = 200;
const IMAGE_SCALE = 2;
// What a drawing takes from the stylesheet and must carry with it when it leaves the page.
const PAINTED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "opacity", "font-family", "font-size", "font-weight", "text-anchor"];

export function figureFrame({ current, plot, draw, images }) {
  let isTable = false;
  const title = h("h3", { class: "chart-title" });
  const note = h("p", { class: "chart-note" });
  const sheet = h("div", { class: "scroll-x", hidden: true, tabindex: 0 });
  const toggle = h("button", { class: "icon-button", type: "button", title: "Show as a table", "aria-label": "Show as a table", onclick: () => { isTable = !isTable; show(); } });
  const save = () => saveText(csv(current().table), `${current().file}.csv`);
  const tools = h("div", { class: "chart-tools", role: "group", "aria-label": "Chart" }, toggle, Object.entries({ ...images, CSV: save }).map(([label, act]) => download(label, act)));
  const element = h("figure", { class: "chart" }, h("div", { class: "chart-head" }, h("div", {}, title, note), tools), plot, sheet);

  function show() {
    const now = current();
    title.textContent = now.title;
    note.textContent = now.note || "";
    note.hidden = !now.note;
    plot.hidden = isTable;
    sheet.hidden = !isTable;
    toggle.replaceChildren(icon(isTable ? "chart" : "table"));
    toggle.setAttribute("aria-pressed", String(isTable));
    if (!isTable) return draw();
    sheet.replaceChildren(tableElement(now.table));
  }
  /** When no picture can be drawn, the table stands in for good. */
  const onlyTable = () => {
    isTable = true;
    toggle.hidden = true;
    show();
  };
  return { element, show, onlyTable, isTable: () => isTable };
}

function download(label, act) {
  const run = () => Promise.resolve().then(act).catch((error) => toast(`The ${label} could not be made: ${error.message}`, { tone: "bad" }));
  return h("button", { class: "button", "data-kind": "quiet", "data-size": "small", type: "button", "aria-label": `Download ${label}`, title: `Download ${label}`, onclick: run }, label);
}

export function saveText(text, name, type = "text/csv") {
  saveBlob(new Blob([text], { type }), name);
}

export function saveBlob(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function csv({ columns, rows }) {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

export function tableElement({ columns, rows }) {
  const isNumber = columns.map((_, k) => rows.every((row) => typeof row[k] === "number" || row[k] === null));
  const written = (value) => (typeof value === "number" ? Number(value.toPrecision(6)).toLocaleString() : String(value ?? ""));
  const cells = (tag, row) => row.map((value, k) => h(tag, { class: isNumber[k] ? "num" : null }, tag === "th" ? value : written(value)));
  const body = rows.slice(0, ROWS_SHOWN).map((row) => h("tr", {}, cells("td", row)));
  const more = rows.length > ROWS_SHOWN && h("p", { class: "hint" }, `${ROWS_SHOWN} of ${rows.length} rows; the CSV has them all.`);
  return h("div", {}, h("table", { class: "table" }, h("thead", {}, h("tr", {}, cells("th", columns))), h("tbody", {}, body)), more);
}

/** The two images of an inline SVG: painted as it stands on the page, ground included. */
export function svgImages(svg, file) {
  const name = (ending) => `${file()}.${ending}`;
  return {
    PNG: async () => saveBlob(await rastered(standalone(svg())), name("png")),
    SVG: () => saveBlob(new Blob([standalone(svg()).text], { type: "image/svg+xml" }), name("svg")),
  };
}

function standalone(svg) {
  const copy = svg.cloneNode(true);
  const originals = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, k) => {
    const style = getComputedStyle(originals[k]);
    element.setAttribute("style", PAINTED.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
  });
  copy.querySelectorAll("[data-passing]").forEach((element) => element.remove()); // the cursor is no part of the picture
  const { width, height } = svg.getBoundingClientRect();
  const ground = getComputedStyle(svg.closest(".card") || document.body).backgroundColor;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const text = new XMLSerializer().serializeToString(copy).replace(/>/, `><rect width="100%" height="100%" fill="${ground}"/>`);
  return { text, width, height };
}

async function rastered({ text, width, height }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = new OffscreenCanvas(Math.ceil(width * IMAGE_SCALE), Math.ceil(height * IMAGE_SCALE));
  const context = canvas.getContext("2d");
  context.scale(IMAGE_SCALE, IMAGE_SCALE);
  context.drawImage(image, 0, 0, width, height);
  return canvas.convertToBlob({ type: "image/png" });
}
