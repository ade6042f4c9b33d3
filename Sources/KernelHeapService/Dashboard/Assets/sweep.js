// The sweep: a list of calls is run again and again on forks, each time with another place failing.
import * as api from "./api.js";
import { bytes, h, number, replace } from "./dom.js";
import { t } from "./i18n.js";
import { kindName } from "./links.js";

const sites = ["failslab", "fail_page_alloc", "fail_usercopy"];
const example = [
  { call: "kmalloc", as: "state", args: { size: 64, flags: "GFP_KERNEL" } },
  { call: "kmalloc", as: "buffer", args: { size: 4000, flags: "GFP_KERNEL" } },
  { call: "kernel_write", args: { address: "$state", data: { hex: "01" } } },
  { call: "kfree", args: { objp: "$buffer" } },
  { call: "kfree", args: { objp: "$state" } },
];

export function create(context) {
  const text = h("textarea", { id: "sweep-calls", rows: 9, spellcheck: false, value: listed(example), oninput: () => preview() });
  const picked = h("ol", { className: "sweep-list", "aria-label": t("sweep.list") });
  const chosen = new Set(sites);
  const result = h("div", { className: "stack", "aria-live": "polite" });
  const button = h("button", { className: "primary" }, t("sweep.run"));
  const scenario = context.scenario?.steps.flatMap((step) => step.calls) ?? [];
  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.sweep")), h("p", { className: "lead" }, t("sweep.lead"))),
    h("form", { className: "card sweep-form", onsubmit: (event) => (event.preventDefault(), context.attempt(run)) },
      h("div", { className: "row" }, h("span", {}, t("sweep.take")),
        h("button", { type: "button", onclick: () => take(fromHistory(context.panel.calls()), "sweep.no-history") }, t("sweep.history")),
        scenario.length ? h("button", { type: "button", onclick: () => take(scenario) }, t("sweep.scenario")) : null,
        h("button", { type: "button", onclick: () => take(example) }, t("sweep.example"))),
      picked,
      h("details", {}, h("summary", {}, t("sweep.json")), h("label", { htmlFor: "sweep-calls" }, t("sweep.calls")), text),
      h("div", { className: "row" },
        h("span", { role: "group", "aria-label": t("sweep.sites"), className: "row" }, sites.map((site) => h("label", { className: "check" }, h("input", { type: "checkbox", checked: true, onchange: (event) => (event.target.checked ? chosen.add(site) : chosen.delete(site)) }), h("code", {}, site)))),
        button)),
    result);
  preview();

  function take(calls, whenEmpty) {
    if (calls.length === 0) return context.trouble(t(whenEmpty));
    text.value = listed(calls);
    preview();
  }

  function read() {
    const calls = JSON.parse(text.value);
    if (!Array.isArray(calls)) throw new SyntaxError(t("sweep.no-list"));
    return calls;
  }

  /** The list as one reads it; each call can be left out. */
  function preview() {
    let calls;
    try {
      calls = read();
    } catch (error) {
      return replace(picked, h("li", { className: "stop" }, error.message));
    }
    replace(picked, calls.map((call, index) => h("li", {}, h("code", {}, written(call)),
      h("button", { type: "button", className: "quiet", "aria-label": t("sweep.leave-out", { call: `${index + 1} ${call.call}` }), onclick: () => {
        text.value = listed(calls.filter((_, place) => place !== index));
        preview();
        (picked.querySelectorAll("button")[Math.max(0, index - 1)] ?? button).focus();
      } }, "×"))));
  }

  async function run() {
    let calls;
    try {
      calls = read();
    } catch (error) {
      return context.trouble(error.message);
    }
    if (chosen.size === 0) return context.trouble(t("sweep.no-site"));
    button.disabled = true;
    replace(result, h("p", { className: "loading" }, t("sweep.running")));
    try {
      const report = await api.sweep(context.id, calls, [...chosen].join(","));
      replace(result, draw(report));
    } catch (error) {
      replace(result);
      throw error;
    } finally {
      button.disabled = false;
    }
  }

  function draw(report) {
    const cleanTrouble = report.clean.panicked || report.clean.hung || report.clean.findings.length || report.clean.problems.length;
    return [
      h("div", { className: `judgement ${report.ok ? "is-good" : "is-bad"}` },
        h("span", { className: "judgement-mark", "aria-hidden": "true" }, report.ok ? "✓" : "✗"),
        h("div", {},
          h("p", { className: "judgement-word" }, t(report.ok ? "sweep.ok" : "sweep.bad", { bad: number(report.bad_runs), runs: number(report.run_count) })),
          h("p", { className: "fine" }, t("sweep.sum", { calls: number(report.calls), places: number(report.places), runs: number(report.run_count) }), report.complete ? "" : ` ${t("sweep.stopped", { limit: report.stopped_by ?? "" })}`),
          h("p", { className: "sweep-strip" }, report.runs.map((entry) => h("a", { href: `#sweep-${entry.n}`, className: entry.ok ? "is-good" : "is-bad", "aria-label": `${entry.n} ${entry.fault.function}: ${t(entry.ok ? "sweep.run-ok" : "sweep.run-bad")}`, onclick: (event) => {
            event.preventDefault();
            const row = document.getElementById(`sweep-${entry.n}`);
            row?.scrollIntoView({ block: "center" });
            row?.focus({ preventScroll: true });
          } }, entry.n))))),
      cleanTrouble ? h("section", { className: "card" }, h("h2", {}, t("sweep.clean")), trouble(report.clean)) : null,
      report.runs.length ? table(report.runs) : h("p", { className: "empty" }, t("sweep.no-places")),
    ];
  }

  function table(runs) {
    return h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("sweep.table") }, h("table", { className: "list sweep-table" },
      h("thead", {}, h("tr", {}, ["n", "fails", "result", "differs", "leaks", "findings"].map((name) => h("th", { scope: "col" }, t(`sweep.col.${name}`))))),
      h("tbody", {}, runs.map((entry) => h("tr", { id: `sweep-${entry.n}`, tabIndex: -1, className: entry.ok ? "" : "stop-row" },
        h("th", { scope: "row" }, entry.n),
        h("td", {}, h("span", { className: "fine" }, `${entry.fault.item + 1}. `), h("code", {}, entry.fault.function), h("div", { className: "fine" }, `${entry.fault.name}, ${entry.fault.name === "fail_page_alloc" ? `${number(entry.fault.size)} ${t("unit.pages")}` : bytes(entry.fault.size)}`)),
        h("td", {}, h("span", { className: entry.ok ? "good" : "stop" }, entry.ok ? `✓ ${t("sweep.run-ok")}` : `✗ ${t("sweep.run-bad")}`)),
        h("td", {}, entry.differs.slice(0, 6).map((item) => h("div", {}, `${item.item + 1}. `, h("code", {}, item.function), " → ", h("b", {}, item.errno ?? returnText(item.return)), " ", h("span", { className: "fine" }, t("sweep.instead", { value: item.clean?.errno ?? returnText(item.clean?.return) })))), entry.differ_count > 6 ? h("div", { className: "fine" }, t("detail.many", { count: entry.differ_count })) : null, entry.differ_count === 0 ? "—" : null),
        h("td", {}, entry.leaks.slice(0, 4).map((leak) => h("div", {}, leak.function ? h("code", {}, leak.function) : leak.kind, ` ${bytes(leak.size)}`)), entry.leak_count > 4 ? h("div", { className: "fine" }, t("detail.many", { count: entry.leak_count })) : null, entry.leak_count === 0 ? "—" : null),
        h("td", {}, trouble(entry)))))));
  }

  function trouble(entry) {
    const lines = [
      entry.panicked ? h("span", { className: "chip-bad" }, t("panicked")) : null, entry.hung ? [h("span", { className: "chip-bad" }, t("verdict.hung")), " ", entry.hung] : null,
      ...entry.findings.map((item) => [h("b", {}, kindName(item.kind)), " ", item.text]),
      ...(entry.unlooked ?? []).map((item) => t("sweep.unlooked", { item: item.item + 1, call: item.function, name: item.name })),
      ...entry.problems.map((item) => `${item.item + 1}. ${item.detail}`),
    ].filter(Boolean);
    return lines.length ? lines.map((line) => h("div", {}, line)) : "—";
  }

  return { element };
}

