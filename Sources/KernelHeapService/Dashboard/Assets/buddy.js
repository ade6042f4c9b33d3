// Buddy lists by zone, order and class; changes run along the orders as splits and merges do.
import * as api from "./api.js";
import { h, number, pages, percent, prefersLessMotion, replace } from "./dom.js";
import { gauge, gaugeLegend, requests } from "./gauges.js";
import { t } from "./i18n.js";
import { maxOrder, migrateTypes, orderRamp, orderVariable, swatch, typeVariable, zoneChip } from "./palette.js";

const stepMilliseconds = 90;

export function create(context) {
  const body = h("div", { className: "stack" });
  let request = requests[0];
  let flags = "GFP_KERNEL";
  let before = new Map();
  const cells = new Map();

  const kind = h("select", { id: "gauge-request", onchange: () => ((request = requests[kind.selectedIndex]), refresh()) }, requests.map((entry) => h("option", {}, entry.name)));
  const target = h("select", { id: "gauge-zone", onchange: () => ((flags = target.value), refresh()) }, ["GFP_KERNEL", "GFP_DMA32", "GFP_DMA", "__GFP_HIGHMEM"].filter((name) => context.flags[name] !== undefined).map((name) => h("option", { value: name }, name)));
  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.buddy")), h("p", { className: "lead" }, t("buddy.lead"))),
    h("div", { className: "toolbar" }, h("label", {}, t("buddy.request"), " ", kind), h("label", {}, t("buddy.may-use"), " ", target), h("span", { className: "fine" }, orderRamp())),
    gaugeLegend(),
    body);

  /** The highest zone that the flags allow, as an index into lowmem_reserve. */
  function highest(zones) {
    const names = ["DMA", "DMA32", "Normal", "HighMem", "Movable"];
    const wished = { GFP_DMA: "DMA", GFP_DMA32: "DMA32", __GFP_HIGHMEM: "HighMem" }[flags] ?? "Normal";
    const known = context.is32Bit ? ["DMA", "Normal", "HighMem", "Movable"] : ["DMA", "DMA32", "Normal", "Movable"];
    const index = known.indexOf(wished);
    return { index: index < 0 ? zones.length - 1 : index, rank: names.indexOf(wished), names };
  }

  async function refresh() {
    const [{ zones }, { zones: fragments }] = await Promise.all([api.view(context.id, "zones"), api.view(context.id, "fragmentation")]);
    const limit = highest(zones);
    const after = new Map();
    cells.clear();
    replace(body, zones.map((zone) => zoneTable(zone, limit, fragments.find((entry) => entry.name === zone.name && entry.node === zone.node), after)));
    animate(before, after);
    before = after;
  }

  function zoneTable(zone, limit, fragments, after) {
    const isAllowed = limit.names.indexOf(zone.name) <= limit.rank;
    const reserve = isAllowed ? zone.lowmem_reserve[limit.index] ?? 0 : 0;
    const byOrder = new Map(zone.free_blocks.map((entry) => [entry.order, entry.blocks]));
    const orders = Array.from({ length: maxOrder + 1 }, (_, order) => order);
    const perCPU = (zone.pcp ?? []).reduce((sum, list) => sum + (list.count ?? list.pages ?? 0), 0);
    const types = migrateTypes.filter((type) => type !== "Isolate" || orders.some((order) => byOrder.get(order)?.[type]));
    const most = Math.max(1, ...orders.map((order) => types.reduce((sum, type) => sum + (byOrder.get(order)?.[type] ?? 0), 0) * 2 ** order));
    const key = `${zone.node}/${zone.name}`;
    const cell = (order, type) => {
      const count = byOrder.get(order)?.[type] ?? 0;
      const name = `${key}/${type}/${order}`;
      after.set(name, count);
      const made = h("td", { className: count ? "count" : "count none", title: `${number(count)} × ${pages(2 ** order)} = ${pages(count * 2 ** order)}` }, count ? number(count) : "·");
      cells.set(name, made);
      return made;
    };
    return h("section", { className: "card", "aria-label": t("zone.label", { zone: zone.name }) },
      h("header", { className: "row" },
        h("h2", {}, zoneChip(zone.name), zone.node > 0 ? ` node ${zone.node}` : "", " ", h("span", { className: "fine" }, t("buddy.free", { free: pages(zone.free), pages: number(zone.free) }), perCPU ? ` · ${t("buddy.per-cpu", { count: number(perCPU) })}` : ""))),
      isAllowed ? gauge(zone, request, reserve) : h("p", { className: "fine" }, t("buddy.not-allowed", { flags, zone: zone.name })),
      h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("buddy.table", { zone: zone.name }) },
        h("table", { className: "orders" },
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "order"), orders.map((order) => h("th", { scope: "col", className: "order-head", css: { "--tone": `var(${orderVariable(order)})` } }, String(order), h("small", {}, pages(2 ** order)))))),
          h("tbody", {},
            types.map((type) => h("tr", {}, h("th", { scope: "row" }, swatch(typeVariable(type)), type), orders.map((order) => cell(order, type)))),
            h("tr", { className: "share" }, h("th", { scope: "row" }, t("buddy.memory")), orders.map((order) => {
              const count = types.reduce((sum, type) => sum + (byOrder.get(order)?.[type] ?? 0), 0) * 2 ** order;
              return h("td", { title: pages(count) }, h("i", { className: "bar", css: { height: `${(count / most) * 34}px`, "--tone": `var(${orderVariable(order)})` } }));
            })),
            fragments ? h("tr", { className: "fine" }, h("th", { scope: "row", title: t("buddy.unusable-text") }, t("buddy.unusable")), fragments.orders.map((entry) => h("td", {}, percent(entry.unusable_index)))) : null))));
  }

  /** Lists that lost a block light up first, then those below or above that gained one. */
  function animate(old, now) {
    if (old.size === 0) return;
    const groups = new Map();
    for (const [name, count] of now) {
      const change = count - (old.get(name) ?? count);
      if (change === 0) continue;
      const cut = name.lastIndexOf("/");
      const group = groups.get(name.slice(0, cut)) ?? [];
      group.push({ order: Number(name.slice(cut + 1)), change, cell: cells.get(name) });
      groups.set(name.slice(0, cut), group);
    }
    for (const group of groups.values()) {
      const lost = Math.max(-1, ...group.filter(({ change }) => change < 0).map(({ order }) => order));
      const gained = Math.max(-1, ...group.filter(({ change }) => change > 0).map(({ order }) => order));
      const goesDown = lost >= gained;
      group.sort((a, b) => (goesDown ? b.order - a.order : a.order - b.order));
      group.forEach(({ change, cell }, index) => {
        cell.append(h("span", { className: `delta ${change > 0 ? "up" : "down"}` }, change > 0 ? `+${change}` : `−${-change}`));
        cell.classList.add(change > 0 ? "gained" : "lost");
        if (!prefersLessMotion()) cell.style.setProperty("--delay", `${index * stepMilliseconds}ms`);
      });
    }
  }

  return { element, refresh };
}
