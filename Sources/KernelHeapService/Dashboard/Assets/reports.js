// Reports of misuse: what lies around the bad byte, whose memory it was, and the kernel's own words.
import * as api from "./api.js";
import { bytes, h, number, replace } from "./dom.js";
import { t } from "./i18n.js";
import { addressLink, cacheLink, callLink, kindName } from "./links.js";
import { shadowPicture } from "./shadow.js";

/** `rest` may name the call whose report is wished for. */
export function reports(context, rest) {
  const counts = h("div", { className: "pills", role: "group", "aria-label": t("reports.filter") });
  const list = h("div", { className: "stack" });
  const element = h("div", {}, h("p", { className: "lead" }, t("reports.lead")), counts, list);
  let shown = null;
  let kind = "";
  let wishedCall = Number(rest[0] ?? 0);

  async function refresh() {
    const answer = await api.view(context.id, "reports");
    // Most calls report nothing; what is open stays open, and what has the focus keeps it.
    if (shown?.total === answer.total && shown.reports.length === answer.reports.length) return;
    shown = answer;
    draw();
    if (wishedCall) list.querySelector(".report[open]")?.scrollIntoView({ block: "start" });
    wishedCall = 0;
  }

  function draw() {
    const choice = (name, text, count) => h("button", { type: "button", className: "pill", "aria-pressed": String(kind === name), onclick: () => {
      kind = name;
      draw();
      counts.querySelector("[aria-pressed=true]")?.focus();
    } }, `${text} ${number(count)}`);
    replace(counts, shown.total ? [choice("", t("reports.all"), shown.total), shown.counts.map((row) => choice(row.kind, kindName(row.kind), row.count))] : null);
    const wished = shown.reports.filter((report) => !kind || report.warning.kind === kind).reverse();
    const first = wished.find((report) => report.call === wishedCall) ?? wished[0];
    replace(list, wished.map((report) => card(report, report === first)),
      wished.length ? null : h("p", { className: "empty" }, t(shown.total ? "reports.gone" : "reports.none")),
      shown.total > shown.reports.length ? h("p", { className: "fine" }, t("reports.newest", { shown: number(shown.reports.length), total: number(shown.total) })) : null);
  }

  /** The newest report is open; the others show their sentence until somebody looks. */
  function card(report, isOpen) {
    const { warning } = report;
    const body = h("div", { className: "report-body" });
    const fill = () => body.childElementCount || replace(body, lifeLine(report), picture(warning), facts(warning), words(report));
    if (isOpen) fill();
    return h("details", { className: "card report", open: isOpen, ontoggle: (event) => event.target.open && fill() },
      h("summary", {},
        h("span", { className: "chip-bad" }, kindName(warning.kind)), " ",
        h("b", {}, `#${number(report.call)} `, h("code", {}, report.function)), " ",
        h("span", { className: "report-text" }, warning.text)),
      body);
  }

  /** Who allocated, who freed, who did it: one step after the other. */
  function lifeLine(report) {
    const { warning } = report;
    const steps = (warning.kasan?.biography ?? []).slice(-6).map((entry) => ({ call: entry.call, word: t(`life.${entry.event}`), tone: entry.event === "allocated" ? "good" : "warn", by: owner(entry) }));
    if (steps.length === 0) for (const call of warning.calls ?? []) steps.push({ call: call.seq, name: call.function, word: "", tone: "", by: "" });
    steps.push({ call: report.call, name: report.function, word: kindName(warning.kind), tone: "stop", by: "" });
    return h("ol", { className: "life-line", "aria-label": t("reports.life") }, steps.map((step) =>
      h("li", { className: step.tone }, h("span", {}, callLink(context, step.call, step.name)), step.word ? h("b", {}, step.word) : null, step.by ? h("span", { className: "fine" }, step.by) : null)));
  }

  const owner = ({ cpu, pid, requested }) => [requested ? bytes(requested) : "", cpu === null ? "" : `CPU ${cpu}`, pid === null ? "" : `PID ${pid}`].filter(Boolean).join(" · ");

  function picture(warning) {
    if (warning.kasan?.shadow.length) return shadowPicture(warning);
    return warning.place?.object ? objectPicture(warning) : null;
  }

  /** An object to scale, and the part of the access that lies beyond it. */
  function objectPicture(warning) {
    const { place } = warning;
    const length = Math.max(1, warning.length ?? 1);
    const first = Math.min(0, place.offset);
    const last = Math.max(place.size, place.offset + length);
    const at = (offset) => `${((offset - first) / (last - first)) * 100}%`;
    const asked = Math.min(place.requested ?? place.size, place.size);
    const part = (className, start, end, text) => end > start ? h("i", { className, css: { left: at(start), width: `${((end - start) / (last - first)) * 100}%` }, title: `${text}: ${bytes(end - start)}` }) : null;
    const isFree = place.state === "free";
    return h("figure", { className: "object-picture" },
      h("div", { className: "object-bar", role: "img", "aria-label": t("reports.bar", { size: number(place.size), offset: number(place.offset), length: number(warning.length ?? 0) }) },
        part(isFree ? "free" : "used", 0, isFree ? place.size : asked, t(isFree ? "slot.free" : "slabs.requested")),
        isFree ? null : part("rounding", asked, place.size, t("slabs.rounding")),
        part("access", place.offset, place.offset + length, t("reports.access"))),
      h("figcaption", { className: "fine" }, t("reports.bar", { size: number(place.size), offset: number(place.offset), length: number(warning.length ?? 0) })));
  }

  function facts(warning) {
    const { place, kasan } = warning;
    const rows = [];
    if (warning.address) rows.push([t("reports.address"), addressLink(context, warning.address)]);
    if (kasan) rows.push([t("reports.first-bad"), addressLink(context, kasan.first_bad)]);
    if (warning.length) rows.push([t("reports.access"), `${warning.access ? t(`reports.access.${warning.access}`) : ""} ${bytes(warning.length)}`]);
    if (place?.cache) rows.push([t("page.cache"), cacheLink(context, place.cache)], [t("reports.object"), `${place.index === null ? place.region : `#${place.index}`}, ${place.state ? t(`slot.${place.state}`) : place.region}, ${place.offset < 0 ? "−" : "+"}${number(Math.abs(place.offset))}`]);
    else if (place?.region) rows.push([t("reports.where"), `${place.region}${place.pfn === null ? "" : ` · PFN ${number(place.pfn)}`}`]);
    if (warning.at) rows.push([t("reports.at"), h("code", {}, warning.at)]);
    if (warning.locks?.length) rows.push([t("reports.locks"), warning.locks.map((lock) => [h("code", {}, lock.lock), " ", callLink(context, lock.call), " "])]);
    if (warning.before !== undefined) rows.push([t("reports.before"), h("code", {}, warning.before)], [t("reports.after"), h("code", {}, warning.after)]);
    for (const range of (warning.ranges ?? []).slice(0, 8)) rows.push([t("reports.unwritten"), `${range.address} +${number(range.length)}`]);
    if (warning.left_by) rows.push([t("reports.left-by"), callLink(context, warning.left_by.call)]);
    return rows.length ? h("dl", { className: "facts wide" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])) : null;
  }

  function words(report) {
    // What has no address is told in the log by others than the memory checkers.
    if (report.lines.length === 0) return h("p", { className: "fine" }, report.warning.address ? t("reports.silent") : [t("reports.elsewhere"), " ", h("a", { href: `${context.base}/files/dmesg` }, "dmesg")]);
    return h("details", {}, h("summary", {}, t("reports.words")),
      h("pre", { className: "log", tabIndex: 0, role: "region", "aria-label": t("reports.words") }, report.lines.join("\n")));
  }

  return { element, refresh };
}

