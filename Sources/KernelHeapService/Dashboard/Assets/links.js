// Where a call, an address or a line of the log is shown; every view leads there in the same way.
import { address, h, number } from "./dom.js";
import { t } from "./i18n.js";

/** A call by its number, leading to its event; nothing where nobody knows the call. */
export function callLink(context, sequence, name = null) {
  if (!sequence) return h("span", { className: "muted" }, "—");
  return h("a", { className: "call-link", href: `${context.base}/time/${sequence}` }, `#${number(sequence)}`, name ? [" ", h("code", {}, name)] : null);
}

/** An address, leading to its page on the map and its bytes; `cache` leads to the slab instead. */
export function addressLink(context, value, cache = null) {
  const place = cache ? `slabs/${encodeURIComponent(cache)}` : `memory/${encodeURIComponent(value)}`;
  return h("a", { className: "address-link", href: `${context.base}/${place}` }, address(value));
}

export const cacheLink = (context, name) => h("a", { href: `${context.base}/slabs/${encodeURIComponent(name)}` }, name);

/** The log, with the lines that hold a text. */
export const logLink = (context, text) =>
  h("a", { className: "log-link", href: `${context.base}/files/dmesg/find/${encodeURIComponent(text)}` }, "dmesg");

/** The name of a kind of finding in the language of the page; kinds that it does not know stay as the service has them. */
export function kindName(kind) {
  const key = `warning.${kind}`;
  const text = t(key);
  return text === key ? kind.replaceAll("_", " ") : text;
}

/** An empty view with calls that fill it: each button puts a call into the console. */
export function invitation(context, text, starters) {
  const known = starters.filter(([name]) => context.functions.some((entry) => entry.name === name));
  return h("div", { className: "empty invitation" }, h("p", {}, text),
    h("div", { className: "row" }, known.map(([name, values]) => h("button", { type: "button", className: "pill", onclick: () => prefill(context, name, values) }, name))));
}

/** Puts a call into the console, where it may be looked at before it is made. */
export function prefill(context, name, values) {
  context.panel.show(name, values);
  if (!context.panel.element.offsetParent) location.hash = `${context.base}/console`;
  else context.panel.element.querySelector("form.call button.primary")?.focus();
}
