// A guide: the frame on top, a copy button on every command, the list folded away on a small screen.

import { copyButton } from "/design/elements.js";
import { mountFrame } from "/design/frame.js";

const title = document.querySelector("main h1")?.textContent || "Guides";
mountFrame({ product: "AI Roadmap", title, docs: "/guides/" });
for (const block of document.querySelectorAll(".prose pre")) {
  block.classList.add("code");
  block.tabIndex = 0;
  block.append(copyButton(block.textContent));
}
if (matchMedia("(max-width: 860px)").matches) document.querySelector(".guide-list details").open = false;
