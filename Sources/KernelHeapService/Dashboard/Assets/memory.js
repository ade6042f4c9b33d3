// The physical memory map, and what a page of it holds.
import * as api from "./api.js";
import { address, bytes, h, hex, number, pages, parseAddress, percent, replace, tip } from "./dom.js";
import { gaugeLegend, zoneCard } from "./gauges.js";
import { t } from "./i18n.js";
import { MapCanvas } from "./mapcanvas.js";
import { blockSize } from "./morton.js";
import { legend, migrateTypes, orderRamp, stateLegend, states, typeVariable, zoneChip } from "./palette.js";

const contentsBytes = 256;

export function create(context, rest) {
  let wished = rest?.[0] ?? null;
  const canvas = h("canvas", { className: "map", tabIndex: 0, role: "application", "aria-label": t("map.label"), "aria-describedby": "map-keys" });
  const details = h("section", { className: "card details", hidden: true, "aria-live": "polite", "aria-label": t("page.title") });
  const cards = h("div", { className: "cards" });
  const key = h("div", { className: "key" });
  let zones = [];
  let hoverTimer = 0;
  let selected = null;

  const map = new MapCanvas(canvas, context.id, {
    picked: (pfn) => openPage(pfn),
    hovered: (pfn, x, y) => showHover(pfn, x, y),
  });

  const modes = h("div", { className: "segments", role: "group", "aria-label": t("map.mode") },
    ["state", "type"].map((mode) =>
      h("button", { type: "button", "aria-pressed": String(mode === "state"), data: { mode }, onclick: () => setMode(mode) }, t(`map.mode.${mode}`))));
  const goTo = h("input", { type: "text", size: 12, placeholder: "PFN, 0x…", spellcheck: false, autocomplete: "off" });
  const toolbar = h("div", { className: "toolbar" },
    modes,
    h("div", { className: "segments", role: "group", "aria-label": t("map.zoom") },
      h("button", { type: "button", "aria-label": t("map.zoom-out"), onclick: () => map.zoom(1 / 1.6) }, "−"),
      h("button", { type: "button", onclick: () => map.fit() }, t("map.fit")),
      h("button", { type: "button", "aria-label": t("map.zoom-in"), onclick: () => map.zoom(1.6) }, "+")),
    h("form", { className: "inline", onsubmit: (event) => (event.preventDefault(), jump()) },
      h("label", {}, t("map.go-to"), " ", goTo), h("button", {}, t("map.go"))),
  );

  const element = h("div", { className: "memory" },
    h("header", { className: "view-head" },
      h("h1", {}, t("view.memory")),
      h("p", { className: "lead" }, t("map.lead"))),
    toolbar,
    h("div", { className: "map-frame" }, canvas),
    key,
    h("p", { id: "map-keys", className: "fine" }, t("map.keys")),
    details,
    h("h2", {}, t("map.zones")),
    cards,
    gaugeLegend(),
  );
  setMode("state");

  function setMode(mode) {
    map.setMode(mode);
    for (const button of modes.children) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    if (mode === "state") replace(key, orderRamp(), stateLegend());
    else replace(key, legend(migrateTypes.map((type) => [typeVariable(type), type])), h("p", { className: "fine" }, t("map.type-note")));
  }

  async function jump() {
    const value = parseAddress(goTo.value);
    if (value === null) return context.trouble(t("map.no-number"));
    let pfn = Number(value);
    if (value >= BigInt(map.tiles.endPFN)) {
      const facts = await context.attempt(() => api.view(context.id, "what_is", { address: hex(value) }));
      if (!facts?.page) return context.trouble(facts ? t("map.no-page", { address: hex(value) }) : undefined);
      pfn = facts.page.pfn;
    }
    map.goTo(pfn);
    openPage(pfn);
  }

  function showHover(pfn, x, y) {
    clearTimeout(hoverTimer);
    if (pfn === null) return tip("");
    const cell = map.cellAt(pfn);
    if (!cell) return tip("");
    tip(describe(cell, pfn), x, y);
    if (cell.pages > 1) return;
    // The cache's name and the like are asked for once the pointer rests.
    hoverTimer = setTimeout(async () => {
      const answer = await api.view(context.id, "pages", { pfn, count: 1 }).catch(() => null);
      if (answer?.runs[0]) tip(sentence(answer.runs[0], pfn), x, y);
    }, 140);
  }

  function describe(cell, pfn) {
    const zone = zones.find((zone) => pfn >= zone.start_pfn && pfn < zone.start_pfn + zone.spanned)?.name ?? t("state.hole");
    if (cell.pages === 1) return `PFN ${number(pfn)} · ${hex(pfn * 4096)} · ${zone} · ${t(`state.${states[cell.state]}`)} · order ${cell.order}`;
    return `PFN ${number(cell.pfn)}… (${pages(cell.pages)}) · ${zone} · ${t("map.in-use", { share: percent(cell.used / 255) })} · ${t(`state.${states[cell.state]}`)}`;
  }

  function sentence(run, pfn) {
    const parts = [`PFN ${number(pfn)}`, run.zone ?? t("state.hole"), t(`state.${run.state}`)];
    if (run.order !== undefined) parts.push(`order ${run.order}`);
    if (run.cache) parts.push(`${run.cache} ${run.objects_in_use}/${run.objects}`);
    if (run.migratetype) parts.push(run.migratetype);
    return parts.join(" · ");
  }

  async function openPage(pfn) {
    const answer = await context.attempt(() => api.view(context.id, "pages", { pfn, count: 1 }));
    if (!answer) return;
    const run = answer.runs[0];
    selected = pfn;
    map.select({ pfn: run.order === undefined ? pfn : run.pfn, order: run.order ?? 0 });
    details.hidden = false;
    await showPage(pfn, run);
  }

  async function showPage(pfn, run) {
    const base = context.constants.PAGE_OFFSET;
    const isDirect = run.zone && run.zone !== "HighMem" && base;
    const linear = isDirect ? hex(BigInt(base) + BigInt(pfn) * 4096n) : null;
    const [facts, dump] = linear
      ? await Promise.all([
        api.view(context.id, "what_is", { address: linear }).catch(() => null),
        api.view(context.id, "memory", { address: linear, length: contentsBytes }).catch(() => null),
      ])
      : [null, null];
    const rows = [
      ["PFN", number(pfn)],
      [t("page.physical"), address(hex(BigInt(pfn) * 4096n))],
      [t("page.virtual"), linear ? address(linear) : t("page.none")],
      [t("page.zone"), run.zone ? zoneChip(run.zone) : t("state.hole")],
      [t("page.state"), t(`state.${facts?.page?.state ?? run.state}`)],
    ];
    if (run.order !== undefined) {
      const size = blockSize(run.order);
      rows.push([t("page.block"), `order ${run.order}: ${number(run.pages)} ${t("unit.pages")}, ${pages(run.pages)} (${size.width} × ${size.height})`]);
    }
    if (run.migratetype) rows.push([t("page.type"), run.migratetype]);
    if (run.references !== undefined) rows.push([t("page.references"), number(run.references)]);
    if (run.cache) rows.push([t("page.cache"), h("a", { href: `${context.base}/slabs/${encodeURIComponent(run.cache)}` }, run.cache)], [t("page.objects"), `${run.objects_in_use} / ${run.objects}`]);
    replace(details,
      h("header", { className: "row" }, h("h2", {}, t("page.title")), h("button", { type: "button", className: "quiet", "aria-label": t("close"), onclick: close }, "×")),
      h("dl", { className: "facts wide" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      facts ? h("p", {}, facts.text) : null,
      dump ? hexdump(dump) : null,
    );
  }

  function close() {
    selected = null;
    map.select(null);
    details.hidden = true;
    canvas.focus();
  }

  async function refresh() {
    const state = await api.view(context.id, "zones");
    zones = state.zones;
    const end = zones.reduce((most, zone) => Math.max(most, zone.start_pfn + zone.spanned), 0);
    map.setMachine(end, zones);
    map.expire(state.seq);
    replace(cards, zones.map((zone) => zoneCard(zone)));
    // An address that comes with the link is gone to once the zones are known.
    if (wished !== null) {
      goTo.value = wished;
      wished = null;
      await jump();
      return;
    }
    if (selected !== null && !details.contains(document.activeElement)) {
      const answer = await api.view(context.id, "pages", { pfn: selected, count: 1 });
      await showPage(selected, answer.runs[0]);
    }
  }

  return {
    element,
    refresh,
    navigate: (parts) => {
      wished = parts?.[0] ?? null;
      return wished === null ? undefined : context.attempt(refresh);
    },
    /** A call has happened: its page lights up. */
    called: (outcome) => {
      const { pfn, order, slab } = outcome.detail ?? {};
      if (pfn === undefined) return;
      const block = slab?.order ?? order ?? 0;
      map.flash(slab?.pfn ?? pfn, block);
    },
    themeChanged: () => map.themeChanged(),
    destroy: () => (clearTimeout(hoverTimer), tip(""), map.destroy()),
    probe: map,
  };
}

/** Bytes as the service dumps them; parts that nothing is mapped at are named. */
export function hexdump(dump, marks = () => "") {
  const line = ({ address: start, hex: digits, text }) => {
    const base = BigInt(start);
    const cells = (digits.match(/../g) ?? []).map((byte, index) =>
      h("span", { className: `byte ${byte === "00" ? "zero" : ""} ${marks(base + BigInt(index))}` }, byte));
    return h("div", { className: "dump-line" }, h("span", { className: "dump-address" }, start), h("span", { className: "dump-bytes" }, cells), h("span", { className: "dump-text" }, text));
  };
  const lines = [];
  let folded = 0;
  dump.lines.forEach((entry, index) => {
    const isRepeat = index > 0 && index < dump.lines.length - 1 && entry.hex === dump.lines[index - 1].hex && entry.hex.length === 32;
    if (isRepeat) folded += 1;
    else {
      if (folded) lines.push(h("div", { className: "dump-line fine" }, t("dump.same", { count: folded })));
      folded = 0;
      lines.push(line(entry));
    }
  });
  return h("div", { className: "dump", tabIndex: 0, role: "region", "aria-label": t("dump.label", { size: bytes(dump.length) }) },
    lines,
    dump.unmapped.map((gap) => h("div", { className: "dump-line bad-text" }, `${gap.address} +${gap.length}: ${t(`unmapped.${gap.reason}`)}`)));
}
