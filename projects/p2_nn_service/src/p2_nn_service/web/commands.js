// Commands that a room tells a person to run, each with why and a copy button.

import { codeBlock, h } from "/design/elements.js";

export const TRAIN = "p2-nn-service train --dataset fashion-mnist --model cnn";

export const command = (why, text) => h("div", { class: "stack tight" }, h("p", { class: "hint" }, why), codeBlock(text));
