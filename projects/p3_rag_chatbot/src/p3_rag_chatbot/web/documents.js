// Documents: what a collection holds, and how more comes in: files dropped or chosen, web addresses. The collection is
// in the address: ?collection=…. Read next: uploads.js, collection-forms.js.

import { confirmed } from "/design/dialog.js";
import { dropzone, emptyState, errorState, h, icon, skeleton, toast } from "/design/elements.js";
import { request } from "/design/http.js";
import { ago, count, dateWords } from "/design/words.js";
import { collectionHead } from "/collection-forms.js";
import { passageLink } from "/passage.js";
import { uploadQueue } from "/uploads.js";

const ACCEPT = ".pdf,.docx,.pptx,.xlsx,.csv,.html,.htm,.md,.txt,.eml,.zip,.py,.js,.ts,.java,.go,.rs,.c,.cpp,.json,.yaml,.toml";

export function documentsRoom({ shelf }) {
  const list = h("div", { class: "stack goes-stale" }, skeleton(320));
  const head = h("div", {}, skeleton(80));
  const uploads = uploadQueue({ collection: () => shelf.state().name, onDone: () => { shelf.refresh(); load(); } });
  const urls = webForm(uploads.addPages);
  const add = h("section", { class: "card stack", "aria-label": "Add documents" },
    h("h2", {}, "Add documents"),
    dropzone({ accept: ACCEPT, multiple: true, label: "Drop files, or choose them", hint: "PDF, Word, PowerPoint, Excel, CSV, HTML, Markdown, text, mail, code, or a ZIP of them", onFiles: uploads.addFiles }),
    urls, uploads.element);
  const element = h("div", { class: "stack" }, head, h("div", { class: "documents" }, h("section", { class: "card stack", "aria-label": "Documents" }, list), add));
  let loaded = null; // the collection whose documents are listed: { name, changedAt }
  let documents = [];
  let nextAfter = null;
  let isOpen = false;

  async function load() {
    const { name } = shelf.state();
    if (loaded?.name !== name) list.replaceChildren(skeleton(320));
    loaded = { name, changedAt: shelf.state().chosen?.changed_at };
    try {
      const found = await request(`/v1/collections/${encodeURIComponent(name)}/documents?limit=${Math.max(100, documents.length)}`);
      if (loaded.name !== name) return;
      ({ documents, next_after: nextAfter } = found);
      draw();
    } catch (error) {
      if (loaded.name === name) list.replaceChildren(errorState(error, { retry: load }));
    }
  }

  async function loadMore() {
    const { name } = loaded;
    try {
      const found = await request(`/v1/collections/${encodeURIComponent(name)}/documents?after=${encodeURIComponent(nextAfter)}`);
      if (loaded.name !== name) return;
      documents = [...documents, ...found.documents];
      nextAfter = found.next_after;
      draw();
    } catch (error) {
      toast(error.message, { tone: "bad" });
    }
  }

  function draw() {
    if (!documents.length) return list.replaceChildren(emptyState({ title: "No documents yet", text: "Drop files beside this, or name web pages. From a terminal, a folder comes in whole:" }), h("code", {}, `p3-rag-chatbot index PATH --collection ${loaded.name}`));
    list.replaceChildren(...[
      h("h2", {}, count(documents.length, "document"), nextAfter && " shown"),
      h("div", { class: "scroll-x" }, table(documents, remove)),
      nextAfter && h("button", { class: "button", type: "button", onclick: loadMore }, "Show more"),
    ].filter(Boolean));
  }

  async function remove(document) {
    if (!(await confirmed({ title: "Remove this document?", body: [h("p", {}, `${document.title || document.source} is not searched any more. The file itself stays where it is.`)], action: "Remove", tone: "danger" }))) return;
    try {
      await request(`/v1/documents/${encodeURIComponent(document.id)}`, { method: "DELETE" });
      toast("Removed", { tone: "good" });
      shelf.refresh();
      load();
    } catch (error) {
      toast(error.message, { tone: "bad" });
    }
  }

  shelf.onChange((state) => {
    head.replaceChildren(collectionHead(shelf, state));
    if (!isOpen || !state.collections) return;
    if (!state.chosen) { loaded = null; list.replaceChildren(emptyState({ title: `There is no collection ${state.name}`, text: "Choose another one, or make it." })); return; }
    if (loaded?.name !== state.name || loaded.changedAt !== state.chosen.changed_at) load();
  });
  return { element, open: () => { isOpen = true; shelf.refresh(); }, close: () => { isOpen = false; } };
}

function table(documents, remove) {
  const size = (one) => [one.n_pages && count(one.n_pages, "page"), `${(one.n_characters / 1000).toLocaleString(undefined, { maximumFractionDigits: 1 })}k characters`].filter(Boolean).join(", ");
  const row = (one) => h("tr", {},
    h("th", { scope: "row" }, passageLink({ document_id: one.id }, one.title || one.source), h("span", { class: "hint source" }, one.source), one.notes.map((note) => h("span", { class: "hint note" }, icon("warning"), `Not read: ${note}`))),
    h("td", { class: "wide" }, size(one)),
    h("td", { class: "num wide" }, one.n_chunks.toLocaleString()),
    h("td", { class: "wide" }, h("time", { datetime: one.indexed_at, title: dateWords(one.indexed_at) }, ago(one.indexed_at))),
    h("td", {}, h("button", { class: "icon-button", type: "button", "aria-label": `Remove ${one.title || one.source}`, title: "Remove", onclick: () => remove(one) }, icon("close"))));
  return h("table", { class: "table document-table" },
    h("thead", {}, h("tr", {}, h("th", {}, "Document"), h("th", { class: "wide" }, "Size"), h("th", { class: "num wide" }, "Passages"), h("th", { class: "wide" }, "Indexed"), h("th", {}, h("span", { class: "visually-hidden" }, "Remove")))),
    h("tbody", {}, documents.map(row)));
}

function webForm(onPages) {
  const input = h("textarea", { class: "input", rows: 2, id: "web-addresses", placeholder: "https://docs.example.org/guide\nhttps://docs.example.org/sitemap.xml" });
  const wrong = h("small", { class: "field-error", id: "web-error", role: "alert" });
  const send = (event) => {
    event.preventDefault();
    const urls = input.value.split(/\s+/).filter(Boolean);
    const bad = urls.find((one) => !/^https?:\/\/[^/]/.test(one));
    const error = !urls.length ? "Write an address, one a line." : bad ? `${bad} is none: it has to begin with https:// or http://` : urls.length > 100 ? "At most 100 at once; a sitemap counts as one." : "";
    wrong.textContent = error;
    input.setAttribute("aria-invalid", String(Boolean(error)));
    if (error) return input.focus();
    onPages(urls, () => { input.value = ""; });
  };
  return h("form", { class: "stack tight", onsubmit: send },
    h("label", { class: "field", for: "web-addresses" }, h("span", { class: "label" }, "Web pages and sitemaps, one address a line")), input, wrong,
    h("div", { class: "row between" }, h("span", { class: "hint" }, "Of the hosts in ", h("code", {}, "P3_WEB_HOSTS")), h("button", { class: "button", type: "submit" }, "Fetch and index")));
}
