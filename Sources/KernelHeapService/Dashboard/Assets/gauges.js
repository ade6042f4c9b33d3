// Zones in numbers: how much is free, and how far down each kind of request may go.
import { h, number, pages } from "./dom.js";
import { t } from "./i18n.js";
import { zoneChip, zoneVariable } from "./palette.js";

/** How deep below the low mark requests may dig, as `__zone_watermark_ok()` and its callers have it. */
export const requests = [
  { name: "GFP_KERNEL", mark: (marks) => marks.low, text: "gauge.fast" },
  { name: "GFP_KERNEL, slow path", mark: (marks) => marks.min, text: "gauge.slow" },
  { name: "GFP_ATOMIC", mark: (marks) => { const high = marks.min - Math.floor(marks.min / 2); return high - Math.floor(high / 4); }, text: "gauge.atomic" },
  { name: "__GFP_MEMALLOC", mark: () => 0, text: "gauge.memalloc" },
];

/** A scale that shows watermarks of some pages beside zones of millions. */
const place = (count, largest) => (Math.log2(1 + Math.max(0, count)) / Math.log2(1 + Math.max(1, largest))) * 100;

/** The gauge of a zone; `reserve` is what lowmem_reserve keeps from the chosen request. */
export function gauge(zone, request = requests[0], reserve = 0) {
  const { watermarks: marks, managed, free } = zone;
  const boosted = { min: marks.min + marks.boost, low: marks.low + marks.boost, high: marks.high + marks.boost };
  const limit = request.mark(boosted) + reserve;
  const tick = (name, count) =>
    h("span", { className: `tick tick-${name}`, css: { left: `${place(count, managed)}%` }, title: `${name}: ${number(count)} ${t("unit.pages")} (${pages(count)})` },
      h("span", {}, name));
  const passes = free > limit;
  return h("div", { className: "gauge" },
    h("div", {
      className: "gauge-bar",
      role: "img",
      "aria-label": t("gauge.label", { zone: zone.name, free: number(free), min: number(boosted.min), low: number(boosted.low), high: number(boosted.high) }),
    },
      h("span", { className: "gauge-fill", css: { width: `${place(free, managed)}%`, "--tone": `var(${zoneVariable(zone.name)})` } }),
      h("span", { className: "gauge-limit", css: { width: `${place(limit, managed)}%` } }),
      tick("min", boosted.min), tick("low", boosted.low), tick("high", boosted.high),
    ),
    h("p", { className: `gauge-verdict ${passes ? "good" : "stop"}` },
      passes ? t("gauge.may", { request: request.name, count: number(free - limit) })
        : t("gauge.may-not", { request: request.name, limit: number(limit) })),
  );
}

/** What the gauge's parts mean. */
export const gaugeLegend = () =>
  h("ul", { className: "legend" },
    h("li", {}, h("i", { className: "swatch", css: { "--tone": "color-mix(in srgb, var(--zone-dma32) 55%, var(--panel-2))" } }), t("gauge.free")),
    h("li", {}, h("i", { className: "gauge-swatch" }), t("gauge.kept")));

/** A card of a zone: name, sizes, gauge. */
export function zoneCard(zone, request, reserve) {
  const used = zone.managed - zone.free;
  return h("section", { className: "card zone", "aria-label": t("zone.label", { zone: zone.name }) },
    h("h2", {}, zoneChip(zone.name), zone.node > 0 ? ` node ${zone.node}` : ""),
    h("dl", { className: "facts" },
      h("dt", {}, t("zone.managed")), h("dd", {}, pages(zone.managed)),
      h("dt", {}, t("zone.free")), h("dd", {}, pages(zone.free)),
      h("dt", {}, t("zone.used")), h("dd", {}, pages(used)),
    ),
    gauge(zone, request, reserve),
  );
}
