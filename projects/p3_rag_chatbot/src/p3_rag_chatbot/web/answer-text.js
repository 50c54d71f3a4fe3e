// An answer's Markdown as DOM nodes: a small part of Markdown, built node by node, never as HTML. What a model or a
// document wrote cannot become markup: there are no links, no pictures, no tags.
//
//   answerText(text, { cite: (number) => node, unsupported: [[start, end]] })   → [nodes]
//   unsupportedRanges(text, checks)                                             → [[start, end]] in the text
//
// Paragraphs, headings, lists, quotes, fenced code; **bold**, *italic*, `code`, \escapes, [1] and [1, 2] as citations.

import { h } from "/design/elements.js";

const CITED = /^\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/;
const CITATIONS = /\s*\[\d{1,3}(?:\s*,\s*\d{1,3})*\]/g;
const BLOCKS = [
  { kind: "quote", pattern: /^> ?/ },
  { kind: "ul", pattern: /^\s*[-*•] +/ },
  { kind: "ol", pattern: /^\s*\d{1,3}[.)] +/ },
  { kind: "heading", pattern: /^#{1,6} +/ },
];

export function answerText(text, options) {
  return blocksOf(text).map((block) => blockNode(block, options));
}

/** Lines with their places, gathered to blocks: { kind, lines: [{ text, at }] }. */
function blocksOf(text) {
  const blocks = [];
  let at = 0;
  let fence = null;
  for (const line of text.split("\n")) {
    const start = at;
    at += line.length + 1;
    if (line.startsWith("```")) {
      fence = fence ? null : { kind: "code", lines: [] };
      if (fence) blocks.push(fence);
    } else if (fence) fence.lines.push({ text: line, at: start });
    else if (!line.trim()) blocks.push(null);
    else add(blocks, line, start);
  }
  return blocks.filter(Boolean);
}

function add(blocks, line, start) {
  const { kind, pattern } = BLOCKS.find((one) => one.pattern.test(line)) ?? { kind: "p", pattern: /^\s*/ };
  const skipped = line.match(pattern)[0].length;
  const item = { text: line.slice(skipped), at: start + skipped };
  const last = blocks.at(-1);
  if (last && last.kind === kind && kind !== "heading") last.lines.push(item);
  else blocks.push({ kind, lines: [item] });
}

function blockNode({ kind, lines }, options) {
  const inline = ({ text, at }) => inlineNodes(text, at, options);
  const broken = lines.flatMap((line, k) => (k ? [h("br"), ...inline(line)] : inline(line)));
  if (kind === "code") return h("pre", {}, h("code", {}, lines.map((line) => line.text).join("\n")));
  if (kind === "ul" || kind === "ol") return h(kind, {}, lines.map((line) => h("li", {}, inline(line))));
  if (kind === "quote") return h("blockquote", {}, broken);
  if (kind === "heading") return h("p", {}, h("strong", {}, broken));
  return h("p", {}, broken);
}

function inlineNodes(text, base, options) {
  const nodes = [];
  let plain = "";
  let plainAt = base;
  const flush = () => { if (plain) nodes.push(...marked(plain, plainAt, options.unsupported ?? [])); plain = ""; };
  const put = (node, from) => { flush(); nodes.push(node); plainAt = base + from; };
  let k = 0;
  while (k < text.length) {
    const found = special(text, k, base, options);
    if (found) {
      k += found.length;
      put(found.node, k);
    } else if (text[k] === "\\" && /[\\*_`[\]<>#]/.test(text[k + 1] ?? "")) {
      flush();
      plainAt = base + k + 1;
      plain = text[k + 1];
      k += 2;
    } else plain += text[k++];
  }
  flush();
  return nodes;
}

/** What begins at `k` and is more than a letter: { node, length }, else null. */
function special(text, k, base, options) {
  const rest = text.slice(k);
  const cited = rest.match(CITED);
  if (cited) return { node: h("span", { class: "cites" }, cited[1].split(",").map((one) => options.cite(Number(one)))), length: cited[0].length };
  const code = rest.match(/^`([^`]+)`/);
  if (code) return { node: h("code", {}, code[1]), length: code[0].length };
  for (const [mark, tag] of [["**", "strong"], ["*", "em"]]) {
    if (!rest.startsWith(mark) || !rest[mark.length]?.trim()) continue;
    const end = closing(rest, mark);
    if (end > mark.length) return { node: h(tag, {}, inlineNodes(rest.slice(mark.length, end), base + k + mark.length, options)), length: end + mark.length };
  }
  return null;
}

function closing(rest, mark) {
  for (let k = mark.length; k < rest.length; k++) {
    if (rest[k] === "\\") k++;
    else if (rest.startsWith(mark, k) && rest[k - 1].trim()) return k;
  }
  return -1;
}

function marked(text, at, ranges) {
  const nodes = [];
  let done = 0;
  for (const [start, end] of ranges) {
    const from = Math.max(start - at, done);
    const to = Math.min(end - at, text.length);
    if (from >= to) continue;
    if (from > done) nodes.push(text.slice(done, from));
    nodes.push(h("mark", { class: "unsupported", title: "No passage supports this sentence" }, text.slice(from, to)));
    done = to;
  }
  if (done < text.length) nodes.push(text.slice(done));
  return nodes;
}

/** Where the sentences that nothing supports stand; checks tell them without their citations. */
export function unsupportedRanges(text, checks) {
  const places = []; // of each letter of the bare text, its place in the text
  let bare = "";
  let at = 0;
  const keep = (until) => { for (; at < until; at++) { bare += text[at]; places.push(at); } };
  for (const found of text.matchAll(CITATIONS)) { keep(found.index); at += found[0].length; }
  keep(text.length);
  const ranges = [];
  let from = 0;
  for (const { sentence, is_supported: isSupported, is_withheld: isWithheld } of checks) {
    if (isWithheld) continue;
    const start = bare.indexOf(sentence, from);
    if (start < 0) continue;
    from = start + sentence.length;
    if (!isSupported && sentence) ranges.push([places[start], places[from - 1] + 1]);
  }
  return ranges;
}
