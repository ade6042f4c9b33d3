// Slab caches as a table, and a cache's slabs slot by slot.
import * as api from "./api.js";
import { bytes, h, number, percent, replace } from "./dom.js";
import { t } from "./i18n.js";
import { slabPicture } from "./slabpicture.js";

const columns = [
  { key: "name", value: (cache) => cache.name, isText: true },
  { key: "object_size", value: (cache) => cache.object_size },
  { key: "size", value: (cache) => cache.size },
  { key: "objects_per_slab", value: (cache) => cache.objects_per_slab },
  { key: "order", value: (cache) => cache.order },
  { key: "live", value: (cache) => cache.live_objects },
  { key: "slabs", value: (cache) => cache.slabs },
  { key: "memory", value: (cache) => cache.slabs * cache.pages_per_slab * 4096 },
];

export function create(context, rest) {
  let sort = { key: "memory", isDown: true };
  let chosen = rest?.[0] ?? null;
  let caches = [];
  let cursor = null;
  let isFollowing = !chosen;

  const filter = h("input", { type: "search", id: "cache-filter", placeholder: t("slabs.filter"), autocomplete: "off", oninput: () => showTable() });
  const used = h("input", { type: "checkbox", checked: true, onchange: () => showTable() });
  const table = h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("slabs.table") });
  const detail = h("div", { className: "stack", "aria-live": "polite" });
  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.slabs")), h("p", { className: "lead" }, t("slabs.lead"))),
    h("div", { className: "toolbar" }, h("label", {}, t("slabs.find"), " ", filter), h("label", { className: "check" }, used, t("slabs.used-only"))),
    table, detail);

  function showTable() {
    const text = filter.value.trim().toLowerCase();
    const column = columns.find((entry) => entry.key === sort.key);
    const shown = caches
      .filter((cache) => cache.names.some((name) => name.toLowerCase().includes(text)) && (!used.checked || cache.slabs > 0 || cache.name === chosen))
      .sort((a, b) => {
        const [left, right] = [column.value(a), column.value(b)];
        return (sort.isDown ? -1 : 1) * (column.isText ? left.localeCompare(right) : left - right);
      });
    const head = columns.map((entry) =>
      h("th", { scope: "col", "aria-sort": entry.key === sort.key ? (sort.isDown ? "descending" : "ascending") : undefined },
        h("button", { type: "button", className: "sort", onclick: () => {
          sort = { key: entry.key, isDown: entry.key === sort.key ? !sort.isDown : !entry.isText };
          showTable();
          table.querySelector(`[aria-sort] .sort`)?.focus();
        } }, t(`slabs.${entry.key}`), entry.key === sort.key ? (sort.isDown ? " ↓" : " ↑") : "")));
    replace(table, h("table", { className: "list" },
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, shown.map(row))),
    shown.length ? null : h("p", { className: "empty" }, t(caches.length === 0 ? "loading" : caches.some((cache) => cache.slabs > 0) ? "slabs.none" : "slabs.no-slabs-yet")));
  }

  function row(cache) {
    const share = cache.objects ? cache.live_objects / cache.objects : 0;
    return h("tr", { className: cache.name === chosen ? "chosen" : "" },
      h("th", { scope: "row" }, h("a", { href: `${context.base}/slabs/${encodeURIComponent(cache.name)}`, "aria-current": cache.name === chosen ? "true" : undefined }, cache.name), cache.names.length > 1 ? h("span", { className: "fine", title: cache.names.join(", ") }, ` +${cache.names.length - 1}`) : null),
      h("td", {}, number(cache.object_size)), h("td", {}, number(cache.size)), h("td", {}, number(cache.objects_per_slab)), h("td", {}, cache.order),
      h("td", { className: "fill" }, h("span", { className: "fill-bar", role: "img", "aria-label": percent(share) }, h("i", { css: { width: `${share * 100}%` } })), `${number(cache.live_objects)} / ${number(cache.objects)}`),
      h("td", {}, number(cache.slabs)), h("td", {}, bytes(columns.at(-1).value(cache))));
  }

  async function showDetail() {
    if (!chosen) {
      replace(detail, h("p", { className: "empty" }, t("slabs.choose")));
      return;
    }
    const [state, found] = await Promise.all([api.view(context.id, "caches", { name: chosen }), api.slabs(context.id, chosen, { limit: 512, cursor })]);
    const cache = state.caches[0];
    replace(detail,
      h("section", { className: "card" },
        h("header", { className: "row" }, h("h2", {}, chosen, cache.names.length > 1 ? h("span", { className: "fine" }, ` ${t("slabs.merged", { names: cache.names.filter((name) => name !== chosen).join(", ") })}`) : null), h("button", { type: "button", onclick: () => context.panel.show("kmem_cache_alloc", { s: chosen, flags: "GFP_KERNEL" }) }, t("slabs.allocate"))),
        h("dl", { className: "facts wide" }, [
          [t("slabs.object_size"), bytes(cache.object_size)], [t("slabs.size"), bytes(cache.size)], [t("slabs.align"), number(cache.align)], [t("slabs.free-pointer"), `+${number(cache.offset)}`],
          ["min_partial", number(cache.min_partial)], ["cpu_partial", number(cache.cpu_partial)], [t("slabs.flags"), cache.flags.join(" | ") || "0"], [t("slabs.usercopy"), cache.usercopy_size ? `+${cache.usercopy_offset}, ${bytes(cache.usercopy_size)}` : t("slabs.no-usercopy")],
        ].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
        cache.usage ? usageBar(cache.usage) : null,
        members(cache)),
      found.slabs.length ? found.slabs.map((slab) => slabPicture(context, cache, slab)) : h("p", { className: "empty" }, t("slabs.no-slabs")),
      h("div", { className: "row" },
        cursor ? h("button", { type: "button", onclick: () => ((cursor = null), context.attempt(showDetail)) }, t("slabs.first")) : null,
        found.next_cursor ? h("button", { type: "button", onclick: () => ((cursor = found.next_cursor), context.attempt(showDetail)) }, t("slabs.next")) : null));
  }

  /** Internal fragmentation: what the slabs' bytes are used for. */
  function usageBar(usage) {
    const parts = [
      ["requested", usage.requested, "--state-slab"], ["rounding", usage.allocated - usage.requested, "--state-kernel"], ["free", usage.free, "--order-8"],
      ["padding", usage.padding, "--state-page-table"], ["tail", usage.tail, "--state-reserved"],
    ].filter(([, count]) => count > 0);
    return h("div", { className: "usage" },
      h("div", { className: "usage-bar", role: "img", "aria-label": parts.map(([name, count]) => `${t(`slabs.${name}`)} ${bytes(count)}`).join(", ") },
        parts.map(([, count, tone]) => h("i", { css: { width: `${(count / usage.slab_bytes) * 100}%`, "--tone": `var(${tone})` } }))),
      h("ul", { className: "legend" }, parts.map(([name, count, tone]) => h("li", {}, h("i", { className: "swatch", css: { "--tone": `var(${tone})` } }), `${t(`slabs.${name}`)} ${bytes(count)}`))));
  }

  /** Which slab is whose: CPUs with their chains, nodes with their lists. */
  function members(cache) {
    const pill = (slab) => h("span", { className: "member" }, `PFN ${number(slab.pfn)} `, h("b", {}, `${slab.objects_in_use}/${slab.objects}`));
    return h("dl", { className: "members" },
      cache.cpus.map((cpu) => [h("dt", {}, `CPU ${cpu.cpu}`), h("dd", {}, cpu.slab ? pill(cpu.slab) : h("span", { className: "muted" }, "—"), cpu.partial.length ? [h("span", { className: "fine" }, ` ${t("slabs.cpu-partial")} `), cpu.partial.map(pill)] : null)]),
      cache.nodes.filter((node) => node.slabs > 0).map((node) => [h("dt", {}, `node ${node.node}`), h("dd", {}, t("slabs.node-partial", { count: number(node.partial_slabs) }), " ", (node.partial ?? []).slice(0, 12).map(pill))]));
  }

  return {
    element,
    /** Until somebody chooses, the cache that was used last is shown. */
    called: (outcome) => {
      const used = outcome.detail?.cache;
      if (!used || (chosen && !isFollowing)) return;
      isFollowing = true;
      chosen = used;
      cursor = null;
    },
    navigate: (parts) => {
      // Without a name the cache stays that is shown.
      if (parts?.[0]) [chosen, isFollowing] = [parts[0], false];
      cursor = null;
      showTable();
      return context.attempt(showDetail);
    },
    refresh: async () => {
      caches = (await api.view(context.id, "caches")).caches;
      context.caches = caches.map((cache) => cache.name);
      if (!table.contains(document.activeElement) || !table.querySelector("tbody")?.children.length) showTable();
      if (!detail.contains(document.activeElement)) await showDetail();
    },
  };
}
