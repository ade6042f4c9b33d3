// The public interface of the service; the page asks nothing else.

/** A refused request, with its problem document. */
export class Problem extends Error {
  constructor(status, document) {
    const valid = document.valid?.length ? ` (${document.valid.slice(0, 4).join(", ")})` : "";
    super(`${document.detail || document.title || `HTTP ${status}`}${valid}`);
    this.status = status;
    this.document = document;
  }
}

/** The service cannot be reached. */
export class Unreachable extends Error {}

async function send(path, options = {}) {
  try {
    return await fetch(path, { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable(path);
  }
}

async function refuse(response) {
  let document = {};
  try {
    document = await response.json();
  } catch {
    // A proxy's answer is no problem document; its status says enough.
  }
  throw new Problem(response.status, document);
}

async function json(path, options) {
  const response = await send(path, options);
  if (!response.ok) await refuse(response);
  return response.status === 204 ? null : response.json();
}

const post = (path, body, headers = {}) =>
  json(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

// What was read last, by path: unchanged state costs one short answer.
const seen = new Map();
const seenLimit = 400;

async function tagged(path, signal) {
  const known = seen.get(path);
  const response = await send(path, { signal, headers: known ? { "If-None-Match": known.tag } : {} });
  if (response.status === 304 && known) return known.value;
  if (!response.ok) await refuse(response);
  const value = await response.json();
  const tag = response.headers.get("ETag");
  seen.delete(path);
  if (tag) seen.set(path, { tag, value });
  if (seen.size > seenLimit) seen.delete(seen.keys().next().value);
  return value;
}

const at = (id, rest = "") => `/v1/sessions/${encodeURIComponent(id)}${rest}`;

export const query = (fields) => {
  const used = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return used.length ? `?${new URLSearchParams(used.map(([key, value]) => [key, String(value)]))}` : "";
};

export const profiles = () => json("/v1/profiles").then((answer) => answer.profiles);
export const sessions = () => json(`/v1/sessions${query({ limit: 1000 })}`);
export const boot = (request) => post("/v1/sessions", request);
export const session = (id) => json(at(id));
export const drop = (id) => json(at(id), { method: "DELETE" });
export const rename = (id, name) =>
  json(at(id), { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name }) });
export const sweep = (id, calls, faults) => post(at(id, `/sweep${query({ faults })}`), calls);
export const fork = (id, name) => post(at(id, "/fork"), { name });
export const functions = (id) => json(at(id, "/functions")).then((answer) => answer.functions);
export const call = (id, name, body) => post(at(id, `/calls/${encodeURIComponent(name)}`), body);
export const view = (id, name, fields = {}, signal) => tagged(at(id, `/${name}${query(fields)}`), signal);
export const slabs = (id, cache, fields = {}) =>
  tagged(at(id, `/caches/${encodeURIComponent(cache)}/slabs${query(fields)}`));
export const scenarios = () => tagged("/v1/scenarios").then((answer) => answer.scenarios);
export const bootScenario = (name, steps) =>
  post(`/v1/scenarios/${encodeURIComponent(name)}/sessions${query({ steps })}`);

/** A file of the machine, as text. */
export async function file(id, path) {
  const response = await send(at(id, `/${path}`));
  if (!response.ok) await refuse(response);
  return response.text();
}

export const isUp = () =>
  send("/healthz").then(
    (response) => response.ok,
    () => false,
  );
export const callPath = (id, name) => at(id, `/calls/${name}`);
export const eventsPath = (id, after) => at(id, `/events${query({ last_event_id: after })}`);
