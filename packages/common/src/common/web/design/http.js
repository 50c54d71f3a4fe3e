// Requests that fail in words. Knows RFC 9457 problem details; knows nothing of any page.
//
//   import { request, ProblemError } from "/design/http.js";
//   const model = await request("/v1/model");
//   const answer = await request("/v1/predict", { method: "POST", json: values, signal });
//   for await (const { name, data } of events("/v1/train", { method: "POST", json, signal })) …   // server-sent events
//
// A refusal throws ProblemError: .problem = {title, status, detail, errors: [{field, message, accepted}], …},
// .requestId (to copy into a report), .isUnreachable (no answer at all: the service is gone).
// A service with API keys answers 401; errorState then asks for the key, useApiKey(key) keeps it in this tab's
// sessionStorage, and every later request to this origin carries it.
// Next: elements.js (errorState draws a ProblemError), form.js (puts .problem.errors at the fields).

export class ProblemError extends Error {
  constructor(problem, { requestId = "", isUnreachable = false } = {}) {
    super(problem.detail || problem.title);
    this.name = "ProblemError";
    this.problem = problem;
    this.requestId = requestId || problem.request_id || "";
    this.isUnreachable = isUnreachable;
  }
}

const KEY_PLACE = "roadmap-api-key";

/** Remember the API key for this tab; an empty one forgets it. */
export function useApiKey(key) {
  if (key) sessionStorage.setItem(KEY_PLACE, key);
  else sessionStorage.removeItem(KEY_PLACE);
}

/** The key as a header, for this origin alone: no other host ever sees it. */
function keyHeader(url) {
  try {
    const key = sessionStorage.getItem(KEY_PLACE);
    const isOurs = new URL(url, location.href).origin === location.origin;
    return key && isOurs ? { authorization: `Bearer ${key}` } : {};
  } catch {
    return {}; // storage refused: no key was kept
  }
}

/** Fetch and parse JSON (or text, when the answer is not JSON); throw ProblemError on every failure. */
export async function request(url, options = {}) {
  const response = await opened(url, options);
  if (response.status === 204) return null;
  const isJson = (response.headers.get("content-type") || "").includes("json");
  return isJson ? response.json() : response.text();
}

/** Ask for server-sent events and yield them as they come: { name, data }, data parsed as JSON. An `error` event throws; `[DONE]`, which ends an OpenAI stream, is not told. */
export async function* events(url, options = {}) {
  const response = await opened(url, { ...options, headers: { accept: "text/event-stream, application/json", ...options.headers } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { value, done } = await reached(() => reader.read());
    if (done) return;
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const field = (name) => part.split("\n").filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2)).join("\n");
      if (field("data") === "[DONE]") continue;
      const event = { name: field("event") || "message", data: JSON.parse(field("data")) };
      if (event.name === "error") throw new ProblemError(event.data);
      yield event;
    }
  }
}

async function opened(url, { json, headers = {}, ...options }) {
  const init = { ...options, headers: { accept: "application/json", ...keyHeader(url), ...headers } };
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers["content-type"] = "application/json";
  }
  const response = await answerOf(url, init);
  if (!response.ok) throw await problemOf(response);
  return response;
}

const answerOf = (url, init) => reached(() => fetch(url, init));

/** Do what needs the network; a failure of it becomes a problem in words. */
async function reached(act) {
  try {
    return await act();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ProblemError(
      {
        title: "The service does not answer",
        status: 0,
        detail: "No connection could be made. Check that it is running, then try again.",
        errors: [],
      },
      { isUnreachable: true },
    );
  }
}

async function problemOf(response) {
  const requestId = response.headers.get("x-request-id") || "";
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // Not every refusal is JSON: a proxy in between may answer with a page of its own.
  }
  const title = problem.title || response.statusText || `HTTP ${response.status}`;
  const detail = typeof problem.detail === "string" ? problem.detail : "";
  return new ProblemError(
    { ...problem, title, detail, status: response.status, errors: problem.errors || [] },
    { requestId },
  );
}
