// The address space: regions, areas and pages to scale, and the way of an address through the tables.
import * as api from "./api.js";
import { address, bytes, h, hex, number, parseAddress, replace } from "./dom.js";
import { t } from "./i18n.js";
import { Lens } from "./lens.js";
import { highMemory, segmentTables } from "./processor.js";
import { walk } from "./walk.js";

const tones = {
  user_space: "var(--state-anonymous)", direct_map: "var(--order-3)", vmalloc: "var(--state-vmalloc)", vmemmap: "var(--state-page-table)", pkmap: "var(--zone-highmem)", fixmap: "var(--state-slab)",
  kernel_image: "var(--state-kernel)", modules: "var(--zone-dma)", cpu_entry_area: "var(--state-file)", ldt: "var(--state-file)", vsyscall: "var(--state-per-cpu)",
  reserved: "var(--state-reserved)", non_canonical: "var(--line)", hole: "var(--line)",
};
const empty = new Set(["hole", "non_canonical", "reserved"]);

export function create(context) {
  const pid = h("select", { id: "space-pid", onchange: () => refresh() });
  const legendBox = h("ol", { className: "regions", "aria-label": t("space.regions") });
  const lensBox = h("div", {});
  const tables = h("div", { className: "stack" });
  const where = h("input", { id: "walk-address", type: "text", size: 22, spellcheck: false, autocomplete: "off", placeholder: "0xffff888000100000" });
  const access = h("select", { id: "walk-access" }, ["read", "write", "execute"].map((name) => h("option", {}, name)));
  const mode = h("select", { id: "walk-mode" }, ["kernel", "user"].map((name) => h("option", {}, name)));
  const segment = context.is32Bit ? h("select", { id: "walk-segment" }, ["", "ds", "cs", "ss", "es", "fs", "gs"].map((name) => h("option", { value: name }, name || t("walk.linear")))) : null;
  const steps = h("div", { "aria-live": "polite" });
  const extra = h("div", { className: "stack" });
  let lens = null;

  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.space")), h("p", { className: "lead" }, t("space.lead"))),
    h("div", { className: "toolbar" }, h("label", {}, t("space.process"), " ", pid)),
    h("section", { className: "card" }, h("h2", {}, t("space.regions")), h("p", { className: "fine" }, t("space.regions-note")), legendBox, h("h2", {}, t("space.to-scale")), lensBox),
    h("section", { className: "card" }, h("h2", {}, t("walk.title")),
      h("form", { className: "toolbar", onsubmit: (event) => (event.preventDefault(), translate()) },
        segment ? h("label", {}, t("walk.segment"), " ", segment) : null,
        h("label", {}, t("walk.address"), " ", where), h("label", {}, t("walk.access"), " ", access), h("label", {}, t("walk.mode"), " ", mode), h("button", { className: "primary" }, t("walk.go"))),
      steps),
    extra, tables);

  async function translate() {
    const value = parseAddress(where.value);
    if (value === null) return context.trouble(t("map.no-number"));
    const logical = segment?.value ? { segment: segment.value, offset: hex(value) } : { address: hex(value) };
    const [way, facts] = await Promise.all([
      context.attempt(() => api.view(context.id, "translate", { ...logical, access: access.value, mode: mode.value, pid: pid.value || 1 })),
      api.view(context.id, "what_is", { address: hex(value), pid: pid.value || 1 }).catch(() => null),
    ]);
    if (way) replace(steps, walk(way, facts));
  }

  /** Fills in an address and shows its way. */
  function look(value) {
    where.value = hex(value);
    return translate();
  }

  async function refresh() {
    const processes = (await api.view(context.id, "processes", { limit: 1 })).processes;
    const chosen = pid.value || String(processes[0]?.pid ?? "");
    if (document.activeElement !== pid) replace(pid, processes.map((process) => h("option", { value: process.pid, selected: String(process.pid) === chosen }, `${process.pid} ${process.name}`)));
    const [layout, vmalloc, high, segments] = await Promise.all([
      api.view(context.id, "layout", { pid: chosen, limit: 1000 }), api.view(context.id, "vmalloc", { limit: 1000 }),
      context.is32Bit ? api.view(context.id, "highmem") : null, context.is32Bit ? api.view(context.id, "segments") : null,
    ]);
    showLens(layout, vmalloc);
    replace(extra, high ? highMemory(high) : null, segments ? segmentTables(segments) : null);
    replace(tables, areas(layout.process), vmallocTable(vmalloc));
  }

  function showLens(layout, vmalloc) {
    const last = layout.regions.at(-1);
    if (!lens) {
      lens = new Lens(0n, BigInt(last.last) + 1n, t("space.lens"));
      replace(lensBox, lens.element);
      // Of 64 bits nearly all is no address at all, so the kernel's half is what one sees first.
      const half = layout.regions.find((region) => region.kind === "non_canonical");
      if (half) lens.show(BigInt(half.last) + 1n, BigInt(last.last) + 1n);
    }
    const span = (start, size) => ({ start: BigInt(start), end: BigInt(start) + BigInt(size) });
    const regions = layout.regions.map((region) => ({
      start: BigInt(region.start), end: BigInt(region.last) + 1n, name: region.name, text: region.summary, tone: tones[region.kind] ?? "var(--line)", hatched: empty.has(region.kind),
    }));
    const areas = [
      ...layout.regions.filter((region) => region.used).map((region) => ({ ...span(region.start, region.used), name: bytes(region.used), text: t("space.used"), tone: tones[region.kind] })),
      ...(layout.process?.areas ?? []).map((area) => ({ start: BigInt(area.start), end: BigInt(area.end), name: area.name || area.rights, text: `${area.rights} · ${number(area.resident_pages)} ${t("space.resident")}`, tone: "var(--state-anonymous)", open: (segment) => look(segment.start) })),
      ...vmalloc.areas.flatMap((area) => {
        const whole = span(area.start, area.size);
        const inner = { ...whole, end: whole.end - BigInt(area.guard_bytes), name: area.function ?? area.maker, text: `${area.kind} · ${number(area.pages)} ${t("unit.pages")}`, tone: area.kind === "ioremap" ? "var(--state-file)" : "var(--state-vmalloc)", open: (segment) => look(segment.start) };
        return area.guard_bytes ? [inner, { start: inner.end, end: whole.end, name: t("space.guard"), tone: "var(--stop)", hatched: true }] : [inner];
      }),
      ...vmalloc.lazy.map((range) => ({ ...span(range.start, range.size), name: t("space.lazy"), tone: "var(--state-reserved)", hatched: true })),
    ];
    lens.set([regions, areas]);
    replace(legendBox, layout.regions.map((region, index) => {
      if (empty.has(region.kind) && empty.has(layout.regions[index - 1]?.kind)) return null;
      if (empty.has(region.kind)) return h("li", { className: "region-gap", title: `${region.name}\n${region.start} – ${region.last}\n${region.summary}` });
      const size = BigInt(region.last) - BigInt(region.start) + 1n;
      const end = region.used ? BigInt(region.start) + BigInt(region.used) : BigInt(region.last) + 1n;
      return h("li", {}, h("button", { type: "button", className: "region", title: region.summary, css: { "--tone": tones[region.kind] ?? "var(--line)" }, onclick: () => lens.frame(BigInt(region.start), end) },
        h("b", {}, region.name), h("span", { className: "fine" }, bytes(size)), h("span", { className: "fine mono" }, region.start)));
    }));
  }

  function areas(process) {
    if (!process) return null;
    return h("section", { className: "card" }, h("h2", {}, t("space.areas", { pid: process.pid, name: process.name })),
      process.areas.length ? h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("space.areas", { pid: process.pid, name: process.name }) }, h("table", { className: "list" },
        h("thead", {}, h("tr", {}, ["space.start", "space.size", "space.rights", "space.resident", "space.name"].map((key) => h("th", { scope: "col" }, t(key))))),
        h("tbody", {}, process.areas.slice(0, 200).map((area) => h("tr", {},
          h("th", { scope: "row" }, h("button", { type: "button", className: "quiet", onclick: () => (lens.frame(BigInt(area.start), BigInt(area.end)), look(BigInt(area.start))) }, address(area.start))),
          h("td", {}, bytes(area.size)), h("td", {}, h("code", {}, area.rights)), h("td", {}, number(area.resident_pages)), h("td", {}, area.name || "—")))))) : h("p", { className: "fine" }, t("space.no-areas")));
  }

  function vmallocTable(vmalloc) {
    const own = vmalloc.areas.filter((area) => area.call !== null);
    return h("section", { className: "card" }, h("h2", {}, "vmalloc"),
      h("p", { className: "fine" }, t("space.vmalloc", { areas: number(vmalloc.area_count), pages: number(vmalloc.used_pages), hole: bytes(vmalloc.largest_hole), lazy: number(vmalloc.lazy_pages) })),
      own.length ? h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "vmalloc" }, h("table", { className: "list" },
        h("thead", {}, h("tr", {}, ["space.start", "space.size", "space.kind", "unit.pages", "space.maker"].map((key) => h("th", { scope: "col" }, t(key))))),
        h("tbody", {}, own.slice(0, 200).map((area) => h("tr", {},
          h("th", { scope: "row" }, h("button", { type: "button", className: "quiet", onclick: () => (lens.frame(BigInt(area.start), BigInt(area.start) + BigInt(area.size)), look(BigInt(area.start))) }, address(area.start))),
          h("td", {}, bytes(area.size)), h("td", {}, area.kind), h("td", {}, number(area.pages)), h("td", {}, `${area.function ?? "?"} #${area.call}`)))))) : h("p", { className: "fine" }, t("space.no-vmalloc")));
  }

  return { element, refresh, look };
}
