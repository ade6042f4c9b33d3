// The public interface, as any client would ask it.

/** A problem document that the service answered with. */
export class Refusal extends Error {
  constructor(problem) {
    super(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title);
    this.problem = problem;
  }
}

async function ask(path, options = {}) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  if (answer.ok) return answer;
  const text = await answer.text();
  let problem = { title: `${answer.status} ${answer.statusText}`, status: answer.status };
  if ((answer.headers.get("Content-Type") ?? "").includes("json")) problem = JSON.parse(text);
  throw new Refusal(problem);
}

const json = async (path, options) => (await ask(path, options)).json();
const post = (path, body) =>
  json(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

export const sessions = () => json("/v1/sessions?limit=200");
export const boot = (request) => post("/v1/sessions", request);
export const session = (id) => json(`/v1/sessions/${id}`);
export const drop = (id) => ask(`/v1/sessions/${id}`, { method: "DELETE" });
export const fork = (id, name) => post(`/v1/sessions/${id}/fork`, { name });
export const functions = async (id) => (await json(`/v1/sessions/${id}/functions`)).functions;
export const call = (id, name, body, explain) =>
  post(`/v1/sessions/${id}/calls/${name}?explain=${explain}`, body);
export const file = async (id, path) => (await ask(`/v1/sessions/${id}/${path}`)).text();
