// Small builders for what has behaviour: DOM, icons, states, toasts, panel, tabs, dropzone, code, bars.
//
//   import { h, icon, toast, errorState, emptyState, skeleton, meter, badge, codeBlock, copyButton,
//            tabs, choices, sidePanel, dropzone, attributionBars } from "/design/elements.js";
//
//   h("button", { class: "button", onclick: go, "data-kind": "primary" }, "Train")   // DOM without innerHTML
//   main.replaceChildren(errorState(error, { retry: load }))       // error = ProblemError of http.js
//   emptyState({ title: "No model yet", text: "Train one on your table.", action: { label: "Train", run } })
//   skeleton(120)                                    // 120 px high placeholder, in the final layout
//   toast("Copied", { tone: "good" })
//   codeBlock("uv run roadmap up")                   // with a copy button
//   tabs([{ id: "data", label: "Data", content: node }], { param: "tab", onOpen: (id) => … })   // the open tab is in the URL
//   choices([{ value: 24, label: "24 hours" }], { label: "Range", value: 24, onChoose })         // one of a few, as chips
//   sidePanel({ param: "topic", render: (value) => ({ title, eyebrow, phase, body }) })   // ?topic=… opens it
//   dropzone({ accept: ".csv", label: "Drop a CSV", onFiles })
//   attributionBars([{ name: "age = 61", value: 0.21 }, { name: "bmi = 24", value: -0.08 }], { format })
// Knows no page and no API. Next: form.js, charts.js.

import { useApiKey } from "/design/http.js";

/** Build an element; on* become listeners, true/false attributes appear/vanish, children may be text, nodes, arrays, null. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  return fill(element, attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return fill(element, attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

const ICONS = {
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5V3.2c0-.4.3-.7.7-.7h6.6c.4 0 .7.3.7.7v6.6c0 .4-.3.7-.7.7h-2.3M3.2 5.5h6.6c.4 0 .7.3.7.7v6.6c0 .4-.3.7-.7.7H3.2a.7.7 0 0 1-.7-.7V6.2c0-.4.3-.7.7-.7z",
  check: "M3 8.5l3.2 3.2L13 4.8",
  sun: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6M8 1.2v1.4M8 13.4v1.4M1.2 8h1.4M13.4 8h1.4M3.2 3.2l1 1M11.8 11.8l1 1M12.8 3.2l-1 1M4.2 11.8l-1 1",
  moon: "M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7z",
  auto: "M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2M8 2.2v11.6M8 5h4.9M8 8h5.8M8 11h4.9",
  download: "M8 2.5v7.5M4.8 7L8 10.2 11.2 7M2.8 13.2h10.4",
  table: "M2.5 3.2h11v9.6h-11zM2.5 6.4h11M6.5 6.4v6.4",
  chart: "M2.5 13.2h11M4.5 10.5v-3M8 10.5v-7M11.5 10.5v-5",
  external: "M6.5 3.2H3.2v9.6h9.6V9.5M9.2 2.8h4v4M13 3L7.5 8.5",
  warning: "M8 2.6l5.8 10.2H2.2zM8 6.6v2.8M8 11.2v.1",
  back: "M10 3.2L5.2 8l4.8 4.8",
  retry: "M13 8a5 5 0 1 1-1.5-3.6M13.2 2.2v2.9h-2.9",
  send: "M2.8 8h9.4M8.4 4.2L12.2 8l-3.8 3.8",
  thumb: "M5 7.2v6.3H2.8V7.2zM5 7.2l2.5-4.9c.9 0 1.6.8 1.4 1.7L8.5 6.4h3.8c.8 0 1.4.8 1.2 1.6l-1.1 4.4c-.2.7-.7 1.1-1.4 1.1H5",
  upload: "M8 10.2V2.7M4.8 5.8L8 2.6l3.2 3.2M2.8 13.2h10.4",
};

/** A 16-px line icon; decorative, so the control it sits in needs its own name. */
export function icon(name) {
  return s(
    "svg",
    { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true", fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round" },
    s("path", { d: ICONS[name] }),
  );
}

export function badge(text, tone = null) {
  return h("span", { class: "badge", "data-tone": tone }, text);
}

