// The way of an address: segment, tables, page, and where it ends.
import { address, bytes, h, hex, number } from "./dom.js";
import { t } from "./i18n.js";

const faultBits = ["P", "W", "U", "RSVD", "I"];

/** The steps of GET …/translate as cards from left to right. */
export function walk(way, facts) {
  const steps = [];
  if (way.logical) steps.push(segmentStep(way.logical));
  if (way.linear) steps.push(step(t("walk.linear"), address(way.linear), way.levels.length ? null : t("walk.no-tables")));
  if (way.levels.length) steps.push(step("CR3", address(way.cr3)));
  for (const level of way.levels) {
    const bits = level.bits.split(" ").filter(Boolean);
    const isPresent = bits.includes("P");
    steps.push(step(`${level.level}[${level.index}]`, address(level.entry), h("span", { className: "bits" }, bits.map((bit) => h("span", { className: "bit" }, bit))), `${t("walk.table")} PFN ${number(level.table_pfn)}`, isPresent ? "" : "stop"));
  }
  if (way.physical) steps.push(step(t("walk.physical"), address(way.physical), `PFN ${number(Number(BigInt(way.physical) / 4096n))}`, `${t("walk.page")} ${bytes(way.page_size)}`, "good"));
  return [
    h("ol", { className: "walk" }, steps),
    way.fault ? h("p", { className: "banner bad" }, h("b", {}, `#PF ${hex(way.fault.error_code)} (${faultBits.filter((_, bit) => way.fault.error_code & (1 << bit)).join(" ") || "0"})`), ` ${t(`fault.${way.fault.reason}`)}`) : null,
    way.logical?.fault ? h("p", { className: "banner bad" }, h("b", {}, `${way.logical.fault.exception} ${way.logical.fault.error_code === null ? "" : hex(way.logical.fault.error_code)}`), ` ${way.logical.fault.reason.replaceAll("_", " ")}`) : null,
    !way.fault && way.physical ? h("p", { className: "fine" }, t("walk.rights", { write: way.writable ? "RW" : "R", user: way.user ? "US" : t("walk.supervisor"), execute: way.executable ? "X" : "NX" }), way.tlb_pfn === null ? ` · ${t("walk.no-tlb")}` : ` · TLB: PFN ${number(way.tlb_pfn)}`) : null,
    facts ? h("p", {}, facts.text) : null,
  ];
}

function step(name, value, note, fine, tone = "") {
  return h("li", { className: `card walk-step ${tone}` }, h("b", {}, name), h("div", {}, value), note ? h("div", { className: "fine" }, note) : null, fine ? h("div", { className: "fine" }, fine) : null);
}

function segmentStep(logical) {
  const { descriptor } = logical;
  return step(
    `${logical.register ?? ""} ${logical.selector} : ${logical.offset}`,
    `${logical.table.toUpperCase()}[${logical.index}] RPL ${logical.rpl} · CPL ${logical.cpl}`,
    descriptor ? `${descriptor.kind} ${descriptor.rights} · base ${descriptor.base} · limit ${descriptor.byte_limit} · DPL ${descriptor.dpl}` : t("walk.no-segment"),
    null, logical.fault ? "stop" : "");
}
