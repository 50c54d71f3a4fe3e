// One question asked over the OpenAI protocol, streamed. Knows the wire, draws nothing.
//
//   const answer = newAnswer("extract", "guides");
//   await ask(answer, messages, { onChange, signal });    // fills answer: text, rag, status, error, usage, id
// status: "asking" | "done" | "stopped" | "failed". What came before a stop or a failure stays.

import { events, ProblemError } from "/design/http.js";

export const DEPTHS = [
  { value: "extract", label: "Extract", about: "Quotes the sentence that answers" },
  { value: "generate", label: "Generate", about: "Writes from the passages; each sentence is checked" },
  { value: "free", label: "Free", about: "The bare model, without documents" },
];

export const newAnswer = (depth, collection) => ({ depth, collection, id: "", text: "", rag: null, usage: null, status: "asking", error: null, rating: null, finish: null });

export async function ask(answer, messages, { onChange, signal }) {
  Object.assign(answer, newAnswer(answer.depth, answer.collection));
  const json = {
    model: "rag", messages, stream: true, stream_options: { include_usage: true },
    rag: { depth: answer.depth, collection: answer.collection },
  };
  try {
    for await (const { data } of events("/v1/chat/completions", { method: "POST", json, signal })) {
      take(answer, data);
      onChange();
    }
    if (!answer.finish) throw new ProblemError({ title: "The answer broke off", detail: "The service ended the stream before the answer was whole. Ask again." });
    answer.status = "done";
  } catch (error) {
    answer.status = signal.aborted ? "stopped" : "failed";
    answer.error = signal.aborted ? null : error;
  }
  onChange();
}

function take(answer, chunk) {
  answer.id = chunk.id;
  if (chunk.usage) answer.usage = chunk.usage;
  if (chunk.rag) answer.rag = chunk.rag;
  const [choice] = chunk.choices;
  if (!choice) return;
  answer.text += choice.delta.content ?? "";
  answer.finish = choice.finish_reason ?? answer.finish;
}
