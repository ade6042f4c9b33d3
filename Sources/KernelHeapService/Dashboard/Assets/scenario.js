// A scenario: a question, a guess if one likes, and the answer step by step on a machine of its own.
import * as api from "./api.js";
import { h, hex, replace } from "./dom.js";
import { pick, t } from "./i18n.js";
import * as session from "./session.js";
import { returned } from "./why.js";

/** Without a session the question; with one the guide beside the session's views. */
export async function create(app, name, id) {
  const scenario = (await api.scenarios()).find((entry) => entry.id === name);
  if (!scenario) throw new api.Problem(404, { title: t("scenario.unknown") });
  if (!id) return intro(app, scenario);
  const base = `#scenario/${encodeURIComponent(name)}/${id}`;
  const screen = await session.create(app, id, base, (context) => guide(app, context, scenario));
  return screen;
}

const guessKey = (scenario) => `kheapd.guess.${scenario.id}`;

function intro(app, scenario) {
  const choices = scenario.quiz.choices.map((choice, index) =>
    h("label", { className: "check choice" }, h("input", { type: "radio", name: "guess", value: index }), pick(choice)));
  const start = async (event) => {
    event.preventDefault();
    const guess = new FormData(event.target).get("guess");
    if (guess === null) sessionStorage.removeItem(guessKey(scenario));
    else sessionStorage.setItem(guessKey(scenario), guess);
    const run = await app.attempt(() => api.bootScenario(scenario.id, 0));
    if (run) location.hash = `#scenario/${encodeURIComponent(scenario.id)}/${run.session.id}/${scenario.steps[0]?.view ?? "memory"}`;
  };
  return {
    element: h("div", { className: "intro" },
      h("p", { className: "fine" }, h("a", { href: "#" }, t("scenario.all"))),
      h("h1", {}, pick(scenario.question)),
      h("form", { className: "card", onsubmit: start },
        h("fieldset", {}, h("legend", {}, t("scenario.guess")), choices),
        h("button", { className: "primary" }, t("scenario.start"))),
      h("details", {}, h("summary", {}, t("scenario.curl")), h("pre", { className: "log", tabIndex: 0 }, `curl -s -X POST '${location.origin}/v1/scenarios/${scenario.id}/sessions?explain=true'`))),
  };
}

/** The panel that leads through the steps; the session's own calls decide where it stands. */
function guide(app, context, scenario) {
  context.scenario = scenario;
  const key = `kheapd.returns.${context.id}`;
  const returns = new Map(Object.entries(JSON.parse(sessionStorage.getItem(key) ?? "{}")));
  const total = scenario.steps.length;
  let step = reached(scenario, context.session.seq);
  let isBusy = false;
  let answers = [];
  const box = h("section", { className: "guide card", "aria-label": t("scenario.guide"), "aria-live": "polite" });
  draw();

  function draw() {
    const isOver = step >= total;
    const hadFocus = box.contains(document.activeElement);
    const shown = scenario.steps[Math.min(step, total - 1)];
    replace(box,
      h("p", { className: "fine" }, h("a", { href: "#" }, t("scenario.all")), ` · ${t("scenario.step", { step: Math.min(step + 1, total), total })}`),
      h("progress", { max: total, value: step, "aria-label": t("scenario.progress") }),
      h("h2", {}, pick(scenario.question)),
      answers.length ? h("ul", { className: "guide-answers", "aria-label": t("scenario.answers") }, answers.slice(-6).map((outcome) => h("li", { className: outcome.errno || outcome.detail?.warnings ? "warn-text" : "" }, h("code", {}, outcome.call), " → ", returned(outcome)))) : null,
      isOver ? ending() : [
        h("p", {}, pick(shown.text)),
        h("ul", { className: "guide-calls" }, shown.calls.slice(0, 8).map((call) => h("li", {}, h("code", {}, written(call)))), shown.calls.length > 8 ? h("li", { className: "fine" }, t("detail.many", { count: shown.calls.length })) : null),
        h("button", { type: "button", className: "primary", "aria-busy": String(isBusy), onclick: run }, t(shown.calls.length ? "scenario.run" : "scenario.next"))]);
    if (hadFocus) box.querySelector("button.primary, a.button")?.focus();
  }

  function ending() {
    const guess = sessionStorage.getItem(guessKey(scenario));
    const right = String(scenario.quiz.answer);
    return [
      guess === null ? null : h("p", { className: `banner ${guess === right ? "good" : "warn"}` }, t(guess === right ? "scenario.right" : "scenario.wrong")),
      h("p", {}, h("b", {}, pick(scenario.quiz.choices[scenario.quiz.answer]))),
      h("p", {}, pick(scenario.quiz.because)),
      h("p", { className: "fine" }, t("scenario.over")),
      h("a", { className: "button", href: "#" }, t("scenario.another")),
    ];
  }

  async function run() {
    if (isBusy) return;
    isBusy = true;
    draw();
    const current = scenario.steps[step];
    answers = [];
    for (const call of current.calls) {
      const outcome = await context.call(call.call, { ...resolve(call.args ?? {}), ...(call.context ? { context: call.context } : {}) });
      if (!outcome) {
        isBusy = false;
        return draw();
      }
      answers.push(outcome);
      if (call.as) {
        returns.set(call.as, outcome.return);
        sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(returns)));
      }
    }
    isBusy = false;
    step += 1;
    draw();
    const view = scenario.steps[Math.min(step, total - 1)].view;
    if (view && view !== context.viewName()) location.hash = `${context.base}/${view}`;
  }

  /** `"$name+64"` becomes what the call of that name returned, as in a batch. */
  function resolve(value) {
    if (Array.isArray(value)) return value.map(resolve);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, resolve(part)]));
    const match = typeof value === "string" && /^\$(\w+)(?:([+-])(\w+))?$/.exec(value);
    if (!match || !returns.has(match[1])) return value;
    const start = BigInt(returns.get(match[1]) ?? 0);
    const offset = match[3] ? BigInt(match[3]) : 0n;
    return hex(match[2] === "-" ? start - offset : start + offset);
  }

  return box;
}

/** A call as one would write it in C. */
const written = (call) => `${call.as ? `${call.as} = ` : ""}${call.call}(${Object.entries(call.args ?? {}).map(([, value]) => (typeof value === "object" ? JSON.stringify(value) : value)).join(", ")})${call.context ? ` ${JSON.stringify(call.context)}` : ""}`;

/** How many steps a machine has behind it, by its calls. */
function reached(scenario, sequence) {
  let calls = 0;
  let step = 0;
  while (step < scenario.steps.length && calls + scenario.steps[step].calls.length <= sequence && sequence > 0) {
    calls += scenario.steps[step].calls.length;
    step += 1;
  }
  return step;
}
