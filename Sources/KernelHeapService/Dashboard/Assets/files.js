// The kernel's own text: its log, and the files of /proc.
import * as api from "./api.js";
import { h, replace } from "./dom.js";
import { t } from "./i18n.js";

const names = ["dmesg", "proc/buddyinfo", "proc/zoneinfo", "proc/meminfo", "proc/pagetypeinfo", "proc/slabinfo", "proc/vmallocinfo", "proc/vmstat", "proc/1/maps", "proc/1/smaps", "proc/1/status", "sys/kernel/debug/kmemleak", "sys/kernel/debug/extfrag/unusable_index", "sys/kernel/debug/extfrag/extfrag_index"];

export function create(context, rest) {
  let [chosen, wishedText] = wishes(rest);
  let before = [];
  const list = h("nav", { className: "file-list", "aria-label": t("files.list") });
  const text = h("pre", { className: "file", tabIndex: 0, role: "region", "aria-label": chosen });
  const find = h("input", { type: "search", id: "file-filter", placeholder: t("files.filter"), autocomplete: "off", value: wishedText, oninput: () => draw() });
  let lines = [];
  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.files")), h("p", { className: "lead" }, t("files.lead"))),
    h("div", { className: "files" }, list, h("div", { className: "file-pane" }, h("label", { className: "inline" }, t("files.find"), find), text)));
  showList();

  function showList() {
    replace(list, names.map((name) => h("button", { type: "button", className: "quiet", "aria-pressed": String(name === chosen), onclick: () => {
      chosen = name;
      before = [];
      text.setAttribute("aria-label", name);
      showList();
      context.attempt(refresh);
    } }, name === "dmesg" ? "dmesg" : `/${name}`)));
  }

  /** Lines that changed since the last look are marked. */
  function draw() {
    const wished = find.value.toLowerCase();
    const isLog = chosen === "dmesg";
    const isAtEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
    replace(text, lines.flatMap((line, index) => {
      if (wished && !line.toLowerCase().includes(wished)) return [];
      const isNew = before.length > 0 && (isLog ? index >= before.length : line !== before[index]);
      return [h("span", { className: `line ${isNew ? "changed" : ""} ${/BUG|WARNING|Oops|failure|Call Trace|general protection/.test(line) ? "loud" : ""}` }, `${line}\n`)];
    }));
    if (isLog && isAtEnd) text.scrollTop = text.scrollHeight;
  }

  async function refresh() {
    const wished = chosen;
    const answer = await api.file(context.id, wished);
    if (wished !== chosen) return;
    const fresh = answer.split("\n").slice(0, -1).slice(-4000);
    if (lines.length && before !== lines && fresh.join("\n") !== lines.join("\n")) before = lines;
    if (before.length === 0) before = fresh;
    lines = fresh;
    draw();
  }

  return {
    element,
    refresh,
    navigate: (parts) => {
      if (!parts?.length) return;
      [chosen, find.value] = wishes(parts);
      before = [];
      text.setAttribute("aria-label", chosen);
      showList();
      return context.attempt(refresh);
    },
  };
}

/** A file and a text of its lines, as `dmesg/find/<text>` in the page's address asks for them. */
function wishes(parts = []) {
  const mark = parts.indexOf("find");
  const name = (mark < 0 ? parts : parts.slice(0, mark)).join("/");
  return [names.includes(name) ? name : "dmesg", mark < 0 ? "" : parts.slice(mark + 1).join("/")];
}
