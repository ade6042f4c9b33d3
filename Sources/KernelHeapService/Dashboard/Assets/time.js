// Events as they come: newest first, filtered, gaps shown; and forks to come back to.
import * as api from "./api.js";
import { address, h, number, replace } from "./dom.js";
import { t } from "./i18n.js";

const shownRows = 200;
const barCount = 60;

export function create(context) {
  const text = h("input", { type: "search", id: "event-filter", placeholder: t("time.filter"), autocomplete: "off", oninput: () => draw() });
  const trouble = h("input", { type: "checkbox", onchange: () => draw() });
  const rows = h("ol", { className: "events" });
  const count = h("p", { className: "fine", role: "status" });
  const rate = h("div", { className: "rate", role: "img", "aria-label": t("time.rate") });
  const forks = h("div", {});
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = t(isPaused ? "time.resume" : "time.pause");
    if (!isPaused) draw();
  } }, t("time.pause"));
  const history = new Array(barCount).fill(0);
  let isPaused = false;
  let isQueued = false;
  const timer = setInterval(() => {
    history.push(0);
    history.shift();
    drawRate();
  }, 1000);

  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.time")), h("p", { className: "lead" }, t("time.lead"))),
    h("div", { className: "toolbar" }, h("label", {}, t("time.find"), " ", text), h("label", { className: "check" }, trouble, t("time.trouble")), pause,
      h("button", { type: "button", onclick: fork }, t("time.fork"))),
    rate, count, forks, rows);

  function passes(event) {
    if (trouble.checked && !event.errno && !event.log?.length && event.return !== null) return false;
    const wished = text.value.trim().toLowerCase();
    return !wished || event.call.toLowerCase().includes(wished) || String(event.return ?? "").includes(wished) || (event.errno ?? "").toLowerCase().includes(wished) || (event.log ?? []).some((line) => line.toLowerCase().includes(wished));
  }

  function draw() {
    if (isQueued) return;
    isQueued = true;
    requestAnimationFrame(() => {
      isQueued = false;
      const found = context.feed.newest(shownRows, passes);
      replace(rows, found.map(row));
      count.textContent = t("time.count", { received: number(context.feed.received), shown: number(found.length) });
    });
  }

  function row(entry) {
    const event = entry.value;
    if (entry.gap) return h("li", { className: "gap" }, t("time.gap", { from: number(event.from), to: number(event.to) }));
    const isPointer = typeof event.return === "string" && event.return.startsWith("0x");
    return h("li", { className: event.errno ? "stop-row" : "" },
      h("span", { className: "seq" }, `#${number(event.seq)}`), h("code", {}, event.call),
      h("span", { className: event.errno ? "stop" : "" }, event.errno ?? (event.return === null ? "—" : isPointer ? address(event.return) : String(event.return))),
      event.log ? h("pre", { className: "log" }, event.log.join("\n")) : null);
  }

  function drawRate() {
    const most = Math.max(1, ...history);
    replace(rate, history.map((value) => h("i", { css: { height: `${Math.max(1, (value / most) * 36)}px` } })), h("span", { className: "fine" }, t("time.per-second", { count: number(history.at(-2) ?? 0) })));
  }

  async function fork() {
    const copy = await context.attempt(() => api.fork(context.id, `${context.session.name || context.id.slice(0, 6)} @${context.session.seq}`));
    if (copy) forks.append(h("p", { className: "banner good" }, t("time.forked", { seq: number(copy.seq) }), " ", h("a", { href: `#session/${copy.id}/memory` }, copy.name)));
  }

  return {
    element,
    refresh: () => (isPaused ? undefined : draw()),
    eventsCame: (fresh) => {
      history[history.length - 1] += fresh;
      if (!isPaused) draw();
    },
    destroy: () => clearInterval(timer),
  };
}
