// Versions in words and tables: the list, one version, what a move would change, how the alias moved.
// Knows the `ModelHistory` of the API.

import { badge, h, icon, setParam } from "/design/elements.js";
import { ago, capital, dateWords, delta, figure, isError, metricName } from "/design/words.js";

export function versions(told, { metric, allowedBy }, { promote, rollBack, isMoving }) {
  const serving = told.versions.find((one) => one.is_serving);
  const back = told.rolls_back_to;
  const backWords = back === null ? "Nothing to roll back to: the alias stood nowhere else" : `Roll back to version ${back}`;
  const rows = told.versions.map((one) => row(one, told, metric, serving, { promote, isMoving }));
  return h("section", { class: "card stack", "aria-labelledby": "versions-title" },
    h("header", { class: "row between" },
      h("h2", { id: "versions-title" }, serving ? `Version ${serving.version} answers${told.stands_on !== serving.version ? `; ${told.alias} stands on version ${told.stands_on}` : ""}` : "No version answers"),
      h("button", { class: "button", "data-key": "roll-back", type: "button", disabled: !told.may_change || back === null || isMoving, title: backWords, onclick: rollBack }, icon("back"), back === null ? "Roll back" : `Roll back to ${back}`)),
    !told.may_change && h("p", { class: "why-not" }, icon("warning"), `This service moves no alias when asked. Start it with ${allowedBy}, or move the alias in the registry.`),
    h("div", { class: "scroll-x" }, h("table", { class: "table", id: "versions" },
      h("thead", {}, h("tr", {}, h("th", {}, "Version"), h("th", { class: "num" }, metricName(metric)), h("th", { class: "wide" }, "Verdict"), h("th", { class: "wide" }, "Published"), h("th", { class: "num" }, h("span", { class: "visually-hidden" }, "Action")))),
      h("tbody", {}, rows))));
}

function row(one, told, metric, serving, { promote, isMoving }) {
  const score = one.metrics[metric];
  const than = serving && !one.is_serving && score !== undefined && serving.metrics[metric] !== undefined ? score - serving.metrics[metric] : null;
  const isThere = one.version === told.stands_on;
  return h("tr", { class: one.is_serving ? "serving" : null },
    h("td", {}, h("div", { class: "row" }, h("button", { class: "look", type: "button", "data-key": `version-${one.version}`, onclick: () => setParam("version", String(one.version)) }, `Version ${one.version}`), one.is_serving && badge("serving", "good"), one.aliases.map((alias) => badge(alias, alias === told.alias ? "accent" : null)))),
    h("td", { class: "num" }, figure(score), than !== null && h("small", { class: "muted delta" }, delta(than))),
    h("td", { class: "wide" }, one.verdict),
    h("td", { class: "wide when", title: dateWords(one.created_at) }, ago(one.created_at)),
    h("td", { class: "num" }, isThere ? null : h("button", { class: "button", "data-size": "small", "data-key": `promote-${one.version}`, type: "button", disabled: !told.may_change || isMoving, "aria-label": `Promote version ${one.version}`, onclick: () => promote(one.version) }, "Promote")));
}

/** What a move changes, figure by figure. */
export function change(told, to, metric) {
  const now = told.versions.find((one) => one.version === told.stands_on);
  const then = told.versions.find((one) => one.version === to);
  const names = [...new Set([metric, ...Object.keys(then?.metrics || {})])].filter((name) => then?.metrics[name] !== undefined);
  const isOtherData = now && then && now.data_fingerprint !== then.data_fingerprint;
  return [
    h("p", {}, now ? `${capital(told.alias)} moves from version ${now.version} to version ${to}.` : `${capital(told.alias)} moves to version ${to}.`, " What is being answered finishes on the old one; the log, the watch and this page follow."),
    h("div", { class: "scroll-x" }, comparison(now, then, names, metric)),
    isOtherData && h("p", { class: "hint" }, "The two were trained and scored on different data, so their figures are not of the same rows."),
  ];
}

function comparison(now, then, names, metric) {
  const rows = names.map((name) => {
    const [a, b] = [now?.metrics[name], then.metrics[name]];
    const by = a === undefined ? null : b - a;
    const isBetter = by !== null && (isError(name) ? by < 0 : by > 0);
    return h("tr", { class: name === metric ? "chosen" : null }, h("th", { scope: "row" }, metricName(name)), h("td", { class: "num" }, a === undefined ? "" : figure(a)), h("td", { class: "num" }, figure(b)), h("td", { class: "num" }, by === null ? "" : by === 0 ? "same" : `${delta(by)} ${isBetter ? "better" : "worse"}`));
  });
  return h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", {}, "Held out"), h("th", { class: "num" }, now ? `version ${now.version}` : ""), h("th", { class: "num" }, `version ${then.version}`), h("th", { class: "num" }, "change"))), h("tbody", {}, rows));
}

/** The side panel of one version. */
export function versionPanel(told, version, metric) {
  const one = told?.versions.find((each) => each.version === version);
  if (!one) return { title: `Version ${version}`, eyebrow: "Version", body: h("p", { class: "muted" }, told ? "There is no such version in the registry." : "It shows here once the history is known.") };
  const serving = told.versions.find((each) => each.is_serving && each.version !== version);
  const names = [...new Set([metric, ...Object.keys(one.metrics)])].filter((name) => one.metrics[name] !== undefined);
  return {
    title: `Version ${version}`, eyebrow: one.is_serving ? "Answers now" : "Published",
    body: [
      h("p", {}, one.verdict),
      h("div", { class: "scroll-x" }, comparison(serving, one, names, metric)),
      h("dl", { class: "pairs" }, [["Published", dateWords(one.created_at)], ["Aliases", one.aliases.join(", ") || "none"], ["Data", h("code", {}, one.data_fingerprint.slice(0, 19))], ["Code", h("code", {}, one.code_revision || "unknown")]].map(([term, words]) => [h("dt", {}, term), h("dd", {}, words)])),
    ],
  };
}

export function moves(told) {
  if (!told.moves.length) return null;
  const items = told.moves.map((one, k) => h("li", { class: k ? null : "latest" },
    h("span", {}, h("b", {}, one.is_roll_back ? `Rolled back to version ${one.version}` : `Version ${one.version}`), one.previous === null ? ", the first" : ` after version ${one.previous}`),
    h("time", { class: "muted", datetime: one.moved_at, title: dateWords(one.moved_at) }, ago(one.moved_at))));
  return h("section", { class: "card stack", "aria-labelledby": "moves-title" }, h("h2", { id: "moves-title" }, `How ${told.alias} moved`), h("ol", { class: "moves", id: "moves" }, items));
}
