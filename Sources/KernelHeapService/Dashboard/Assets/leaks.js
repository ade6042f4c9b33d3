// kmemleak: objects that no pointer leads to.
import * as api from "./api.js";
import { bytes, h, number, replace } from "./dom.js";
import { t } from "./i18n.js";
import { addressLink, cacheLink, callLink } from "./links.js";

const shownLeaks = 500;

export function leaks(context) {
  const canScan = context.functions.some((entry) => entry.name === "kmemleak_scan");
  const said = h("p", { className: "fine", role: "status" });
  const list = h("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": t("verdict.tab.leaks") });
  const young = h("input", { type: "checkbox", checked: true });
  const button = h("button", { type: "button", className: "primary", disabled: !canScan, onclick: () => context.attempt(scan) }, t("leaks.scan"));
  const element = h("div", {}, h("p", { className: "lead" }, t("leaks.lead")),
    h("div", { className: "toolbar" }, button, h("label", { className: "check" }, young, t("leaks.young")),
      h("a", { href: `${context.base}/files/sys/kernel/debug/kmemleak` }, "/sys/kernel/debug/kmemleak")), said, list);

  async function scan() {
    button.disabled = true;
    try {
      let found = 0;
      // The first of two scans takes the checksums that the second compares.
      for (let turn = 0; turn < 2; turn += 1) {
        const outcome = await context.call("kmemleak_scan", young.checked ? { min_age: 0 } : {}, false);
        if (!outcome) return;
        found += Number(outcome.return ?? 0);
      }
      said.textContent = t("leaks.found", { count: number(found) });
    } finally {
      button.disabled = false;
    }
  }

  async function refresh() {
    const answer = await api.view(context.id, "leaks", { limit: shownLeaks });
    if (list.contains(document.activeElement) && document.activeElement !== list) return;
    replace(list, answer.leaks.length === 0 ? h("p", { className: "empty" }, t("leaks.none")) : h("table", { className: "list plain" },
      h("thead", {}, h("tr", {}, ["object", "size", "cache", "call", "owner", "bytes"].map((name) => h("th", { scope: "col" }, t(`leaks.${name}`))))),
      h("tbody", {}, answer.leaks.map(row))),
    answer.next_cursor ? h("p", { className: "fine" }, t("leaks.more", { count: number(shownLeaks) })) : null);
  }

  function row(leak) {
    return h("tr", {},
      h("th", { scope: "row" }, addressLink(context, leak.address)), h("td", {}, bytes(leak.size)), h("td", {}, leak.cache ? cacheLink(context, leak.cache) : t(`leaks.kind.${leak.kind}`)),
      h("td", {}, callLink(context, leak.call, leak.function)), h("td", {}, `${leak.comm} (${leak.pid})`),
      h("td", { className: "mono" }, (leak.bytes.match(/.{1,8}/g) ?? []).slice(0, 4).join(" "), leak.bytes.length > 32 ? " …" : ""));
  }

  return { element, refresh };
}
