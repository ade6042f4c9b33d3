// Memory that callers hold, by what it has in common.
import * as api from "./api.js";
import { bytes, h, number, percent, replace } from "./dom.js";
import { t } from "./i18n.js";
import { cacheLink, callLink } from "./links.js";
import { sortable } from "./sortable.js";

const keys = ["function", "cache", "call", "size", "age"];
const mostGroups = 500;

export function held(context) {
  let key = "function";
  let table = null;
  let total = null;
  const choice = h("select", { id: "held-by", onchange: () => {
    key = choice.value;
    table = null;
    context.attempt(refresh);
  } }, keys.map((name) => h("option", { value: name }, t(`held.by.${name}`))));
  const sum = h("p", { className: "fine", role: "status" });
  const place = h("div", {});
  const element = h("div", {}, h("p", { className: "lead" }, t("held.lead")),
    h("div", { className: "toolbar" }, h("label", { className: "inline" }, t("held.by"), " ", choice)), sum, place);

  function columns() {
    const share = (group) => (total.bytes ? group.bytes / total.bytes : 0);
    return [
      { key: "group", label: t(`held.by.${key}`), value: (group) => group[key] ?? null, show: name, isText: key === "function" || key === "cache" },
      { key: "count", label: t("held.count"), value: (group) => group.count, show: (group) => number(group.count) },
      { key: "bytes", label: t("held.bytes"), value: (group) => group.bytes, className: "fill", show: (group) => [h("span", { className: "fill-bar", role: "img", "aria-label": percent(share(group)) }, h("i", { css: { width: `${share(group) * 100}%` } })), bytes(group.bytes)] },
      { key: "oldest", label: t("held.oldest"), value: (group) => group.oldest_call, show: (group) => callLink(context, group.oldest_call) },
      { key: "newest", label: t("held.newest"), value: (group) => group.newest_call, show: (group) => callLink(context, group.newest_call) },
      { key: "age", label: t("held.age"), value: (group) => group.oldest_age, show: (group) => (group.oldest_age === null ? "—" : number(group.oldest_age)) },
    ];
  }

  function name(group) {
    const value = group[key];
    if (value === null || value === undefined) return h("span", { className: "muted" }, t(`held.unknown.${key === "cache" ? "cache" : "call"}`));
    if (key === "cache") return cacheLink(context, value);
    if (key === "call") return callLink(context, value, group.function);
    if (key === "size") return bytes(value);
    if (key === "age") return t("held.up-to", { count: number(value) });
    return h("code", {}, value);
  }

  async function refresh() {
    const answer = await api.view(context.id, "allocations", { group_by: key, top: mostGroups });
    if (answer.group_by !== key) return;
    total = answer.total;
    sum.textContent = t("held.total", { count: number(total.count), bytes: bytes(total.bytes), groups: number(total.groups) });
    if (!table) {
      table = sortable(t("verdict.tab.held"), columns(), { key: "bytes", isDown: true });
      replace(place, table.element);
    } else if (table.element.contains(document.activeElement) && document.activeElement.tagName !== "BUTTON" && document.activeElement !== table.element) return;
    const wasSorting = table.element.contains(document.activeElement) && document.activeElement.className === "sort";
    table.set(answer.groups);
    if (wasSorting) table.element.querySelector("[aria-sort] .sort")?.focus();
  }

  return { element, refresh };
}
