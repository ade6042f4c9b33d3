// The answer of a call: what it returned, what it wrote to the log, and why, step by step.
import { address, h, hex, number, pages } from "./dom.js";
import { t } from "./i18n.js";
import { orderVariable, zoneChip } from "./palette.js";

const rawCharacters = 40_000;
const tones = {
  zone_accepted: "good", zone_refused: "stop", slow_path: "warn", gave_up: "stop", would_succeed_if: "idea", fallback: "warn",
  copy_stopped: "stop", block_split: "split", block_freed: "split", object_taken: "good", per_cpu_list_served: "good", block_taken: "good",
};

/** A return value as the C function gives it. */
export function returned(outcome) {
  const value = outcome.return;
  if (outcome.errno) return h("span", { className: "stop" }, outcome.errno);
  if (value === null || value === undefined) return h("span", { className: "muted" }, "NULL");
  if (typeof value === "string" && value.startsWith("0x")) return address(value);
  return String(value);
}

/** The whole answer; `failed` says that NULL means trouble for this function. */
export function answer(outcome, signature) {
  const isVoid = signature?.returns === "void";
  const isFailure = Boolean(outcome.errno) || (outcome.return === null && !isVoid) || outcome.detail?.not_copied > 0;
  const warnings = outcome.detail?.warnings ?? [];
  return h("div", { className: "answer" },
    h("p", { className: `result ${isFailure ? "stop" : "good"}` },
      h("code", {}, outcome.call), h("span", { className: "muted" }, " → "), isVoid ? h("span", { className: "muted" }, "void") : returned(outcome),
      h("span", { className: "seq" }, `#${outcome.seq}`)),
    warnings.map((warning) => h("p", { className: "banner warn" }, h("b", {}, t(`warning.${warning.kind}`)), " ", warning.text)),
    outcome.explain?.length ? why(outcome.explain) : null,
    facts(outcome.detail),
    outcome.log?.length ? h("pre", { className: "log", tabIndex: 0, role: "region", "aria-label": "dmesg" }, outcome.log.join("\n")) : null,
    h("details", { className: "raw" }, h("summary", {}, "JSON"), h("pre", { tabIndex: 0 }, JSON.stringify(outcome, null, 2).slice(0, rawCharacters))));
}

function why(steps) {
  const tried = steps.filter((step) => step.step !== "would_succeed_if");
  const ideas = steps.filter((step) => step.step === "would_succeed_if");
  return [
    h("h3", {}, t("why.title")),
    h("ol", { className: "why" }, folded(tried)),
    ideas.length ? [h("h3", {}, t("why.ideas")), h("ul", { className: "why ideas" }, ideas.map((step) => h("li", { className: "idea" }, h("span", { className: "why-text" }, step.text))))] : null,
  ];
}

const firstSteps = 14;
const lastSteps = 4;

/** The steps as entries; of very many, such as a vmalloc of megabytes takes, the first and the last. */
function folded(steps) {
  const entry = (step) => h("li", { className: tones[step.step] ?? "" }, picture(step), h("span", { className: "why-text" }, step.text));
  if (steps.length <= firstSteps + lastSteps + 1) return steps.map(entry);
  const hiddenCount = steps.length - firstSteps - lastSteps;
  return [...steps.slice(0, firstSteps).map(entry), h("li", { className: "fine" }, t("why.more", { count: number(hiddenCount) })), ...steps.slice(-lastSteps).map(entry)];
}

function picture(step) {
  if (step.step === "zone_accepted" || step.step === "zone_refused") return zonePicture(step);
  if (step.step === "block_split") return ladder(step.from_order, step.to_order);
  if (step.step === "block_freed" && step.merged_order > step.order) return ladder(step.order, step.merged_order);
  return h("span", { className: "why-kind" }, t(`step.${step.step}`));
}

function zonePicture(step) {
  const limit = step.mark_pages + step.lowmem_reserve;
  const most = Math.max(step.free, limit, 1) * 1.1;
  return h("span", { className: "why-zone" },
    zoneChip(step.zone),
    h("span", { className: "mini", role: "img", "aria-label": `${number(step.free)} / ${number(limit)}` },
      h("i", { className: "mini-free", css: { width: `${(Math.max(0, step.free) / most) * 100}%` } }),
      h("i", { className: "mini-mark", css: { left: `${(limit / most) * 100}%` } })),
    h("span", { className: "muted" }, `${step.mark} ${number(limit)}`));
}

/** The orders that a block went through, each half as large as the one before. */
function ladder(from, to) {
  const down = from > to;
  const orders = Array.from({ length: Math.abs(from - to) + 1 }, (_, index) => (down ? from - index : from + index));
  return h("span", { className: "ladder", role: "img", "aria-label": `order ${from} → ${to}` },
    orders.map((order, index) => h("i", { css: { "--tone": `var(${orderVariable(order)})`, "--size": `${6 + order * 2}px`, "--turn": index }, title: `order ${order}` }, index === 0 || index === orders.length - 1 ? String(order) : "")));
}

const hidden = new Set(["warnings", "omitted_warnings"]);

/** Facts of a detail, nested ones flattened; long lists are counted. */
export function facts(detail) {
  if (!detail) return null;
  const rows = Object.entries(detail).filter(([name]) => !hidden.has(name));
  if (!rows.length) return null;
  return h("dl", { className: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, shown(name, value))]));
}

function shown(name, value) {
  if (value === null) return h("span", { className: "muted" }, "null");
  if (name === "zone") return zoneChip(value);
  if (name === "order") return `${value} (${pages(2 ** value)})`;
  if (typeof value === "string" && /^0x[0-9a-f]{5,}$/.test(value)) return address(value);
  if (name === "pfn") return `${number(value)} (${hex(value)})`;
  if (Array.isArray(value)) return value.length > 6 ? t("detail.many", { count: value.length }) : value.map((part) => (typeof part === "object" ? JSON.stringify(part) : String(part))).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([key, part]) => `${key} ${part !== null && typeof part === "object" ? JSON.stringify(part) : part}`).join(", ");
  if (typeof value === "number") return number(value);
  return String(value);
}