const returnText = (value) => (value === null || value === undefined ? "NULL" : String(value));

const listed = (calls) => `[\n${calls.map((call) => `  ${JSON.stringify(call)}`).join(",\n")}\n]`;

/** A call as one would write it in C. */
const written = (call) => `${call.as ? `${call.as} = ` : ""}${call.call}(${Object.values(call.args ?? {}).map((value) => (typeof value === "object" ? JSON.stringify(value) : value)).join(", ")})`;

/**
 * The console's calls as a batch: an address that an earlier call of the list returned becomes a name,
 * as the fork gives another address.
 */
export function fromHistory(history) {
  const named = [];
  return history.map(({ name, values, outcome }, index) => {
    const item = { call: name, args: {} };
    for (const [key, value] of Object.entries(values)) {
      if (key === "context") item.context = value;
      else if (key !== "explain") item.args[key] = refer(value, named);
    }
    if (typeof outcome.return === "string" && /^0x[0-9a-f]+$/.test(outcome.return)) {
      item.as = `r${index + 1}`;
      named.push({ as: item.as, start: BigInt(outcome.return), size: BigInt(outcome.detail?.allocated ?? 1) });
    }
    return item;
  });
}

function refer(value, named) {
  if (typeof value !== "string" || !/^0x[0-9a-f]{1,16}$/i.test(value)) return value;
  const wished = BigInt(value);
  const found = named.findLast(({ start, size }) => wished >= start && wished < start + size);
  if (!found) return value;
  return wished === found.start ? `$${found.as}` : `$${found.as}+${wished - found.start}`;
}
