// What 32-bit machines have beside pages: windows onto high memory, and segments.
import { h, hex, number } from "./dom.js";
import { t } from "./i18n.js";

/** The pkmap slots, who waits for one, and each thread's short maps. */
export function highMemory(high) {
  const bySlot = new Map(high.slots.map((slot) => [slot.slot, slot]));
  const cells = Array.from({ length: high.last_pkmap }, (_, index) => {
    const slot = bySlot.get(index);
    return h("i", { className: `pkmap-slot ${slot ? slot.state : ""}`, title: slot ? `${index}: PFN ${slot.pfn}, pkmap_count ${slot.pkmap_count} (${slot.function ?? "?"} #${slot.call})` : `${index}` });
  });
  return h("section", { className: "card" }, h("h2", {}, t("high.title")),
    high.last_pkmap === 0 ? h("p", { className: "fine" }, t("high.none")) : [
      h("p", { className: "fine" }, t("high.text", { base: high.pkmap_base, slots: number(high.last_pkmap), used: number(high.used_slots), unflushed: number(high.unflushed_slots), free: number(high.free_slots), flushes: number(high.flushes), pages: number(high.high_pages) })),
      h("div", { className: "pkmap", role: "img", "aria-label": t("high.label", { used: high.used_slots, slots: high.last_pkmap }) }, cells),
      h("ul", { className: "legend" }, [["in_use", "high.in-use"], ["unmapped_not_flushed", "high.unflushed"], ["", "high.free"]].map(([state, key]) => h("li", {}, h("i", { className: `pkmap-slot ${state}` }), t(key)))),
    ],
    high.sleepers.length ? h("p", { className: "banner warn" }, t("high.sleepers", { count: high.sleepers.length, calls: high.sleepers.slice(0, 8).map((sleeper) => `#${sleeper.call}`).join(", ") })) : null,
    high.threads.map((thread) => h("p", {}, `CPU ${thread.cpu}, pid ${thread.pid}: `, thread.maps.map((map) => h("span", { className: "member" }, `${map.type ?? `fix ${map.fix_index}`} ${map.address} → PFN ${number(map.pfn)}`)))));
}

/** Segment registers with their hidden parts, and the GDT. */
export function segmentTables(segments) {
  const describe = (entry) => (entry ? `${entry.kind} ${entry.rights}`.trim() : "—");
  const row = (name, selector, entry) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("code", {}, selector)), h("td", {}, describe(entry)), h("td", {}, h("code", {}, entry?.base ?? "—")), h("td", {}, h("code", {}, entry?.byte_limit ?? "—")), h("td", {}, entry ? String(entry.dpl) : "—"));
  const head = (first) => h("thead", {}, h("tr", {}, [first, t("segments.selector"), t("segments.kind"), "base", "limit", "DPL"].map((text) => h("th", { scope: "col" }, text))));
  const table = (label, first, rows) => h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": label }, h("table", { className: "list" }, head(first), h("tbody", {}, rows)));
  return h("section", { className: "card" }, h("h2", {}, t("segments.title")),
    h("p", { className: "fine" }, `CPL ${segments.cpl ?? "—"} · ${segments.mode} · GDTR ${segments.gdtr?.base ?? "—"}, limit ${segments.gdtr?.limit ?? "—"}`),
    table(t("segments.registers"), t("segments.register"), segments.registers.map((register) => row(register.name, register.selector, register.hidden))),
    h("details", {}, h("summary", {}, t("segments.gdt", { count: segments.gdt.length })), table("GDT", t("segments.index"), segments.gdt.map((entry) => row(String(entry.index), entry.selector ?? hex(entry.index * 8), entry)))));
}
