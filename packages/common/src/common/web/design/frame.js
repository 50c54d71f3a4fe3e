// The bar on top of every page: product, phase, health, theme, docs, API. And the stale state of the page.
//
//   <body><main class="page" id="main">…</main><script type="module" src="/page.js"></script></body>
//   import { mountFrame } from "/design/frame.js";
//   const frame = mountFrame({ product: "Prediction API", phase: 1, title: "Diabetes progression" });
//
//   product  what runs here                       phase  0–5, or null for the home page (sets <html data-phase>)
//   title    where in it (also document.title)    health "/readyz" (null = no dot)
//   docs     "/docs"                              api    "/openapi.json"        home  "/" (the brand's link)
//
//   frame.setTitle("…")   frame.check()   frame.onHealth((state) => …)
//   state = "ready" | "waiting" (answers, not ready; why in its title) | "gone" (no answer).
//   While gone, <html data-service="gone"> dims .goes-stale and a line under the bar says since when.
// Polls every 5 s, slower when gone (to 30 s), not at all in a hidden tab.

import { h, icon, s } from "/design/elements.js";

const POLL_MS = 5000;
const SLOWEST_POLL_MS = 30000;
const WORDS = { ready: "Ready", waiting: "Not ready", gone: "No answer" };

export function mountFrame({ product, phase = null, title = "", health = "/readyz", docs = "/docs", api = "/openapi.json", home = "/" }) {
  if (phase !== null) document.documentElement.dataset.phase = String(phase);
  const where = h("b", { class: "truncate" }, title || product);
  const staleLine = h("div", { class: "frame-stale", role: "status", hidden: true });
  const monitor = health && healthMonitor(health, staleLine);
  const bar = h(
    "div",
    { class: "frame-bar" },
    h("a", { class: "frame-brand", href: home, "aria-label": `${product}, start` }, mark(), h("span", { class: "name" }, product)),
    (title || phase !== null) && h("span", { class: "frame-where truncate" }, phase !== null && h("span", { class: "badge", "data-tone": "accent" }, `Phase ${phase}`), where),
    h("span", { class: "frame-gap" }),
    h("nav", { class: "frame-links", "aria-label": "Site" }, monitor && monitor.element, docs && h("a", { class: "frame-link", href: docs }, "Docs"), api && h("a", { class: "frame-link", href: api }, "API"), themeSwitch()),
  );
  const frame = h("header", { class: "frame" }, bar, staleLine);
  document.body.prepend(h("a", { class: "skip-link", href: "#main" }, "Skip to the content"), frame);
  const setTitle = (text) => {
    where.textContent = text;
    document.title = text && text !== product ? `${text} · ${product}` : product;
  };
  setTitle(title || product);
  return { element: frame, setTitle, check: monitor ? monitor.check : async () => "ready", onHealth: monitor ? monitor.onHealth : () => {} };
}

/** The brand: a line with a station that branches. */
function mark() {
  return s(
    "svg",
    { viewBox: "0 0 20 20", "aria-hidden": "true", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round" },
    s("path", { d: "M5 17V3M5 12c0-4 3-3 6-5" }),
    s("circle", { cx: "14.2", cy: "5.6", r: "2.6", fill: "currentColor", stroke: "none" }),
  );
}

function healthMonitor(url, staleLine) {
  const listeners = [];
  const dot = h("span", { class: "dot", "data-state": "waiting" });
  const word = h("span", { class: "word" }, "Checking");
  const element = h("button", { class: "frame-link frame-health", type: "button", title: "Check now" }, dot, word);
  let state = null;
  let goneSince = null;
  let waitMs = POLL_MS;
  let timer = null;

  const show = (next, reason) => {
    const isNews = next !== state;
    state = next;
    dot.dataset.state = next;
    word.textContent = WORDS[next];
    element.title = reason || WORDS[next];
    element.setAttribute("aria-label", `Service: ${WORDS[next]}. Check now`);
    goneSince = next === "gone" ? goneSince || new Date() : null;
    if (isNews) {
      document.documentElement.dataset.service = next;
      staleLine.hidden = next !== "gone";
      staleLine.replaceChildren(...(next === "gone" ? staleWords(goneSince, check) : []));
      listeners.forEach((listener) => listener(next));
    }
  };

  const check = async () => {
    clearTimeout(timer);
    const [next, reason] = await ask(url);
    show(next, reason);
    waitMs = next === "gone" ? Math.min(waitMs * 1.6, SLOWEST_POLL_MS) : POLL_MS;
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(check, waitMs);
    return next;
  };

  element.addEventListener("click", check);
  document.addEventListener("visibilitychange", () => document.hidden ? clearTimeout(timer) : check());
  check();
  return { element, check, onHealth: (listener) => { listeners.push(listener); if (state) listener(state); } };
}

function staleWords(since, check) {
  const at = since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return [
    h("p", {}, icon("warning"), `The service stopped answering at ${at}. What you see may be out of date; nothing you typed is lost.`),
    h("button", { class: "button", "data-size": "small", type: "button", onclick: check }, "Try again"),
  ];
}

async function ask(url) {
  try {
    const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (response.ok) return ["ready", ""];
    const body = await response.json().catch(() => ({}));
    return ["waiting", body.detail || body.title || `HTTP ${response.status}`];
  } catch {
    return ["gone", "No answer"];
  }
}

/** Cycles system → light → dark; the choice survives a reload (theme.js reads it before the first paint). */
function themeSwitch() {
  const root = document.documentElement;
  const button = h("button", { class: "frame-link", type: "button" });
  const draw = () => {
    const now = root.dataset.theme || "auto";
    const name = { auto: "system", light: "light", dark: "dark" }[now];
    button.replaceChildren(icon({ auto: "auto", light: "sun", dark: "moon" }[now]));
    button.title = `Theme: ${name}`;
    button.setAttribute("aria-label", `Theme: ${name}. Change`);
  };
  button.addEventListener("click", () => {
    const next = { auto: "light", light: "dark", dark: "auto" }[root.dataset.theme || "auto"];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === "auto") localStorage.removeItem("roadmap-theme");
      else localStorage.setItem("roadmap-theme", next);
    } catch {
      // Storage refused: the choice holds for this page.
    }
    draw();
    document.dispatchEvent(new Event("themechange"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("themechange")));
  draw();
  return button;
}
