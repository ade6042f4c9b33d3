// The address sanitizer's view of memory: what may be touched around a bad byte, and what stands there.
import { h, hex, number } from "./dom.js";
import { t } from "./i18n.js";

const granuleBytes = 8n;

/** What a byte of shadow memory says of its eight bytes. */
function meaning(code) {
  if (code === 0) return "open";
  if (code <= 7) return "part";
  if (code === 0xfa || code === 0xfb) return "freed";
  if (code === 0xff) return "page";
  if (code === 0xf8) return "hole";
  return "zone";
}

const bytesOf = (digits) => (digits.match(/../g) ?? []).map((pair) => parseInt(pair, 16));

/** Rows of shadow memory with the access and the first bad byte, then the bytes themselves. */
export function shadowPicture(warning) {
  const { kasan } = warning;
  const bad = BigInt(kasan.first_bad);
  const start = BigInt(warning.address ?? kasan.first_bad);
  const end = start + BigInt(Math.max(1, warning.length ?? 1));
  const granules = new Map();
  const met = new Set();
  for (const row of kasan.shadow) bytesOf(row.bytes).forEach((code, index) => granules.set(BigInt(row.address) + BigInt(index) * granuleBytes, code));

  const cell = (place, code) => {
    const kind = meaning(code);
    met.add(kind);
    const isBad = bad >= place && bad < place + granuleBytes;
    const isTouched = start < place + granuleBytes && end > place;
    return h("span", { className: `granule is-${kind} ${isTouched ? "is-touched" : ""} ${isBad ? "is-first-bad" : ""}`, css: kind === "part" ? { "--open": `${(code / 8) * 100}%` } : {}, title: `${hex(place)}: ${t(`shadow.${kind}`, { count: code })}` }, code.toString(16).padStart(2, "0"));
  };
  const rows = kasan.shadow.map((row) => {
    const first = BigInt(row.address);
    return h("div", { className: "shadow-row" }, h("span", { className: "dump-address" }, row.address.replace(/^0x/, "")), h("span", { className: "granules" }, bytesOf(row.bytes).map((code, index) => cell(first + BigInt(index) * granuleBytes, code))));
  });
  const contents = memoryRows(kasan, bad, start, end, granules);
  return h("figure", { className: "shadow" },
    h("figcaption", {}, h("b", {}, t("shadow.title")), " ", h("span", { className: "fine" }, t("shadow.text", { address: kasan.first_bad }))),
    h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("shadow.title") }, rows),
    h("ul", { className: "legend" },
      [...met].map((kind) => h("li", {}, h("span", { className: `granule granule-key is-${kind}`, css: { "--open": "50%" } }), t(`shadow.${kind}`, { count: "1–7" }))),
      h("li", {}, h("span", { className: "granule granule-key is-open is-touched" }), t("shadow.touched")),
      h("li", {}, h("span", { className: "granule granule-key is-zone is-first-bad" }), t("shadow.bad"))),
    contents);
}

/** The bytes around the bad one; what may not be touched is tinted. */
function memoryRows(kasan, bad, start, end, granules) {
  const all = bytesOf(kasan.memory.bytes);
  if (all.length === 0) return null;
  const first = BigInt(kasan.memory.address);
  const isOpen = (place) => {
    const code = granules.get(place - (place % granuleBytes));
    return code === undefined || code === 0 || (code <= 7 && place % granuleBytes < BigInt(code));
  };
  const rows = [];
  for (let offset = 0; offset < all.length; offset += 16) {
    const base = first + BigInt(offset);
    const part = all.slice(offset, offset + 16);
    rows.push(h("div", { className: "dump-line" }, h("span", { className: "dump-address" }, base.toString(16)),
      h("span", { className: "dump-bytes" }, part.map((value, index) => {
        const place = base + BigInt(index);
        const names = ["byte", isOpen(place) ? "" : "is-closed", place >= start && place < end ? "is-touched" : "", place === bad ? "is-first-bad" : ""];
        return h("span", { className: names.filter(Boolean).join(" ") }, value.toString(16).padStart(2, "0"));
      })),
      h("span", { className: "dump-text" }, part.map((value) => (value >= 32 && value < 127 ? String.fromCharCode(value) : ".")).join(""))));
  }
  return h("div", { className: "dump shadow-dump", tabIndex: 0, role: "region", "aria-label": t("shadow.bytes", { count: number(all.length) }) }, rows);
}
