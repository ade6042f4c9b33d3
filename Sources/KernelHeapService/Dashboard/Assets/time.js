// Events as they come: newest first, filtered, gaps shown; and forks to come back to.
import * as api from "./api.js";
import { address, h, number, replace } from "./dom.js";
import { t } from "./i18n.js";
import { zoneChip } from "./palette.js";

const shownRows = 200;
const barCount = 60;
const callsBefore = 20;

export function create(context, rest) {
  const text = h("input", { type: "search", id: "event-filter", placeholder: t("time.filter"), autocomplete: "off", value: rest?.[0] ? `#${rest[0]}` : "", oninput: () => draw() });
  const trouble = h("input", { type: "checkbox", onchange: () => draw() });
  const rows = h("ol", { className: "events" });
  const count = h("p", { className: "fine", role: "status" });
  const rate = h("div", { className: "rate", role: "img", "aria-label": t("time.rate") });
  const forks = h("div", {});
  const earlier = h("p", { className: "row earlier" });
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
    h("div", { className: "toolbar" }, h("label", { className: "inline" }, t("time.find"), " ", text), h("label", { className: "check" }, trouble, t("time.trouble")), pause,
      h("button", { type: "button", onclick: fork }, t("time.fork"))),
    rate, count, forks, rows, earlier);
  context.attempt(findCall);

  /** The call that a filter such as `#12` asks for. */
  function wishedCall() {
    const match = /^#(\d{1,15})$/.exec(text.value.trim());
    return match ? Number(match[1]) : null;
  }

  /** A link to a call may point further back than the page has looked. */
  async function findCall() {
    const sequence = wishedCall();
    if (sequence !== null && sequence < context.feed.first) await context.feed.earlier(context.feed.first - sequence + callsBefore);
    draw();
  }

  function showEarlier() {
    const { first } = context.feed;
    if (earlier.dataset.first === String(first)) return;
    earlier.dataset.first = first;
    replace(earlier, first <= 1 ? null : h("button", { type: "button", className: "quiet", onclick: async (event) => {
      event.target.disabled = true;
      await context.attempt(() => context.feed.earlier());
      delete earlier.dataset.first;
      draw();
    } }, t("time.earlier", { before: number(first) })));
  }

  function passes(event) {
    const isGap = event.from !== undefined;
    const sequence = wishedCall();
    if (sequence !== null) return isGap ? event.from <= sequence && sequence <= event.to : event.seq === sequence;
    if (isGap) return true;
    if (trouble.checked && !event.errno && !event.log?.length && event.return !== null) return false;
    const wished = text.value.trim().toLowerCase();
    // `zone:DMA` means that field and nothing longer.
    const field = /^(call|zone|cache|errno):(.+)$/.exec(wished);
    if (field) return String(event[field[1]] ?? "").toLowerCase() === field[2];
    return !wished || [event.call, event.return, event.errno, event.zone, event.cache, ...(event.log ?? [])].some((part) => String(part ?? "").toLowerCase().includes(wished));
  }

  function draw() {
    if (isQueued) return;
    isQueued = true;
    requestAnimationFrame(() => {
      isQueued = false;
      const found = context.feed.newest(shownRows, passes);
      replace(rows, found.map(row));
      showEarlier();
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
      event.cache ? h("a", { href: `${context.base}/slabs/${encodeURIComponent(event.cache)}` }, event.cache) : null, event.zone ? zoneChip(event.zone) : null,
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
    navigate: (parts) => {
      if (!parts?.[0]) return;
      text.value = `#${parts[0]}`;
      context.attempt(findCall);
    },
    refresh: () => (isPaused ? undefined : draw()),
    eventsCame: (fresh) => {
      history[history.length - 1] += fresh;
      if (!isPaused) draw();
    },
    destroy: () => clearInterval(timer),
  };
}
