// Makes elements, and writes numbers as people read them. Text always becomes text nodes.

/** An element; `on…` properties listen, `data` and `aria` members become attributes, the rest are properties. */
export function h(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(made.dataset, value);
    else if (key === "css") for (const [rule, text] of Object.entries(value)) made.style.setProperty(rule, text);
    else if (key in made && key !== "list" && key !== "role") made[key] = value;
    else made.setAttribute(key, value);
  }
  add(made, children);
  return made;
}

/** Appends children; nothing for null, undefined and false. */
export function add(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
  return parent;
}

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return add(made, children);
}

export const replace = (parent, ...children) => add((parent.replaceChildren(), parent), children);

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** An amount of memory with its unit; takes numbers and BigInts. */
export function bytes(count) {
  let value = Number(count);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const pages = (count) => bytes(count * 4096);
export const number = (count) => Number(count).toLocaleString("en-US").replaceAll(",", "\u202f");
export const percent = (share) => `${share > 0 && share < 0.01 ? "<1" : Math.round(share * 100)} %`;
export const hex = (value) => `0x${BigInt(value).toString(16)}`;

/** An address in groups of four digits, so that the eye finds the difference. */
export function address(value) {
  const digits = String(value).replace(/^0x/, "");
  const groups = digits.match(/.{1,4}(?=(.{4})*$)/g) ?? [];
  return h("span", { className: "addr", title: `0x${digits}` }, "0x", groups.map((part) => h("span", {}, part)));
}

/** A number that a client wrote: decimal or hexadecimal; null where it is none. */
export function parseAddress(text) {
  const plain = text.trim().replaceAll("_", "");
  return /^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.test(plain) ? BigInt(plain) : null;
}

export const prefersLessMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The value of a custom property of the page, such as a colour. */
export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Shows a short text beside the pointer. */
export function tip(text, x, y) {
  const box = document.getElementById("tip");
  box.hidden = !text;
  if (!text) return;
  replace(box, text);
  const width = box.offsetWidth;
  const height = box.offsetHeight;
  box.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  box.style.top = `${y + 20 + height > innerHeight ? Math.max(4, y - height - 12) : y + 18}px`;
}
