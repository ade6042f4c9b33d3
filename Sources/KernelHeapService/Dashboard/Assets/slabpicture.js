// One slab: its slots in order, the freelists as arrows from slot to slot, marks of slub_debug as stripes.
import { bytes, h, hex, number, replace, svg } from "./dom.js";
import { t } from "./i18n.js";
import * as api from "./api.js";
import { hexdump } from "./memory.js";

const columnCount = 16;
const width = 38;
const height = 34;
const gap = 10;

export function slabPicture(context, cache, slab) {
  const count = slab.slots.length;
  const perRow = Math.min(columnCount, Math.max(1, count));
  const rows = Math.ceil(count / perRow);
  const centre = (index) => ({ x: (index % perRow) * (width + gap) + width / 2 + 6, y: Math.floor(index / perRow) * (height + gap) + height / 2 + 20 });
  const total = { width: perRow * (width + gap) + 6, height: rows * (height + gap) + 24 };
  const open = h("div", { className: "slot-detail", "aria-live": "polite" });
  const slots = slab.slots.map((slot, index) => slotButton(slot, index));

  function slotButton(slot, index) {
    const place = centre(index);
    const broken = (slot.marks ?? []).filter((mark) => !mark.intact);
    const state = slot.state === "allocated" ? "allocated" : "free";
    const owner = slot.call ? `${slot.function ?? "?"} #${slot.call}` : "";
    const made = h("button", {
      type: "button", className: `slot ${state} ${broken.length ? "broken" : ""} ${slot.marks?.length ? "marked" : ""}`,
      title: `${slot.index}: ${t(`slot.${state}`)} ${owner}`,
      "aria-label": t("slot.label", { index: slot.index, state: t(`slot.${state}`), owner, broken: broken.length ? t("slot.broken") : "" }),
      css: { left: `${place.x - width / 2}px`, top: `${place.y - height / 2}px`, width: `${width}px`, height: `${height}px` },
      onclick: () => context.attempt(() => showSlot(slot)),
    }, String(slot.index));
    return made;
  }

  /** Arrows along each freelist: from its head to the slot that is taken last. */
  function arrows() {
    const lines = [];
    for (const list of slab.freelists) {
      const members = slab.slots.map((slot, index) => ({ slot, index })).filter(({ slot }) => slot.freelist === list.of && (list.of !== "cpu" || true)).sort((a, b) => a.slot.position - b.slot.position);
      if (!members.length) continue;
      const tone = list.of === "cpu" ? "cpu" : "own";
      const first = centre(members[0].index);
      lines.push(svg("text", { x: first.x, y: first.y - height / 2 - 5, class: `head ${tone}`, "text-anchor": "middle" }, list.of === "cpu" ? `CPU ${list.cpu}` : "slab"));
      for (let step = 1; step < members.length; step += 1) lines.push(arrow(centre(members[step - 1].index), centre(members[step].index), tone));
      if (list.end === "loop") {
        const last = centre(members.at(-1).index);
        const back = list.end_index === undefined ? first : centre(list.end_index);
        lines.push(arrow(last, back, "loop"));
      }
    }
    return lines;
  }

  function arrow(from, to, tone) {
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    // A circle's last arrow bows out, so that it does not lie on the one that leads there.
    const isNext = tone !== "loop" && dy === 0 && Math.abs(dx) <= width + gap + 1;
    const side = Math.sign(dx) || 1;
    const start = { x: from.x + (isNext ? (side * width) / 2 : 0), y: from.y + (isNext ? 0 : height / 2) };
    const end = { x: to.x - (isNext ? (side * width) / 2 + side * 2 : 0), y: to.y + (isNext ? 0 : dy > 0 ? -height / 2 - 2 : height / 2 + 2) };
    const bend = isNext ? 0 : 10;
    const path = isNext ? `M${start.x} ${start.y}L${end.x} ${end.y}` : `M${start.x} ${start.y}C${start.x} ${start.y + bend} ${end.x} ${end.y + (dy > 0 ? -bend : bend)} ${end.x} ${end.y}`;
    return svg("path", { d: path, class: `link-line ${tone}`, "marker-end": `url(#arrow-${tone})` });
  }

  async function showSlot(slot) {
    // The marks before the object belong to the picture, too.
    const marks = (slot.marks ?? []).map((mark) => ({ ...mark, from: BigInt(mark.address), to: BigInt(mark.address) + BigInt(mark.length) }));
    const first = marks.reduce((least, mark) => (mark.from < least ? mark.from : least), BigInt(slot.address));
    const size = Math.min(cache.size, 512);
    const [life, dump] = await Promise.all([
      api.view(context.id, "biography", { address: slot.address }),
      api.view(context.id, "memory", { address: hex(first), length: size }),
    ]);
    const kindOf = (place) => {
      const mark = marks.find(({ from, to }) => place >= from && place < to);
      if (!mark) return "";
      return !mark.intact && place >= BigInt(mark.first_wrong) && place <= BigInt(mark.last_wrong) ? "mark-bad" : "mark-ok";
    };
    const broken = (slot.marks ?? []).filter((mark) => !mark.intact);
    replace(open,
      h("h3", {}, t("slot.title", { index: slot.index }), " ", h("code", {}, slot.address)),
      h("p", {}, slot.state === "allocated" ? t("slot.held", { owner: `${slot.function ?? "?"} #${slot.call ?? "?"}`, requested: slot.requested ? bytes(slot.requested) : bytes(cache.object_size) }) : t("slot.free-text"),
        " ", slot.state === "allocated" ? h("button", { type: "button", className: "quiet", onclick: () => context.panel.show("kfree", { objp: slot.address }) }, "kfree") : null),
      slot.marks?.length ? h("ul", { className: "marks" }, slot.marks.map((mark) => h("li", { className: mark.intact ? "good" : "stop" }, `${mark.name}: ${mark.intact ? t("slot.intact") : t("slot.damaged", { from: mark.first_wrong, to: mark.last_wrong })}`))) : null,
      life.events.length ? h("ol", { className: "life" }, life.events.map((event) => h("li", { className: event.event }, `#${event.call} ${event.function ?? "?"} `, h("b", {}, t(`life.${event.event}`)), event.requested ? ` ${bytes(event.requested)}` : "", event.pid !== null ? ` · pid ${event.pid}` : ""))) : null,
      broken.length ? h("p", { className: "banner bad" }, t("slot.broken-text")) : null,
      hexdump(dump, kindOf));
  }

  const drawing = svg("svg", { class: "links", width: total.width, height: total.height, "aria-hidden": "true" },
    svg("defs", {}, ["cpu", "own", "loop"].map((tone) => svg("marker", { id: `arrow-${tone}`, viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8z", class: `tip-${tone}` })))),
    arrows());
  const holder = slab.holder;
  return h("section", { className: "card", "aria-label": `slab PFN ${slab.pfn}` },
    h("header", { className: "row" },
      h("h2", {}, `slab PFN ${number(slab.pfn)} `, h("span", { className: "fine" }, `order ${slab.order} · ${t(`holder.${holder.kind}`, { cpu: holder.cpu ?? "", node: holder.node ?? "", position: holder.position ?? "" })}${slab.linked_by_bytes ? ` · ${t("slab.by-bytes")}` : ""}`)),
      h("span", { className: "fine" }, t("slab.in-use", { used: slab.usage.allocated_objects, all: slab.objects }))),
    slab.freelists.filter((list) => list.end !== "null").map((list) => h("p", { className: "banner bad" }, t(`freelist.${list.end}`, { index: list.end_index ?? "", address: list.end_address ?? "" }))),
    h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("slab.slots") },
      h("div", { className: "slots", css: { width: `${total.width}px`, height: `${total.height}px` } }, drawing, slots)),
    h("ul", { className: "legend" }, ["allocated", "free"].map((state) => h("li", {}, h("i", { className: `swatch slot-swatch ${state}` }), t(`slot.${state}`))), h("li", {}, h("i", { className: "line-swatch" }), t("slot.arrow")),
      slab.slots.some((slot) => slot.marks?.length) ? [h("li", {}, h("i", { className: "swatch slot-swatch free marked" }), t("slot.marked")), h("li", {}, h("i", { className: "swatch slot-swatch free broken" }), t("slot.broken"))] : null),
    open);
}
