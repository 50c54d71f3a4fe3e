// Where a question is written: Enter asks, Shift+Enter begins a line. While an answer comes, the button stops it; what
// is typed meanwhile stays, also over a reload.

import { h, icon } from "/design/elements.js";

const PLACE = "roadmap-p3-draft";
const MOST = 8000;

export function composerForm({ onAsk, onStop }) {
  let isBusy = false;
  const box = h("textarea", { class: "input", rows: 1, "aria-label": "Question", placeholder: "Ask the documents…", maxlength: MOST, enterkeyhint: "send" });
  const button = h("button", { class: "button", "data-kind": "primary", type: "submit" });
  const element = h("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); send(); } }, box, button);

  const fit = () => { box.style.height = "auto"; box.style.height = `${Math.min(200, box.scrollHeight + 2)}px`; };
  const keep = () => { try { sessionStorage.setItem(PLACE, box.value); } catch { /* storage refused */ } };
  const draw = () => button.replaceChildren(...(isBusy ? ["Stop"] : [icon("send"), "Ask"]));

  function send() {
    if (isBusy) return onStop();
    const question = box.value.trim();
    if (!question) return box.focus();
    box.value = "";
    keep();
    fit();
    onAsk(question);
  }

  box.addEventListener("input", () => { fit(); keep(); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!isBusy) send();
    }
    if (event.key === "Escape" && isBusy) { event.stopPropagation(); onStop(); }
  });
  try { box.value = sessionStorage.getItem(PLACE) ?? ""; } catch { /* storage refused */ }
  draw();
  requestAnimationFrame(fit);
  return { element, focus: () => box.focus({ preventScroll: true }), setBusy: (now) => { isBusy = now; draw(); } };
}
