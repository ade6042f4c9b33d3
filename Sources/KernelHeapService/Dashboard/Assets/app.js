// Starts the page: language and colours, and which screen the address asks for.
import * as api from "./api.js";
import { h, replace } from "./dom.js";
import * as i18n from "./i18n.js";
import { t } from "./i18n.js";

const main = document.getElementById("main");
const trouble = document.getElementById("trouble");
let screen = null;
let screenKey = "";
let troubleTimer = 0;
let profileList = null;

const app = {
  profiles: () => (profileList ??= api.profiles().catch((error) => {
    profileList = null;
    throw error;
  })),
  trouble: (text) => say(text, "bad"),
  note: (text) => say(text, "good"),
  /** Runs an action and shows what went wrong with it; undefined where it did. */
  attempt: async (action, { isQuiet = false } = {}) => {
    try {
      const result = await action();
      if (trouble.dataset.kind === "unreachable") say("");
      return result;
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      if (error instanceof api.Unreachable) say(t("unreachable"), "bad", "unreachable");
      else if (!isQuiet) say(error.message, "bad");
      if (!(error instanceof api.Problem) && !(error instanceof api.Unreachable)) console.error(error);
      return undefined;
    }
  },
};

function say(text, tone = "bad", kind = "") {
  clearTimeout(troubleTimer);
  trouble.hidden = !text;
  trouble.className = `banner ${tone}`;
  trouble.dataset.kind = kind;
  trouble.textContent = text ?? "";
  if (text && kind !== "unreachable") troubleTimer = setTimeout(() => (trouble.hidden = true), 9000);
}

/** The parts of `#session/<id>/<view>/…/seq/<n>`; both view and sequence may be left out. */
function route() {
  const parts = location.hash.slice(1).split("/").filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  if (parts[0] === "scenario" && parts[1]) return { screen: "scenario", id: parts[1], session: parts[2], view: parts[3] ?? "memory", rest: parts.slice(4), sequence: null };
  if (parts[0] !== "session" || !parts[1]) return { screen: "home" };
  let sequence = null;
  const mark = parts.lastIndexOf("seq");
  if (mark >= 2 && /^\d+$/.test(parts[mark + 1] ?? "")) {
    sequence = Number(parts[mark + 1]);
    parts.splice(mark);
  }
  return { screen: "session", id: parts[1], view: parts[2] ?? "memory", rest: parts.slice(3), sequence };
}

async function navigate() {
  const wished = route();
  const key = `${wished.screen}/${wished.id ?? ""}/${wished.session ?? ""}`;
  if (key !== screenKey || !screen) {
    screen?.destroy?.();
    screen = null;
    screenKey = key;
    document.title = "kheapd";
    replace(main, h("p", { className: "loading" }, t("loading")));
    const made = await app.attempt(() => make(wished));
    if (screenKey !== key) return made?.destroy?.();
    if (!made) return replace(main, h("div", { className: "empty" }, h("h1", {}, t("gone.title")), h("p", {}, t("gone.text")), h("a", { className: "button primary", href: "#" }, t("gone.home"))));
    screen = made;
    replace(main, screen.element);
  }
  if (!screen.show) return;
  await app.attempt(() => screen.show(wished.view, wished.rest));
  screen.expect(wished.sequence);
}

async function make(wished) {
  if (wished.screen === "home") return (await import("./home.js")).create(app);
  if (wished.screen === "scenario") return (await import("./scenario.js")).create(app, wished.id, wished.session);
  return (await import("./session.js")).create(app, wished.id);
}

// Language and colours

function showTools() {
  const language = h("select", { "aria-label": t("language"), onchange: async (event) => {
    await i18n.choose(event.target.value);
    restart();
  } }, [["en", "English"], ["zh", "中文"]].map(([value, text]) => h("option", { value, selected: value === i18n.language }, text)));
  const theme = h("select", { "aria-label": t("theme"), onchange: (event) => setTheme(event.target.value) },
    ["auto", "light", "dark"].map((value) => h("option", { value, selected: value === storedTheme() }, t(`theme.${value}`))));
  replace(document.getElementById("tools"), h("a", { href: "/openapi.yaml" }, "API"), language, theme);
  document.getElementById("skip").textContent = t("skip");
}

const storedTheme = () => localStorage.getItem("kheapd.theme") ?? "auto";

function setTheme(name) {
  localStorage.setItem("kheapd.theme", name);
  applyTheme();
}

function applyTheme() {
  const name = storedTheme();
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  screen?.themeChanged?.();
}

function restart() {
  screen?.destroy?.();
  screen = null;
  showTools();
  navigate();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => screen?.themeChanged?.());
addEventListener("hashchange", navigate);
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

await i18n.start();
applyTheme();
showTools();
await navigate();
// For tests that look at what is drawn.
globalThis.kheapd = { screen: () => screen };
