// Draws what the interface answers, and turns the page's forms into requests.
import * as api from "./api.js";

const byId = (id) => document.getElementById(id);
const refreshMilliseconds = 2000;
let chosen = null;
let functions = [];
let slabinfo = "";

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Runs an action and shows what went wrong with it, if anything. */
async function attempt(action) {
  const trouble = byId("trouble");
  try {
    await action();
    trouble.hidden = true;
  } catch (error) {
    trouble.textContent = error.message;
    trouble.hidden = false;
  }
}

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${Number(count.toFixed(1))} ${units[unit]}`;
}

// Sessions

async function showSessions() {
  const { sessions, next_cursor: next } = await api.sessions();
  byId("sessions").replaceChildren(...sessions.map(sessionRow));
  byId("sessions-note").textContent =
    sessions.length === 0 ? "None yet: boot one." : next ? "There are more than these." : "";
  if (chosen && !sessions.some((session) => session.id === chosen)) {
    if (!next) choose(null);
  }
}

function sessionRow(session) {
  const link = element("a", { href: `#${session.id}`, textContent: session.name || session.id.slice(0, 12) });
  link.title = session.id;
  const held = element("small", { textContent: bytes(session.held_bytes) });
  const fork = element("button", { className: "plain", type: "button", textContent: "fork" });
  fork.title = "A second session in the same state";
  fork.addEventListener("click", () =>
    attempt(async () => {
      const copy = await api.fork(session.id, `${session.name || session.id.slice(0, 6)} fork`);
      location.hash = copy.id;
      await showSessions();
    }),
  );
  const drop = element("button", { className: "plain", type: "button", textContent: "drop" });
  drop.addEventListener("click", () =>
    attempt(async () => {
      await api.drop(session.id);
      await showSessions();
    }),
  );
  return element("li", { className: session.id === chosen ? "chosen" : "" }, link, held, fork, drop);
}

byId("boot").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  attempt(async () => {
    const machine = { memory: form.get("memory"), cpus: Number(form.get("cpus")) };
    const session = await api.boot({ name: form.get("name"), machine });
    location.hash = session.id;
    await showSessions();
  });
});

// One machine

async function choose(id) {
  chosen = id;
  byId("machine").hidden = !id;
  byId("answer").hidden = true;
  if (!id) return;
  functions = await api.functions(id);
  const before = byId("function").value;
  byId("function").replaceChildren(
    ...functions.map(({ name }) => element("option", { value: name, textContent: name })),
  );
  byId("function").value = functions.some(({ name }) => name === before) ? before : "kmalloc";
  showArguments();
  await showMachine();
}

async function showMachine() {
  const id = chosen;
  if (!id) return;
  const [session, buddyinfo, slabs] = await Promise.all([
    api.session(id),
    api.file(id, "proc/buddyinfo"),
    api.file(id, "proc/slabinfo"),
  ]);
  if (id !== chosen) return;
  const { machine } = session;
  byId("machine-title").textContent = session.name || session.id;
  byId("machine-facts").textContent =
    `${machine.profile} · ${bytes(machine.memory)} · ${machine.cpus} CPU${machine.cpus > 1 ? "s" : ""}` +
    ` · ${session.seq} call${session.seq === 1 ? "" : "s"}${session.panicked ? " · panicked" : ""}`;
  byId("buddyinfo").textContent = buddyinfo;
  slabinfo = slabs;
  showCaches();
  const path = `${location.origin}/v1/sessions/${id}`;
  byId("terminal").textContent =
    `curl -d size=192 -d flags=GFP_KERNEL '${path}/calls/kmalloc?explain=true'\n` +
    `curl ${path}/zones\ncurl ${path}/allocations\ncurl '${path}/pages?buckets=16'`;
}

/** Caches with objects, as the full table is long. */
function showCaches() {
  const all = byId("all-caches").checked;
  byId("slabinfo").textContent = slabinfo
    .split("\n")
    .filter((line) => all || line.startsWith("#") || !/^\S+\s+0\s+0\s/.test(line))
    .join("\n");
}

byId("all-caches").addEventListener("change", showCaches);

// A call

const chosenFunction = () => functions.find(({ name }) => name === byId("function").value);

const examples = {
  gfp: "GFP_KERNEL",
  bytes: '{"text": "hello"}',
  address: "0xffff888000100000",
  page: "0xffffea0000040000",
  addresses: '["0xffff888000100000"]',
};

function showArguments() {
  const { summary, returns, parameters } = chosenFunction();
  byId("summary").textContent = `${summary} Returns ${returns}.`;
  byId("arguments").replaceChildren(
    ...parameters.map((parameter) => {
      const input = element("input", { name: parameter.name, required: !parameter.optional });
      input.placeholder = parameter.values?.join("|") ?? examples[parameter.type] ?? parameter.type;
      input.value = parameter.type === "gfp" && !parameter.optional ? "GFP_KERNEL" : "";
      const type = parameter.optional ? `${parameter.type}, optional` : parameter.type;
      return element(
        "label",
        {},
        `${parameter.name} `,
        element("small", { textContent: `${type}: ${parameter.summary}` }),
        input,
      );
    }),
  );
}

/** Text that is JSON already goes out as it is: byte strings and lists. */
function argument(text) {
  return /^[[{]/.test(text.trim()) ? JSON.parse(text) : text;
}

byId("function").addEventListener("change", showArguments);

byId("call").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const { name, parameters } = chosenFunction();
  attempt(async () => {
    const body = {};
    for (const parameter of parameters) {
      const text = form.get(parameter.name) ?? "";
      if (text !== "") body[parameter.name] = argument(text);
    }
    try {
      showOutcome(await api.call(chosen, name, body, form.has("explain")));
    } catch (error) {
      if (!(error instanceof api.Refusal)) throw error;
      showRefusal(error.problem);
    }
    await Promise.all([showMachine(), showSessions()]);
  });
});

function showAnswer(title, steps, log, answer) {
  byId("answer").hidden = false;
  byId("answer-return").textContent = title;
  byId("explain").replaceChildren(...steps.map((text) => element("li", { textContent: text })));
  byId("answer-log").textContent = log.join("\n");
  byId("answer-log").hidden = log.length === 0;
  byId("answer-json").textContent = JSON.stringify(answer, null, 2);
}

function showOutcome(outcome) {
  byId("answer").classList.remove("refused");
  const errno = outcome.errno ? ` (${outcome.errno})` : "";
  const result = outcome.return === null ? "NULL" : outcome.return;
  showAnswer(
    `#${outcome.seq} ${outcome.call}() = ${result ?? "void"}${errno}`,
    (outcome.explain ?? []).map((step) => step.text ?? JSON.stringify(step)),
    outcome.log,
    outcome,
  );
}

function showRefusal(problem) {
  byId("answer").classList.add("refused");
  const place = problem.pointer ? [`At ${problem.pointer}.`] : [];
  const valid = problem.valid ? [`Valid: ${problem.valid.join(", ")}.`] : [];
  showAnswer(problem.title, [problem.detail ?? "", ...place, ...valid], [], problem);
}

// The address names the session, so that a reload and a link find it again.

const follow = () =>
  attempt(async () => {
    await choose(location.hash.slice(1) || null);
    await showSessions();
  });

window.addEventListener("hashchange", follow);
await follow();
setInterval(() => {
  if (document.visibilityState === "visible") attempt(showSessions);
}, refreshMilliseconds);
