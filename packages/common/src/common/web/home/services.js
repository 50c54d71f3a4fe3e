// The live services: what runs, where, with which model; and what to do when nothing does.
//
//   drawServices(host, { services, checkedAt, error, retry })
// Knows no request. Next: home.js polls.

import { badge, codeBlock, errorState, h } from "/design/elements.js";

const WORDS = { ready: "Ready", waiting: "Starting", gone: "No answer", failed: "Failed", off: "Not started", planned: "Planned" };

export function drawServices(host, { services, checkedAt, error = null, retry = null }) {
  const here = services.filter((service) => service.state !== "planned");
  const planned = services.filter((service) => service.state === "planned");
  const isStale = Boolean(error);
  const when = checkedAt && h("time", { class: "hint", datetime: checkedAt.toISOString() }, `${isStale ? "last seen " : ""}${checkedAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" })}`);
  host.dataset.stale = String(isStale);
  host.replaceChildren(
    h("header", { class: "card-head" }, h("h2", { id: "services-title" }, "Services"), when),
    isStale && !error.isUnreachable ? errorState(error, { retry }) : "",
    h("ul", { class: "services goes-stale" }, here.map((service) => row(service, isStale))),
    isStale || here.some((service) => ["ready", "waiting"].includes(service.state)) ? "" : start(),
    planned.length ? h("p", { class: "hint planned-services" }, `${planned.map((service) => `P${service.phase}`).join(", ")} arrive with their phases.`) : "",
  );
}

function start() {
  return h("div", { class: "stack start" }, h("p", { class: "muted" }, "No service runs. Start all that are built:"), codeBlock("uv run roadmap up"));
}

/** A service on this machine, asked for from another one, is reached by the name that the page was. */
export function reachable(url) {
  if (!url) return url;
  const target = new URL(url);
  const isLoopback = /^(127\.|localhost$|\[::1\]$)/;
  if (isLoopback.test(target.hostname) && !isLoopback.test(location.hostname)) target.hostname = location.hostname;
  return target.href;
}

function row(service, isStale) {
  const state = isStale ? "gone" : service.state;
  const name = service.page && service.state === "ready" ? h("a", { class: "service-name", href: reachable(service.page) }, service.title) : h("span", { class: "service-name" }, service.title);
  const dot = h("span", { class: "dot", "data-state": { ready: "ready", waiting: "waiting", gone: "gone", failed: "gone" }[state] || "off" });
  const links = service.url && [service.docs && h("a", { href: reachable(service.docs) }, "API"), h("span", { class: "mono truncate" }, service.url.replace(/^https?:\/\//, ""))];
  return h(
    "li",
    { class: "service", "data-phase": service.phase, "data-state": state },
    h("div", { class: "service-line" }, dot, name, h("span", { class: "service-state" }, isStale ? "Stale" : WORDS[service.state])),
    h("div", { class: "service-more" }, links, service.models.map((model) => badge(`${model.name} v${model.version}`, "accent")), service.n_restarts > 0 && h("span", { class: "hint" }, `restarted ${service.n_restarts} ×`), service.detail && h("span", { class: "hint" }, service.detail)),
  );
}
