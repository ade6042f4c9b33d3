// Memory cgroups: a tree of gauges, each with the limits of its group and what it holds.
import * as api from "./api.js";
import { bytes, h, number, replace } from "./dom.js";
import { t } from "./i18n.js";
import { invitation } from "./links.js";
import { legend } from "./palette.js";

const limits = ["memory.min", "memory.low", "memory.high", "memory.max"];
const kinds = [["anon", "--state-anonymous"], ["file", "--state-file"], ["kernel", "--state-kernel"]];
const alarms = new Set(["max", "oom", "oom_kill", "oom_group_kill"]);
const starters = [["cgroup_mkdir", { path: "/web" }], ["cgroup_write", { file: "/web/memory.max", value: "16M" }], ["process_create", { name: "worker" }], ["cgroup_write", { file: "/web/cgroup.procs", value: "2" }]];

export function create(context) {
  const place = h("div", {});
  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.groups")), h("p", { className: "lead" }, t("groups.lead"))),
    h("div", { className: "key" }, legend(kinds.map(([kind, tone]) => [tone, t(`groups.kind.${kind}`)])),
      h("ul", { className: "legend" }, limits.map((name) => h("li", {}, h("i", { className: `limit-key ${name.replace("memory.", "limit-")}` }), h("span", {}, h("code", {}, name.replace("memory.", "")), ` ${t(`groups.${name}`)}`))))),
    place);

  async function refresh() {
    const { cgroups } = await api.view(context.id, "cgroups");
    const focused = place.contains(document.activeElement) ? document.activeElement.closest("details")?.dataset.path : undefined;
    const open = new Set([...place.querySelectorAll("details[open]")].map((entry) => entry.dataset.path));
    replace(place, h("ul", { className: "groups", "aria-label": t("view.groups") }, ordered(cgroups).map((group) => card(group, open.has(group.path)))),
      cgroups.length === 1 ? invitation(context, t("groups.none"), starters) : null);
    if (focused) place.querySelector(`details[data-path="${CSS.escape(focused)}"] > summary`)?.focus({ preventScroll: true });
  }

  function card(group, isOpen) {
    const depth = group.path === "/" ? 0 : group.path.split("/").length - 1;
    const events = Object.entries(group.events).filter(([, count]) => count > 0);
    return h("li", { className: "card group", css: { "--depth": Math.min(depth, 6) } },
      h("header", { className: "row" },
        h("h2", {}, group.path === "/" ? t("groups.root") : group.path.split("/").at(-1), h("span", { className: "fine" }, ` ${group.path}`)),
        group.removed ? h("span", { className: "chip-bad" }, t("groups.removed")) : null,
        group.oom_group ? h("span", { className: "pill" }, "memory.oom.group") : null,
        h("span", { className: "group-amount" }, group.current === null ? t("groups.uncounted") : [h("b", {}, bytes(group.current)), group.limits["memory.max"] === null ? "" : ` / ${bytes(group.limits["memory.max"])}`])),
      group.current === null ? null : gauge(group),
      h("p", { className: "group-facts" },
        limits.filter((name) => group.limits[name] !== null && (group.limits[name] > 0 || name === "memory.max")).map((name) => h("span", {}, h("i", { className: `limit-key ${name.replace("memory.", "limit-")}` }), h("code", {}, name.replace("memory.", "")), ` ${bytes(group.limits[name])}`)),
        group.peak ? h("span", {}, `${t("groups.peak")} ${bytes(group.peak)}`) : null,
        group.failcnt ? h("span", {}, `${t("groups.failcnt")} ${number(group.failcnt)}`) : null,
        h("span", {}, group.processes.length ? `PID ${group.processes.slice(0, 12).join(", ")}${group.processes.length > 12 ? " …" : ""}` : t("groups.no-processes"))),
      events.length ? h("p", { className: "pills" }, events.map(([name, count]) => h("span", { className: alarms.has(name) ? "chip-bad" : "chip-warn" }, `${name} ${number(count)}`))) : null,
      stat(group, isOpen));
  }

  /** What the group holds, on a scale that ends a little behind its greatest number. */
  function gauge(group) {
    const set = limits.map((name) => group.limits[name]).filter((value) => value !== null);
    const most = Math.max(group.current, group.peak, ...set, 1) * 1.04;
    const at = (value) => `${Math.min(100, (value / most) * 100)}%`;
    const counted = kinds.map(([kind, tone]) => [kind, group.stat[kind] ?? 0, tone]);
    const sum = counted.reduce((total, [, count]) => total + count, 0);
    const isFull = group.limits["memory.max"] !== null && group.current >= group.limits["memory.max"] * 0.98;
    return h("div", { className: `group-gauge ${isFull ? "is-full" : ""}`, role: "img", "aria-label": t("groups.gauge", { path: group.path, current: bytes(group.current), limit: group.limits["memory.max"] === null ? "max" : bytes(group.limits["memory.max"]) }) },
      h("span", { className: "group-fill", css: { width: at(group.current) } }, counted.map(([kind, count, tone]) => count ? h("i", { title: `${t(`groups.kind.${kind}`)} ${bytes(count)}`, css: { width: `${(count / Math.max(1, sum)) * 100}%`, "--tone": `var(${tone})` } }) : null)),
      group.peak > group.current ? h("span", { className: "group-peak", title: `${t("groups.peak")} ${bytes(group.peak)}`, css: { left: at(group.peak) } }) : null,
      limits.map((name) => group.limits[name] ? h("span", { className: `group-limit ${name.replace("memory.", "limit-")}`, title: `${name} ${bytes(group.limits[name])}`, css: { left: at(group.limits[name]) } }) : null));
  }

  function stat(group, isOpen) {
    const lines = Object.entries(group.stat).filter(([, value]) => value > 0);
    if (lines.length === 0) return null;
    const isCount = (name) => /^(pg|workingset)/.test(name);
    return h("details", { open: isOpen, data: { path: group.path } }, h("summary", {}, "memory.stat"),
      h("dl", { className: "facts wide" }, lines.map(([name, value]) => [h("dt", {}, h("code", {}, name)), h("dd", {}, isCount(name) ? number(value) : bytes(value))])));
  }

  return { element, refresh };
}

/** Each group right behind the one above it and its earlier siblings' members. */
function ordered(cgroups) {
  const below = (path) => cgroups.filter((group) => group.path !== "/" && (group.path.slice(0, group.path.lastIndexOf("/")) || "/") === path).flatMap((group) => [group, ...below(group.path)]);
  const found = [...cgroups.filter((group) => group.path === "/"), ...below("/")];
  // Groups that were removed and still have pages may have lost the one above them.
  return [...found, ...cgroups.filter((group) => !found.includes(group))];
}
