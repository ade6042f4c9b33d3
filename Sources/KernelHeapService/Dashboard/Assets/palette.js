// One colour for each kind of thing, in every view. The values are custom properties of style.css.
import { css, h } from "./dom.js";
import { t } from "./i18n.js";

export const states = ["hole", "reserved", "kernel", "slab", "page_table", "vmalloc", "anonymous", "file", "per_cpu", "free"];
export const migrateTypes = ["Unmovable", "Movable", "Reclaimable", "HighAtomic", "Isolate"];
export const zones = ["DMA", "DMA32", "Normal", "HighMem", "Movable", "Device"];
export const maxOrder = 10;

export const stateVariable = (state) => `--state-${state.replace("_", "-")}`;
export const zoneVariable = (zone) => `--zone-${zone.toLowerCase()}`;
export const typeVariable = (type) => `--type-${type.toLowerCase()}`;
export const orderVariable = (order) => `--order-${order}`;

export const zoneChip = (zone) => h("span", { className: "chip", css: { "--tone": `var(${zoneVariable(zone)})` } }, zone);
export const swatch = (variable) => h("i", { className: "swatch", css: { "--tone": `var(${variable})` } });

/** Entries of a legend: the colour and its name. */
export function legend(entries) {
  return h("ul", { className: "legend" }, entries.map(([variable, text]) => h("li", {}, swatch(variable), text)));
}

export const stateLegend = () =>
  legend([
    ...states.filter((state) => state !== "hole" && state !== "free").map((state) => [stateVariable(state), t(`state.${state}`)]),
  ]);

/** The ramp of free blocks, from single pages to the largest order. */
export function orderRamp() {
  const steps = Array.from({ length: maxOrder + 1 }, (_, order) =>
    h("i", { className: "step", title: `order ${order}`, css: { "--tone": `var(${orderVariable(order)})` } }),
  );
  return h("span", { className: "ramp" }, h("span", {}, t("map.free-small")), h("span", { className: "steps" }, steps), h("span", {}, t("map.free-large")));
}

function channels(name) {
  const probe = css(name);
  const match = /^#([0-9a-f]{6})$/i.exec(probe);
  const value = match ? parseInt(match[1], 16) : 0x808080;
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** The colours as numbers, for pictures that are made pixel by pixel. */
export function readColours() {
  return {
    states: states.map((state) => channels(stateVariable(state))),
    orders: Array.from({ length: maxOrder + 1 }, (_, order) => channels(orderVariable(order))),
    types: migrateTypes.map((type) => channels(typeVariable(type))),
  };
}

/** A colour between two: `share` 0 gives the first. */
export const mix = (from, to, share) => from.map((value, index) => Math.round(value + (to[index] - value) * share));