/** A share of a whole, 0–1, with its words for those who do not see it. */
export function meter(share, label) {
  const now = Math.round(share * 100);
  return h(
    "div",
    { class: "meter", role: "meter", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": now, "aria-label": label },
    h("i", { style: { "--share": String(share) } }),
  );
}

export function skeleton(heightPx) {
  return h("div", { class: "skeleton", "aria-hidden": "true", style: { height: `${heightPx}px` } });
}

export function copyButton(text, { label = "Copy" } = {}) {
  const button = h("button", { class: "icon-button", type: "button", "aria-label": label, title: label }, icon("copy"));
  button.addEventListener("click", async () => {
    const isCopied = await copyText(text);
    button.replaceChildren(icon(isCopied ? "check" : "warning"));
    toast(isCopied ? "Copied" : "The browser refused the clipboard; select the text instead", { tone: isCopied ? "good" : "bad" });
    setTimeout(() => button.replaceChildren(icon("copy")), 1600);
  });
  return button;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // plain http on another host has no clipboard
  }
}

export function codeBlock(text, { label = "Copy the command" } = {}) {
  return h("div", { class: "code" }, h("pre", { tabindex: 0 }, h("code", {}, text)), copyButton(text, { label }));
}

export function emptyState({ title, text = "", action = null }) {
  const button = action && h("button", { class: "button", "data-kind": "primary", type: "button", onclick: action.run }, action.label);
  return h("div", { class: "state", "data-kind": "empty" }, h("h3", {}, title), text && h("p", { class: "muted" }, text), button);
}

/** What happened, what to do, and the request id to copy; a field for the API key when one is needed. */
export function errorState(error, { retry = null } = {}) {
  const problem = error.problem || { title: "The page failed", detail: error.message };
  const id = error.requestId;
  return h(
    "div",
    { class: "state", "data-kind": error.isUnreachable ? "stale" : "error", role: "alert" },
    h("h3", {}, problem.title),
    problem.detail && h("p", {}, problem.detail),
    id && h("p", { class: "request-id" }, "Request ", h("code", {}, id), copyButton(id, { label: "Copy the request id" })),
    problem.status === 401 && retry && keyForm(retry),
    retry && h("button", { class: "button", "data-size": "small", type: "button", onclick: retry }, icon("retry"), "Try again"),
  );
}

function keyForm(retry) {
  const input = h("input", { class: "input", type: "password", "aria-label": "API key", placeholder: "API key", autocomplete: "off" });
  const use = (event) => {
    event.preventDefault();
    useApiKey(input.value.trim());
    retry();
  };
  return h("form", { class: "key-form", onsubmit: use }, input, h("button", { class: "button", "data-kind": "primary", type: "submit" }, "Use this key"));
}

/** A short message that leaves by itself; errors stay until closed. */
export function toast(text, { tone = null } = {}) {
  let tray = document.querySelector(".toasts");
  if (!tray) {
    tray = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(tray);
  }
  const close = h("button", { class: "icon-button", type: "button", "aria-label": "Close" }, icon("close"));
  const item = h("div", { class: "toast", "data-tone": tone }, h("span", {}, text), close);
  close.addEventListener("click", () => item.remove());
  if (tone !== "bad") setTimeout(() => item.remove(), 4000);
  tray.append(item);
  return item;
}

