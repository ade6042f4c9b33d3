// Whether a run was sound: good or bad at first sight, then what was found, then reports, memory that is held, leaks.
import * as api from "./api.js";
import { h, number, replace } from "./dom.js";
import { held } from "./held.js";
import { t } from "./i18n.js";
import { leaks } from "./leaks.js";
import { addressLink, callLink, kindName, logLink } from "./links.js";
import { reports } from "./reports.js";

/** The parts of a verdict, the gravest first; further ones of the service come behind them. */
const known = ["reports", "warnings", "contexts", "unlooked", "devices", "leaks"];
const panels = { findings: findings, reports: reports, held: held, leaks: leaks };
const fewItems = 20;
const manyItems = 1000;

export function create(context, rest) {
  const nav = h("nav", { className: "segments panel-tabs", "aria-label": t("view.verdict") });
  const place = h("div", {});
  const element = h("div", { className: "verdict" },
    h("header", { className: "view-head" }, h("h1", {}, t("view.verdict")), h("p", { className: "lead" }, t("verdict.lead"))),
    nav, place);
  let name = "";
  let panel = null;
  choose(rest);

  function choose(parts) {
    const wished = panels[parts?.[0]] ? parts[0] : "findings";
    if (wished === name && !parts?.[1]) return;
    name = wished;
    panel = panels[name](context, parts?.slice(1) ?? []);
    replace(place, panel.element);
    replace(nav, Object.keys(panels).map((entry) =>
      h("a", { className: "button", href: `${context.base}/verdict/${entry}`, "aria-current": entry === name ? "page" : undefined }, t(`verdict.tab.${entry}`))));
  }

  return {
    element,
    refresh: () => panel.refresh(),
    navigate: (parts) => {
      choose(parts);
      return context.attempt(() => panel.refresh());
    },
  };
}

function findings(context) {
  let since = 0;
  let limit = fewItems;
  const head = h("div", { role: "status" });
  const tiles = h("div", { className: "tiles" });
  const parts = h("div", { className: "stack" });
  const from = h("input", { type: "number", id: "verdict-since", min: 0, value: 0, onchange: () => judge(Number(from.value) || 0) });
  const element = h("div", {}, head, tiles,
    h("div", { className: "toolbar" },
      h("label", {}, t("verdict.since"), " ", from),
      h("button", { type: "button", onclick: () => judge(context.session.seq) }, t("verdict.from-now")),
      h("button", { type: "button", onclick: () => judge(0) }, t("verdict.from-boot"))),
    parts);

  function judge(sequence) {
    since = Math.min(Math.max(0, Math.trunc(sequence)), context.session.seq);
    from.value = since;
    context.attempt(refresh);
  }

  async function refresh() {
    const verdict = await api.view(context.id, "verdict", { since, limit });
    from.max = verdict.seq;
    const names = [...known, ...Object.keys(verdict).filter((key) => !known.includes(key) && verdict[key]?.total !== undefined)];
    const total = names.reduce((sum, part) => sum + verdict[part].total, 0);
    replace(head, sentence(verdict, total));
    if (!tiles.contains(document.activeElement)) replace(tiles, names.map((part) => tile(part, verdict[part])));
    // Where a tile has led stays where it is; a link that has the focus is not taken away.
    const reached = parts.contains(document.activeElement) && document.activeElement.matches("h2") ? document.activeElement.parentElement.dataset.part : null;
    if (parts.contains(document.activeElement) && !reached) return;
    replace(parts, names.filter((part) => verdict[part].total > 0).map((part) => section(part, verdict[part])));
    if (reached) heading(reached)?.focus({ preventScroll: true });
  }

  function sentence(verdict, total) {
    const calls = t("verdict.range", { from: number(verdict.since + 1), to: number(verdict.seq) });
    return h("div", { className: `judgement ${verdict.ok ? "is-good" : "is-bad"}` },
      h("span", { className: "judgement-mark", "aria-hidden": "true" }, verdict.ok ? "✓" : "✗"),
      h("div", {},
        h("p", { className: "judgement-word" }, t(verdict.ok ? "verdict.ok" : "verdict.bad")),
        h("p", { className: "fine" }, verdict.ok ? t("verdict.ok-text") : t("verdict.bad-text", { count: number(total) }), " ", verdict.seq > verdict.since ? calls : t("verdict.no-calls")),
        verdict.panicked ? h("p", {}, h("span", { className: "chip-bad" }, t("panicked"))) : null,
        verdict.hung ? h("p", {}, h("span", { className: "chip-bad" }, t("verdict.hung")), " ", verdict.hung) : null));
  }

  const heading = (part) => parts.querySelector(`[data-part="${CSS.escape(part)}"] h2`);

  function tile(name, part) {
    const isGood = part.total === 0;
    const kinds = Object.entries(part.by_kind);
    const inside = [
      h("span", { className: "tile-head" }, h("span", { className: "tile-mark", "aria-hidden": "true" }, isGood ? "✓" : "✗"), partName(name)),
      h("b", { className: "tile-count" }, number(part.total)),
      h("span", { className: "fine" }, isGood ? t(`verdict.none.${name}`) : kinds.map(([kind, count]) => `${kindName(kind).replaceAll(" ", "\u00a0")}\u00a0${number(count)}`).join(" · ")),
    ];
    return isGood
      ? h("div", { className: "tile is-good" }, inside)
      : h("button", { type: "button", className: "tile is-bad", onclick: () => {
        heading(name)?.scrollIntoView({ block: "start" });
        heading(name)?.focus({ preventScroll: true });
      } }, inside);
  }

  function section(name, part) {
    const left = part.total - part.items.length;
    return h("section", { className: "card finding-part", data: { part: name } },
      h("h2", { tabIndex: -1 }, partName(name), " ", h("span", { className: "count" }, number(part.total))),
      h("ul", { className: "findings" }, part.items.map((item) => row(name, item))),
      left > 0 ? h("p", { className: "row fine" }, t("verdict.more", { count: number(left) }), limit < manyItems ? h("button", { type: "button", className: "quiet", onclick: (event) => {
        event.target.blur();
        limit = manyItems;
        context.attempt(refresh);
      } }, t("verdict.show-all")) : null) : null);
  }

  function row(name, item) {
    return h("li", {},
      h("span", { className: "finding-call" }, callLink(context, item.call)),
      h("span", { className: "finding-kind" }, kindName(item.kind)),
      h("span", { className: "finding-text" }, item.text),
      h("span", { className: "finding-links" },
        item.address ? addressLink(context, item.address, item.cache) : null,
        name === "reports" ? logLink(context, item.text) : null,
        name === "warnings" ? h("a", { className: "report-link", href: `${context.base}/verdict/reports/${item.call}` }, t("verdict.picture")) : null,
        name === "devices" ? h("a", { href: `${context.base}/devices` }, t("view.devices")) : null,
        (item.calls ?? []).slice(0, 4).map((call) => [" ", t("verdict.with"), " ", callLink(context, call)])));
  }

  return { element, refresh };
}

/** A part of the service that the page does not know has its own name. */
function partName(name) {
  const text = t(`verdict.part.${name}`);
  return text.startsWith("verdict.") ? name.replaceAll("_", " ") : text;
}
