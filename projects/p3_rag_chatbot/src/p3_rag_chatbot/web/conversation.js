// A conversation: its turns, kept in this tab so that a reload loses nothing, told to the model as messages, and
// written out as Markdown or JSON. No DOM.
//
// A turn: { question, answers: [answer of asking.js] }; three answers where the depths stand side by side.

const PLACE = "roadmap-p3-conversation";

export function loadTurns() {
  try {
    const turns = JSON.parse(sessionStorage.getItem(PLACE)) ?? [];
    turns.flatMap((turn) => turn.answers).filter((one) => one.status === "asking").forEach((one) => { one.status = "stopped"; });
    return turns;
  } catch {
    return []; // storage refused, or of another version
  }
}

export function keepTurns(turns) {
  try {
    const kept = turns.map((turn) => ({ ...turn, answers: turn.answers.map((one) => ({ ...one, error: null, status: one.status === "failed" ? "stopped" : one.status })) }));
    sessionStorage.setItem(PLACE, JSON.stringify(kept));
  } catch {
    // Storage refused or full: the conversation lasts as long as the page.
  }
}

/** What was said before a question, and the question. Of answers side by side, the first that came to its end. */
export function messagesOf(turns, question) {
  const said = turns.flatMap((turn) => {
    const answer = turn.answers.find((one) => one.status === "done" && one.text);
    return answer ? [{ role: "user", content: turn.question }, { role: "assistant", content: answer.text }] : [];
  });
  return [...said, { role: "user", content: question }];
}

export function asMarkdown(turns) {
  const parts = turns.map((turn) => [`## ${turn.question}`, ...turn.answers.map(answerMarkdown)].join("\n\n"));
  return `# Conversation with documents\n\n${parts.join("\n\n")}\n`;
}

function answerMarkdown({ depth, text, rag, status }) {
  const sources = (rag?.citations ?? []).map((one) => `[${one.number}]: ${one.title}${one.headings.map((part) => ` › ${part}`).join("")}${one.page ? `, page ${one.page}` : ""} (${one.source}, characters ${one.start}–${one.end})`);
  const unsupported = (rag?.checks ?? []).filter((one) => !one.is_supported && !one.is_withheld).map((one) => `- not supported: ${one.sentence}`);
  const head = `*${depth}${rag?.collection ? `, collection ${rag.collection}` : ""}${status === "done" ? "" : `, ${status}`}*`;
  return [head, text || "(no text)", sources.join("  \n"), unsupported.join("\n")].filter(Boolean).join("\n\n");
}

export const asJson = (turns) => JSON.stringify({ exported_at: new Date().toISOString(), turns }, null, 2);