/** Change one query parameter and tell whoever draws from the URL. */
export function setParam(name, value, { replace = false } = {}) {
  const url = new URL(location.href);
  if (value === null || value === "") url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  if (url.href === location.href) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function getParam(name) {
  return new URL(location.href).searchParams.get(name);
}

/** A panel that is open while ?param=… is in the URL. Escape, the cross and Back close it; focus returns. */
export function sidePanel({ param, render }) {
  let open = null; // {value, element}
  let cameFrom = null;
  const close = () => setParam(param, null);
  const show = (value) => {
    const content = render(value);
    const element = open?.element || h("aside", { class: "panel", role: "dialog", tabindex: -1 });
    fillPanel(element, content, close);
    if (!open) {
      cameFrom = document.activeElement;
      document.body.append(element);
    }
    if (open?.value !== value) {
      element.querySelector(".panel-body").scrollTop = 0;
      element.focus({ preventScroll: true });
    }
    open = { value, element };
  };
  const shut = () => {
    if (!open) return;
    const hadFocus = open.element.contains(document.activeElement);
    open.element.remove();
    open = null;
    if (hadFocus && cameFrom?.isConnected) cameFrom.focus({ preventScroll: true });
  };
  const sync = () => {
    const value = getParam(param);
    if (value === null) shut();
    else if (open?.value !== value) show(value);
  };
  addEventListener("popstate", sync);
  addEventListener("keydown", (event) => event.key === "Escape" && open && close());
  sync();
  return { sync, close, refresh: () => open && show(open.value) };
}

/** Draw the panel's content; a redraw keeps the scroll position and the focus. */
function fillPanel(element, { title, eyebrow = "", phase = null, body }, close) {
  const focusable = () => [...element.querySelectorAll("a, button, input")];
  const focusedAt = focusable().indexOf(document.activeElement);
  const scrollTop = element.querySelector(".panel-body")?.scrollTop || 0;
  element.setAttribute("aria-label", title);
  if (phase === null) delete element.dataset.phase;
  else element.dataset.phase = phase;
  element.replaceChildren(
    h(
      "header",
      { class: "panel-head" },
      h("div", {}, eyebrow && h("p", { class: "eyebrow" }, eyebrow), h("h2", {}, title)),
      h("button", { class: "icon-button", type: "button", "aria-label": "Close the panel", onclick: close }, icon("close")),
    ),
    h("div", { class: "panel-body stack" }, body),
  );
  element.querySelector(".panel-body").scrollTop = scrollTop;
  if (focusedAt >= 0) focusable()[focusedAt]?.focus({ preventScroll: true });
}

/** Tabs whose choice is in the URL; arrow keys move between them. `onOpen(id)` is told which one shows. */
export function tabs(items, { param = "tab", onOpen = null } = {}) {
  const buttons = items.map((item) =>
    h("button", { role: "tab", type: "button", id: `tab-${item.id}`, "aria-controls": `pane-${item.id}`, onclick: () => setParam(param, item.id) }, item.label),
  );
  const panes = items.map((item) => h("div", { role: "tabpanel", id: `pane-${item.id}`, "aria-labelledby": `tab-${item.id}` }, item.content));
  let open = null;
  const sync = () => {
    const chosen = Math.max(0, items.findIndex((item) => item.id === getParam(param)));
    buttons.forEach((button, k) => {
      button.setAttribute("aria-selected", String(k === chosen));
      button.tabIndex = k === chosen ? 0 : -1;
      panes[k].hidden = k !== chosen;
    });
    if (open !== chosen) {
      onOpen?.(items[chosen].id);
      requestAnimationFrame(() => bringIntoSight(list, buttons[chosen]));
    }
    open = chosen;
  };
  const list = h("div", { class: "tabs", role: "tablist" }, buttons);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + items.length) % items.length;
    setParam(param, items[next].id, { replace: true });
    buttons[next].focus();
  });
  addEventListener("popstate", sync);
  sync();
  return h("div", { class: "stack" }, list, panes);
}

/** Scroll a row sideways, and nothing else, until an item of it is seen. */
function bringIntoSight(list, item) {
  const [outer, inner] = [list.getBoundingClientRect(), item.getBoundingClientRect()];
  if (inner.left < outer.left) list.scrollLeft += inner.left - outer.left;
  else if (inner.right > outer.right) list.scrollLeft += inner.right - outer.right;
}

/** One of a few as chips: radio buttons, so the arrow keys move. `options`: [{ value, label }]. */
export function choices(options, { label, value = null, onChoose }) {
  const name = `choices-${(choices.count = (choices.count || 0) + 1)}`;
  const input = (option) => h("input", { type: "radio", name, value: String(option.value), checked: option.value === value, onchange: () => onChoose(option.value) });
  return h("fieldset", { class: "choices" }, h("legend", { class: "visually-hidden" }, label), options.map((option) => h("label", {}, input(option), h("span", { class: "truncate" }, option.label))));
}

/** A place to drop files that is a file input for everybody else. */
export function dropzone({ accept = "", multiple = false, label, hint = "", onFiles }) {
  const input = h("input", { type: "file", class: "visually-hidden", accept, multiple });
  const zone = h("label", { class: "dropzone" }, icon("upload"), h("b", {}, label), hint && h("span", { class: "hint" }, hint), input);
  const give = (files) => files.length && onFiles([...files]);
  input.addEventListener("change", () => { give(input.files); input.value = ""; });
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.dataset.over = ""; });
  zone.addEventListener("dragleave", () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    give(event.dataTransfer.files);
  });
  return zone;
}

/** Signed contributions around a zero line, longest first unless `isSorted`; the number stands beside its bar. */
export function attributionBars(parts, { format = (v) => (v > 0 ? "+" : "") + v.toFixed(2), isSorted = false, label = null } = {}) {
  const most = Math.max(...parts.map((part) => Math.abs(part.value)), Number.MIN_VALUE);
  const ordered = isSorted ? parts : [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const rows = ordered.map((part) => [
    h("span", { class: "truncate", title: part.note ? `${part.name} = ${part.note}` : part.name }, part.name, part.note && h("small", { class: "muted" }, ` ${part.note}`)),
    h("span", { class: "track", "aria-hidden": "true" }, h("i", { "data-sign": part.value < 0 ? "-" : "+", style: { "--share": String(Math.abs(part.value) / most) } })),
    h("span", { class: "num" }, format(part.value)),
  ]);
  return h("div", { class: "attribution", role: "group", "aria-label": label }, rows);
}
