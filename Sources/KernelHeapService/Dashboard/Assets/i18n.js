// Texts by key; the words of the kernel stay as they are in every language.
import en from "./en.js";

const known = ["en", "zh"];
let texts = en;
export let language = "en";

/** Chooses the stored language, or the browser's. */
export async function start() {
  const stored = localStorage.getItem("kheapd.language");
  const wished = stored ? [stored] : navigator.languages ?? [navigator.language ?? "en"];
  const found = wished.map((name) => name.toLowerCase().split("-")[0]).find((name) => known.includes(name));
  await use(found ?? "en");
}

export async function use(name) {
  texts = name === "zh" ? (await import("./zh.js")).default : en;
  language = name;
  document.documentElement.lang = name === "zh" ? "zh-Hans" : "en";
}

export async function choose(name) {
  localStorage.setItem("kheapd.language", name);
  await use(name);
}

/** The text of a key, `{name}` replaced by a value; the key itself where it has none. */
export function t(key, values = {}) {
  const text = texts[key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** One language of a text that comes in several, as scenarios have them. */
export const pick = (text) => (text && typeof text === "object" ? text[language] ?? text.en : text) ?? "";
