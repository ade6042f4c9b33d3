// The console: a function, its arguments, the answer. It stands beside every view, so that a call's effect is seen at once.
import * as api from "./api.js";
import { bytes, h, number, replace } from "./dom.js";
import { t } from "./i18n.js";
import { answer, returned } from "./why.js";

const remembered = 100;
const contexts = ["process", "softirq", "tasklet", "hardirq", "nmi"];
const starters = [
  ["kmalloc", { size: "192", flags: "GFP_KERNEL" }], ["alloc_pages", { gfp_mask: "GFP_KERNEL", order: "3" }], ["vmalloc", { size: "16384" }],
  ["kfree", {}], ["kmem_cache_create", { name: "my_cache", size: "200" }], ["mmap", { length: "16384", prot: "PROT_READ|PROT_WRITE", flags: "MAP_PRIVATE|MAP_ANONYMOUS" }],
];

/** `isFolded`: the answers stand above a form that is opened when somebody wants it. */
export function create(context, isFolded = false) {
  const byName = new Map(context.functions.map((entry) => [entry.name, entry]));
  const history = [];
  const pointers = new Map();
  let chosen = null;
  let place = 0;

  const name = h("input", { id: "function", type: "text", autocomplete: "off", spellcheck: false, required: true, role: "combobox", "aria-expanded": "false", "aria-controls": "function-list", "aria-autocomplete": "list", oninput: () => complete(), onfocus: () => name.select(), onkeydown: (event) => listKey(event), onblur: () => setTimeout(() => document.activeElement === name || closeList(), 150) });
  const list = h("ul", { id: "function-list", className: "completion", role: "listbox", "aria-label": t("console.function"), hidden: true });
  const summary = h("p", { className: "fine", id: "function-summary" });
  const fields = h("div", { className: "fields" });
  const lists = h("div", { hidden: true });
  const where = contextFields();
  const explain = h("input", { type: "checkbox", checked: true });
  const result = h("div", { className: "result-box", "aria-live": "polite" });
  const past = h("ol", { className: "history", reversed: true });
  const copied = h("span", { className: "fine", role: "status" });

  const form = h("form", { className: "call", onsubmit: (event) => (event.preventDefault(), run()) },
    h("label", { htmlFor: "function" }, t("console.function")),
    h("div", { className: "combo" }, name, list),
    summary, fields, where.element,
    h("label", { className: "check" }, explain, t("console.explain")),
    h("div", { className: "row" },
      h("button", { className: "primary" }, t("console.call")),
      h("button", { type: "button", onclick: copyCurl }, t("console.curl")), copied),
    lists);
  const heading = isFolded
    ? h("summary", { className: "dock-title" }, t("console.title"))
    : h("h2", { className: "dock-title", role: "heading", "aria-level": "2" }, t("console.title"));
  const parts = [
    heading,
    h("div", { className: "starters", role: "group", "aria-label": t("console.starters") },
      starters.filter(([start]) => byName.has(start)).map(([start, values]) => h("button", { type: "button", className: "pill", onclick: () => show(start, values) }, start))),
    form,
  ];
  const pastCalls = h("details", { className: "past", open: !isFolded }, h("summary", {}, t("console.history")), past);
  // Where a guide makes the calls, its answers come first and the form is folded away.
  const element = isFolded
    ? h("div", { className: "console" }, result, h("details", {}, parts), pastCalls)
    : h("div", { className: "console" }, parts, result, pastCalls);
  show("kmalloc", starters[0][1]);
  fillLists();

  // The function

  function complete() {
    const typed = name.value.trim().toLowerCase();
    const rank = (entry) => (entry.name === typed ? 0 : entry.name.startsWith(typed) ? 1 : entry.name.includes(typed) ? 2 : entry.summary.toLowerCase().includes(typed) ? 3 : 9);
    const found = context.functions.map((entry) => [rank(entry), entry]).filter(([order]) => order < 9).sort((a, b) => a[0] - b[0]).slice(0, 12);
    place = 0;
    replace(list, found.map(([, entry], index) =>
      h("li", { id: `option-${index}`, role: "option", "aria-selected": String(index === 0), data: { name: entry.name }, onpointerdown: (event) => (event.preventDefault(), show(entry.name), closeList()) },
        h("code", {}, entry.name), " ", h("span", { className: "fine" }, entry.summary))));
    list.hidden = found.length === 0;
    name.setAttribute("aria-expanded", String(!list.hidden));
    if (!list.hidden) name.setAttribute("aria-activedescendant", "option-0");
    if (byName.has(typed)) show(typed, {}, false);
  }

  function closeList() {
    list.hidden = true;
    name.setAttribute("aria-expanded", "false");
    name.removeAttribute("aria-activedescendant");
    if (chosen && name.value !== chosen.name && document.activeElement !== name) name.value = chosen.name;
  }

  function listKey(event) {
    if (list.hidden) return event.key === "ArrowDown" && complete();
    const options = list.children;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      options[place]?.setAttribute("aria-selected", "false");
      place = (place + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length;
      options[place].setAttribute("aria-selected", "true");
      options[place].scrollIntoView({ block: "nearest" });
      name.setAttribute("aria-activedescendant", options[place].id);
    } else if (event.key === "Enter" || event.key === "Tab") {
      const wished = options[place]?.dataset.name;
      if (wished && wished !== chosen?.name) {
        if (event.key === "Enter") event.preventDefault();
        show(wished);
      }
      closeList();
    } else if (event.key === "Escape") closeList();
  }

  function show(wished, values = {}, writesName = true) {
    const entry = byName.get(wished);
    if (!entry) return;
    const kept = chosen?.name === wished ? read() : {};
    chosen = entry;
    if (writesName) name.value = wished;
    replace(summary, h("code", {}, `${entry.returns} ${entry.name}(${entry.parameters.map((parameter) => parameter.name).join(", ")})`), h("br"), entry.summary);
    replace(fields, entry.parameters.map((parameter) => field(parameter, values[parameter.name] ?? kept[parameter.name])));
    if (entry.parameters.some((parameter) => parameter.type === "cache") && context.caches.length === 0) findCaches();
  }

  async function findCaches() {
    const answer = await context.attempt(() => api.view(context.id, "caches"), { isQuiet: true });
    context.caches = (answer?.caches ?? []).map((cache) => cache.name);
    fillLists();
  }

  // Arguments

  function field(parameter, value) {
    const id = `argument-${parameter.name}`;
    const isText = parameter.type === "driver";
    const suggestion = suggestions(parameter);
    const input = parameter.type === "boolean"
      ? h("select", { id, data: { name: parameter.name } }, ["", "true", "false"].map((text) => h("option", { value: text }, text || t("console.default"))))
      : h(isText ? "textarea" : "input", { id, data: { name: parameter.name }, spellcheck: false, autocomplete: "off", required: !parameter.optional, placeholder: placeholder(parameter), "aria-describedby": `${id}-help` });
    if (!isText && parameter.type !== "boolean" && suggestion) input.setAttribute("list", suggestion);
    const start = value ?? (suggestion === "recent-addresses" && !parameter.optional ? [...pointers.keys()].at(-1) : undefined);
    if (start !== undefined) input.value = typeof start === "object" ? JSON.stringify(start) : String(start);
    const limit = parameter.maximum ? ` ≤ ${parameter.type === "unsigned" && parameter.maximum >= 4096 ? bytes(parameter.maximum) : number(parameter.maximum)}` : "";
    return h("div", { className: "field" },
      h("label", { htmlFor: id }, h("code", {}, parameter.name), parameter.optional ? h("span", { className: "fine" }, ` ${t("console.optional")}`) : null),
      input,
      h("p", { className: "fine", id: `${id}-help` }, `${t(`type.${parameter.type}`)}${limit} · ${parameter.summary}`),
      flagButtons(parameter, input));
  }

  function suggestions(parameter) {
    return { gfp: "gfp-names", address: "recent-addresses", page: "recent-pages", cache: "cache-names" }[parameter.type];
  }

  function placeholder(parameter) {
    return { gfp: "GFP_KERNEL", address: "0x…", page: "0x… / PFN", bytes: "text, 0x6865…", addresses: "0x…, 0x…", driver: "{\"read\": [...]}" }[parameter.type] ?? "";
  }

  /** Names that may be joined by `|`, to click instead of type. */
  function flagButtons(parameter, input) {
    const names = parameter.type === "gfp" ? ["GFP_KERNEL", "GFP_ATOMIC", "GFP_DMA", "__GFP_ZERO", "__GFP_NOWARN", "__GFP_COMP", "__GFP_HIGHMEM"].filter((flag) => context.flags[flag] !== undefined || flag === "GFP_KERNEL") : parameter.values;
    if (!names?.length) return null;
    return h("div", { className: "pills" }, names.slice(0, 14).map((flag) =>
      h("button", { type: "button", className: "pill small", onclick: () => {
        const parts = input.value.split("|").map((part) => part.trim()).filter(Boolean);
        const isBase = parameter.type === "gfp" && flag.startsWith("GFP_");
        const rest = parts.filter((part) => part !== flag && !(isBase && part.startsWith("GFP_")));
        input.value = (parts.includes(flag) ? rest : isBase ? [flag, ...rest] : [...rest, flag]).join("|");
      } }, flag)));
  }

  function contextFields() {
    const kind = h("select", { id: "context-in" }, contexts.map((text) => h("option", { value: text }, text)));
    const cpu = h("input", { id: "context-cpu", type: "number", min: 0, max: Math.max(0, context.session.machine.cpus - 1), value: 0 });
    const pid = h("input", { id: "context-pid", type: "number", min: 0, value: 1 });
    const atomic = h("input", { id: "context-atomic", type: "checkbox" });
    const element = h("details", { className: "context" }, h("summary", {}, t("console.context")),
      h("p", { className: "fine" }, t("console.context-note")),
      h("div", { className: "grid2" },
        h("label", {}, "in", kind), h("label", {}, "cpu", cpu), h("label", {}, "pid", pid), h("label", { className: "check" }, atomic, "atomic")));
    return {
      element,
      read: () => {
        const wished = {};
        if (kind.value !== "process") wished.in = kind.value;
        if (cpu.value !== "0") wished.cpu = Number(cpu.value);
        if (pid.value !== "1") wished.pid = Number(pid.value);
        if (atomic.checked) wished.atomic = true;
        return Object.keys(wished).length ? wished : undefined;
      },
    };
  }

  function read() {
    const values = {};
    for (const input of fields.querySelectorAll("[data-name]")) if (input.value !== "") values[input.dataset.name] = input.value;
    return values;
  }

  /** The body of the request: texts become what the parameter's type takes. */
  function body() {
    const values = {};
    for (const [key, text] of Object.entries(read())) {
      const { type } = chosen.parameters.find((parameter) => parameter.name === key);
      if (type === "bytes") values[key] = text.startsWith("{") ? JSON.parse(text) : /^0x[0-9a-f]*$/i.test(text) ? { hex: text.slice(2) } : { text };
      else if (type === "driver") values[key] = JSON.parse(text);
      else if (type === "addresses") values[key] = text.split(/[\s,]+/).filter(Boolean);
      else if (type === "boolean") values[key] = text === "true";
      else if (type === "page" && /^\d+$/.test(text)) values[key] = Number(text);
      else values[key] = text;
    }
    const wished = where.read();
    if (wished) values.context = wished;
    return values;
  }

  // Calling

  async function run() {
    let wished;
    try {
      wished = body();
    } catch (error) {
      return context.trouble(error.message);
    }
    await call(chosen.name, wished, explain.checked);
  }

  /** Runs a call, shows its answer, and tells every view. */
  async function call(function_, values, wantsWhy = true) {
    const outcome = await context.attempt(() => api.call(context.id, function_, { ...values, explain: wantsWhy }));
    if (!outcome) return null;
    replace(result, answer(outcome, byName.get(function_)));
    history.unshift({ name: function_, values, outcome });
    if (history.length > remembered) history.pop();
    if (typeof outcome.return === "string" && outcome.return.startsWith("0x")) {
      pointers.delete(outcome.return);
      pointers.set(outcome.return, `${function_} #${outcome.seq}`);
      if (pointers.size > 60) pointers.delete(pointers.keys().next().value);
    }
    if (/^(k?v?free|kfree_sensitive|free_pages|free_page|vfree|kvfree)$/.test(function_)) for (const freed of Object.values(values)) pointers.delete(freed);
    showHistory();
    fillLists();
    context.called(outcome);
    return outcome;
  }

  function showHistory() {
    replace(past, history.slice(0, 30).map((entry) =>
      h("li", {}, h("button", { type: "button", className: "quiet history-entry", title: t("console.again"), onclick: () => (show(entry.name, entry.values), name.focus()) },
        h("code", {}, entry.name), h("span", { className: "fine" }, ` ${Object.entries(entry.values).filter(([key]) => key !== "context").map(([, value]) => (typeof value === "object" ? "…" : value)).join(", ")}`),
        h("span", { className: "history-return" }, returned(entry.outcome))))));
  }

  function fillLists() {
    const datalist = (id, entries) => h("datalist", { id }, entries.map(([value, label]) => h("option", { value, label })));
    const recent = [...pointers].reverse();
    replace(lists,
      datalist("gfp-names", Object.entries(context.flags).map(([flag, value]) => [flag, value])),
      datalist("recent-addresses", recent),
      datalist("recent-pages", recent.filter(([, label]) => /page/.test(label))),
      datalist("cache-names", context.caches.map((cache) => [cache, ""])));
  }

  async function copyCurl() {
    let values;
    try {
      values = body();
    } catch (error) {
      return context.trouble(error.message);
    }
    const text = `curl -s -X POST '${location.origin}${api.callPath(context.id, chosen.name)}${explain.checked ? "?explain=true" : ""}' -H 'Content-Type: application/json' -d '${JSON.stringify(values).replaceAll("'", "'\\''")}'`;
    try {
      await navigator.clipboard.writeText(text);
      copied.textContent = t("console.copied");
    } catch {
      // Without the clipboard's permission the text is shown to be copied by hand.
      replace(result, h("pre", { className: "log", tabIndex: 0 }, text));
    }
    setTimeout(() => (copied.textContent = ""), 2500);
  }

  return { element, call, show, showAnswer: (node) => replace(result, node), cachesChanged: fillLists, calls: () => [...history].reverse() };
}
