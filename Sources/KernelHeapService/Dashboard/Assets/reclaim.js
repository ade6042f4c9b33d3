// What memory comes back from: LRU lists, kswapd, writeback, swap, shrinkers; and what each CPU is in the middle of.
import * as api from "./api.js";
import { h, number, pages, percent, replace } from "./dom.js";
import { t } from "./i18n.js";
import { callLink } from "./links.js";
import { legend, zoneChip } from "./palette.js";

const lists = [["active_anon", "--state-anonymous"], ["inactive_anon", "--lru-inactive-anon"], ["active_file", "--state-file"], ["inactive_file", "--lru-inactive-file"], ["unevictable", "--state-reserved"]];

export function create(context) {
  const place = h("div", { className: "stack" });
  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.reclaim")), h("p", { className: "lead" }, t("reclaim.lead"))),
    h("div", { className: "key" }, legend(lists.map(([name, tone]) => [tone, name]))), place);

  async function refresh() {
    const [state, { cpus, tasks }] = await Promise.all([api.view(context.id, "reclaim"), api.view(context.id, "cpus")]);
    if (place.contains(document.activeElement) && document.activeElement.matches("a")) return;
    replace(place, state.nodes.map(node), amounts(state), state.shrinkers.length ? shrinkers(state.shrinkers) : null, state.kills.length ? kills(state.kills) : null, processors(cpus, tasks));
  }

  function node(entry) {
    const { kswapd } = entry;
    const most = Math.max(1, ...entry.zones.map((zone) => total(zone)));
    return h("section", { className: "card" },
      h("header", { className: "row" }, h("h2", {}, t("reclaim.node", { node: entry.node })),
        h("span", { className: kswapd.hopeless ? "chip-bad" : kswapd.woken ? "chip-warn" : "chip-good" }, t(kswapd.hopeless ? "reclaim.hopeless" : kswapd.woken ? "reclaim.woken" : "reclaim.sleeps")),
        kswapd.failures ? h("span", { className: "fine" }, t("reclaim.failures", { count: number(kswapd.failures) })) : null),
      h("div", { className: "lru" }, entry.zones.map((zone) => [
        h("span", {}, zoneChip(zone.name)),
        h("span", { className: "lru-bar", role: "img", "aria-label": lists.map(([name]) => `${name} ${number(zone.lists[name] ?? 0)}`).join(", ") },
          lists.map(([name, tone]) => zone.lists[name] ? h("i", { title: `${name}: ${pages(zone.lists[name])}`, css: { width: `${(zone.lists[name] / most) * 100}%`, "--tone": `var(${tone})` } }) : null)),
        h("span", { className: "lru-sum" }, total(zone) ? pages(total(zone)) : "—"),
      ])),
      h("p", { className: "fine" }, t("reclaim.cost", { anon: number(entry.anon_cost), file: number(entry.file_cost) })));
  }

  const total = (zone) => Object.values(zone.lists).reduce((sum, count) => sum + count, 0);

  function amounts({ writeback, swap_areas: areas, swappiness }) {
    const bar = (share, label) => h("span", { className: "fill-bar wide-bar", role: "img", "aria-label": label }, h("i", { css: { width: `${Math.min(1, share) * 100}%` } }));
    return h("section", { className: "card" }, h("h2", {}, t("reclaim.writeback")),
      h("dl", { className: "facts" },
        h("dt", {}, t("reclaim.dirty")), h("dd", {}, bar(writeback.limit ? writeback.dirty / writeback.limit : 0, percent(writeback.limit ? writeback.dirty / writeback.limit : 0)), ` ${pages(writeback.dirty)} / ${pages(writeback.limit)}`),
        h("dt", {}, t("reclaim.written")), h("dd", {}, pages(writeback.writeback)),
        h("dt", {}, "swappiness"), h("dd", {}, swappiness),
        areas.length ? areas.map((area) => [h("dt", {}, `swap ${area.path}`), h("dd", {}, bar(area.pages ? area.used / area.pages : 0, percent(area.pages ? area.used / area.pages : 0)), ` ${pages(area.used)} / ${pages(area.pages)}`)]) : [h("dt", {}, "swap"), h("dd", {}, t("reclaim.no-swap"))]));
  }

  const table = (title, names, rows) => h("section", { className: "card" }, h("h2", {}, title),
    h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": title }, h("table", { className: "list plain" },
      h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows))));

  const shrinkers = (entries) => table(t("reclaim.shrinkers"), [t("reclaim.name"), t("page.cache"), t("reclaim.objects"), t("reclaim.freed"), "seeks"],
    entries.map((entry) => h("tr", {}, h("th", { scope: "row" }, entry.name), h("td", {}, entry.cache), h("td", {}, number(entry.objects)), h("td", {}, number(entry.freed)), h("td", {}, entry.seeks))));

  const kills = (entries) => table(t("reclaim.kills"), [t("reclaim.process"), t("reclaim.call"), t("reclaim.resident"), t("reclaim.swapped"), "oom_score_adj"],
    entries.map((entry) => h("tr", {}, h("th", { scope: "row" }, `${entry.name} (${entry.pid})`), h("td", {}, callLink(context, entry.call)), h("td", {}, pages(entry.resident)), h("td", {}, pages(entry.swapped)), h("td", {}, entry.oom_score_adj))));

  const processors = (cpus, tasks) => [
    table(t("reclaim.cpus"), ["CPU", t("reclaim.task"), t("reclaim.in"), "preempt_count", "irqs", t("reclaim.locks")],
      cpus.slice(0, 64).map((cpu) => h("tr", {}, h("th", { scope: "row" }, cpu.cpu), h("td", {}, cpu.task), h("td", {}, cpu.in), h("td", { className: "mono" }, cpu.preempt_count), h("td", {}, t(cpu.irqs_disabled ? "reclaim.off" : "reclaim.on")), h("td", {}, locks(cpu.locks), cpu.spins_for ? h("span", { className: "chip-bad" }, t("reclaim.spins", { lock: cpu.spins_for })) : null)))),
    tasks.length ? table(t("reclaim.tasks"), [t("reclaim.task"), t("reclaim.locks"), t("reclaim.sleeps-for"), t("reclaim.scopes")], tasks.slice(0, 64).map((task) => h("tr", {}, h("th", { scope: "row" }, `${task.name} (${task.pid})`), h("td", {}, locks(task.locks)), h("td", {}, task.sleeps_for ?? "—"), h("td", {}, scopes(task))))) : null,
  ];

  const locks = (entries) => (entries?.length ? entries.map((lock) => [h("code", {}, lock.lock), " ", callLink(context, lock.call), " "]) : "—");

  const scopes = (task) => [...task.flags, task.rcu_nest_depth ? `rcu ${task.rcu_nest_depth}` : "", task.pagefault_disabled ? "pagefault_disable" : ""].filter(Boolean).join(" · ") || "—";

  return { element, refresh };
}
