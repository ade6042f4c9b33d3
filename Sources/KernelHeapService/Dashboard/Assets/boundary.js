// The boundary: a user copy with both buffers side by side, the bytes that moved, and where it stopped.
import * as api from "./api.js";
import { h, hex, number, parseAddress, replace } from "./dom.js";
import { t } from "./i18n.js";

const functions = ["copy_to_user", "copy_from_user", "__copy_to_user_inatomic", "__copy_from_user_inatomic", "clear_user"];
const shownBytes = 192;
const pageBytes = 4096n;

export function create(context) {
  const name = h("select", { id: "copy-function" }, functions.filter((entry) => context.functions.some((known) => known.name === entry)).map((entry) => h("option", {}, entry)));
  const user = h("input", { id: "copy-user", type: "text", size: 20, spellcheck: false, autocomplete: "off", placeholder: "0x…" });
  const kernel = h("input", { id: "copy-kernel", type: "text", size: 20, spellcheck: false, autocomplete: "off", placeholder: "0x…" });
  const length = h("input", { id: "copy-length", type: "number", min: 0, value: 64 });
  const picture = h("div", { className: "stack", "aria-live": "polite" });
  const situations = ["plain", "edge", "kernel-pointer", "too-long"];

  const element = h("div", {},
    h("header", { className: "view-head" }, h("h1", {}, t("view.boundary")), h("p", { className: "lead" }, t("boundary.lead"))),
    h("div", { className: "row" }, h("span", {}, t("boundary.set-up")), situations.map((kind) => h("button", { type: "button", onclick: () => context.attempt(() => setUp(kind)) }, t(`boundary.${kind}`)))),
    h("form", { className: "toolbar", onsubmit: (event) => (event.preventDefault(), context.attempt(copy)) },
      h("label", {}, t("console.function"), " ", name), h("label", {}, t("boundary.user"), " ", user), h("label", {}, t("boundary.kernel"), " ", kernel), h("label", {}, "n ", length),
      h("button", { className: "primary" }, t("boundary.copy"))),
    picture);

  /** Makes two buffers for a situation: a user page with text, a kernel object with other bytes. */
  async function setUp(kind) {
    const run = async (function_, values) => (await api.call(context.id, function_, values)).return;
    const area = await run("mmap", { length: 8192, prot: "PROT_READ|PROT_WRITE", flags: "MAP_PRIVATE|MAP_ANONYMOUS" });
    const object = await run("kmalloc", { size: 64, flags: "GFP_KERNEL" });
    if (!area || !object) return context.trouble(t("boundary.no-memory"));
    const base = BigInt(area);
    await run("munmap", { addr: hex(base + pageBytes), length: 4096 });
    const start = kind === "edge" ? base + pageBytes - 40n : base;
    await run("user_write", { addr: hex(start), data: { fill: "0x75", length: kind === "edge" ? 40 : 64 } });
    await run("kernel_write", { address: object, data: { fill: "0x6b", length: 64 } });
    name.value = kind === "too-long" ? "copy_to_user" : "copy_from_user";
    user.value = kind === "kernel-pointer" ? object : hex(start);
    kernel.value = object;
    length.value = kind === "too-long" ? 96 : 64;
    replace(picture, h("p", { className: "fine" }, t("boundary.ready")));
    await copy();
  }

  async function read(address, count) {
    if (address === null) return null;
    return api.view(context.id, "memory", { address: hex(address), length: Math.max(1, Math.min(count, shownBytes)) }).catch(() => null);
  }

  async function copy() {
    const [from, to] = [parseAddress(user.value), parseAddress(kernel.value)];
    const count = Number(length.value);
    if (from === null || (to === null && name.value !== "clear_user")) return context.trouble(t("map.no-number"));
    const isToUser = name.value.includes("to_user") || name.value === "clear_user";
    const before = await Promise.all([read(from, count), read(to, count)]);
    const values = name.value === "clear_user" ? { to: user.value, n: count } : isToUser ? { to: user.value, from: kernel.value, n: count } : { to: kernel.value, from: user.value, n: count };
    const outcome = await context.call(name.value, values);
    if (!outcome) return;
    const after = await Promise.all([read(from, count), read(to, count)]);
    draw({ outcome, isToUser, count, user: { start: from, before: before[0], after: after[0] }, kernel: { start: to, before: before[1], after: after[1] } });
  }

  function draw({ outcome, isToUser, count, user: userSide, kernel: kernelSide }) {
    const detail = outcome.detail ?? {};
    const copied = detail.copied ?? Math.max(0, count - Number(outcome.return ?? 0));
    const stop = detail.fault;
    const side = (title, buffer, isTarget) => h("section", { className: "card" }, h("h2", {}, title, " ", h("code", { className: "fine" }, buffer.start === null ? "—" : hex(buffer.start))), strip(buffer, copied, count, isTarget, !isToUser));
    replace(picture,
      h("div", { className: "boundary" }, side(t("boundary.user-side"), userSide, isToUser),
        h("div", { className: `boundary-arrow ${copied < count ? "stop" : "good"}`, "aria-hidden": "true" }, isToUser ? "↑" : "↓", h("span", {}, `${number(copied)} / ${number(count)}`)),
        side(t("boundary.kernel-side"), kernelSide, !isToUser)),
      h("p", { className: copied < count ? "stop" : "good" }, t("boundary.result", { copied: number(copied), left: number(count - copied) }), stop ? ` ${t("boundary.stopped", { address: stop.address, reason: t(`unmapped.${stop.reason}`) })}` : ""),
      outcome.log?.length ? h("p", { className: "banner bad" }, outcome.log.find((line) => /BUG|usercopy/.test(line)) ?? outcome.log[0]) : null,
      legendOf());
  }

  /** Bytes of one side after the copy: moved, cleared, untouched, not there. */
  function strip(buffer, copied, count, isTarget, clearsRest) {
    if (buffer.start === null) return h("p", { className: "fine" }, t("boundary.zeros"));
    const bytesOf = (dump) => new Map((dump?.lines ?? []).flatMap((line) => (line.hex.match(/../g) ?? []).map((byte, index) => [BigInt(line.address) + BigInt(index), byte])));
    const [old, now] = [bytesOf(buffer.before), bytesOf(buffer.after)];
    const cells = Array.from({ length: Math.min(count, shownBytes) }, (_, index) => {
      const place = buffer.start + BigInt(index);
      const byte = now.get(place);
      const kind = byte === undefined ? "absent" : index < copied ? (isTarget ? "moved" : "read") : isTarget && clearsRest && byte === "00" && old.get(place) !== "00" ? "cleared" : "";
      return h("span", { className: `byte cell ${kind} ${index === copied && copied < count ? "stop-here" : ""}`, title: `+${index} ${hex(place)}` }, byte ?? "··");
    });
    return h("div", { className: "strip", role: "img", "aria-label": t("boundary.strip", { copied, count }) }, cells);
  }

  const legendOf = () => h("ul", { className: "legend" }, ["read", "moved", "cleared", "absent"].map((kind) => h("li", {}, h("span", { className: `byte cell ${kind}` }, "··"), " ", t(`boundary.${kind}`))));

  return { element, refresh: () => {} };
}
