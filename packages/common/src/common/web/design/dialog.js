// One decision over everything: what will change, a button that does it, and a way out.
//
//   import { confirmed } from "/design/dialog.js";
//   if (await confirmed({ title: "Serve version 2?", body: [node, "words"], action: "Promote", tone: "danger" })) …
//
// The browser's own modal dialog: Escape and Cancel answer false, the focus goes in and comes back.

import { h } from "/design/elements.js";

export function confirmed({ title, body, action, tone = "primary" }) {
  const cancel = h("button", { class: "button", type: "submit", value: "cancel" }, "Cancel");
  const act = h("button", { class: "button", "data-kind": tone, type: "submit", value: "act" }, action);
  const dialog = h("dialog", { class: "dialog", "aria-label": title }, h("form", { class: "stack", method: "dialog" }, h("h2", {}, title), body, h("div", { class: "row" }, cancel, act)));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "act");
    });
  });
}
