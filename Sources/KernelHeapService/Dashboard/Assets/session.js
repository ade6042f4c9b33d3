// A session's screen: the views on one side, the console on the other, and the events that keep both fresh.
import * as api from "./api.js";
import { bytes, h, number, replace } from "./dom.js";
import { EventFeed } from "./events.js";
import { t } from "./i18n.js";
import * as consolePanel from "./console.js";

const refreshMilliseconds = 350;

/** Views by name; each is loaded when it is first shown. */
const views = {
  memory: () => import("./memory.js"),
  buddy: () => import("./buddy.js"),
  slabs: () => import("./slabs.js"),
  space: () => import("./space.js"),
  boundary: () => import("./boundary.js"),
  groups: () => import("./groups.js"),
  reclaim: () => import("./reclaim.js"),
  devices: () => import("./devices.js"),
  sweep: () => import("./sweep.js"),
  verdict: () => import("./verdict.js"),
  time: () => import("./time.js"),
  files: () => import("./files.js"),
};

/** `base` is the address of the screen; `guide` makes a panel that stands above the console. */
export async function create(app, id, base = `#session/${id}`, guide = null) {
  const [session, functions, profiles] = await Promise.all([api.session(id), api.functions(id), app.profiles()]);
  const profile = profiles.find((entry) => entry.name === session.machine.profile);
  const stage = h("section", { className: "stage", id: "stage" });
  const tabs = h("nav", { className: "tabs", "aria-label": t("views") });
  const banner = h("p", { className: "banner warn", role: "status", hidden: true });
  const dock = h("aside", { className: "dock", "aria-label": t("console.title") });
  const middle = h("div", { className: "middle" }, banner, stage);
  const element = h("div", { className: "session" }, tabs, middle, dock);
  let view = null;
  let viewName = "";
  let refreshTimer = 0;
  let isRefreshing = false;
  let isGone = false;
  let link = "live";

  const context = {
    id, base, session, functions, profile,
    /** Names of caches; filled when somebody first asks for them. */
    caches: [],
    constants: profile?.constants ?? {},
    flags: profile?.gfp_flags ?? {},
    is32Bit: session.machine.profile.includes("i386"),
    attempt: app.attempt,
    trouble: app.trouble,
    call: (name, values, wantsWhy) => panel.call(name, values, wantsWhy),
    called: (outcome) => {
      session.seq = Math.max(session.seq, outcome.seq);
      view?.called?.(outcome);
      schedule(0);
    },
    viewName: () => viewName,
    feed: null,
  };
  const panel = consolePanel.create(context, Boolean(guide));
  context.panel = panel;
  replace(dock, panel.element);
  const guideBox = guide?.(context);
  // Beside the view where there is room, above it where there is not.
  const isWide = matchMedia("(min-width: 74.01rem)");
  const placeGuide = () => guideBox && (isWide.matches ? dock.prepend(guideBox) : middle.prepend(guideBox));
  isWide.addEventListener("change", placeGuide);
  placeGuide();
  context.feed = new EventFeed(id, session.seq > 2000 ? session.seq - 2000 : 0, { told: eventsCame, changed: linkChanged });

  // A browser has few connections to one server: tabs that nobody sees give theirs back.
  const visibilityChanged = () => (document.hidden ? context.feed.pause() : context.feed.resume());
  const pageHidden = () => context.feed.pause();
  document.addEventListener("visibilitychange", visibilityChanged);
  addEventListener("pagehide", pageHidden);
  addEventListener("pageshow", visibilityChanged);

  function eventsCame(count) {
    session.seq = Math.max(session.seq, context.feed.last);
    view?.eventsCame?.(count);
    schedule(refreshMilliseconds);
    showWhere();
  }

  function linkChanged(state) {
    if (isGone || state === link) return;
    const wasLost = link === "lost";
    link = state;
    if (state === "gone") {
      isGone = true;
      replace(element, h("div", { className: "empty" }, h("h1", {}, t("gone.title")), h("p", {}, t("gone.text")), h("a", { className: "button primary", href: "#" }, t("gone.home"))));
      return;
    }
    banner.hidden = state === "live";
    banner.textContent = state === "lost" ? t("lost") : "";
    if (wasLost && state === "live") schedule(0);
    showWhere();
  }

  function schedule(delay) {
    if (refreshTimer || isGone) return;
    refreshTimer = setTimeout(async () => {
      refreshTimer = 0;
      if (document.hidden) return schedule(1000);
      if (isRefreshing) return schedule(refreshMilliseconds);
      isRefreshing = true;
      await app.attempt(() => view?.refresh?.(), { isQuiet: link !== "live" });
      isRefreshing = false;
    }, delay);
  }

  function showTabs() {
    const names = [...Object.keys(views), "console"];
    replace(tabs, names.map((name) =>
      h("a", { href: `${base}/${name}`, className: `tab tab-${name}`, "aria-current": name === viewName ? "page" : undefined }, h("i", { className: `icon icon-${name}`, "aria-hidden": "true" }), t(`view.${name}`))));
    // Narrow screens scroll the tabs; the current one is brought into sight.
    tabs.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }

  function showWhere() {
    const { machine } = session;
    const share = h("button", { type: "button", className: "quiet", onclick: copyLink }, t("share"));
    replace(document.getElementById("where"),
      h("b", {}, session.name || session.id.slice(0, 8)),
      h("span", { className: "fine" }, `${machine.profile} · ${bytes(machine.memory)} · ${machine.cpus} CPU`),
      h("span", { className: `link ${link}`, role: "status" }, t(`link.${link}`)),
      h("span", { className: "fine seq-count" }, t("calls", { count: number(session.seq) })),
      session.panicked ? h("span", { className: "chip-bad" }, t("panicked")) : null,
      share);
  }

  async function copyLink() {
    // What the view has open, such as a cache or a report, is part of the link.
    const place = location.hash.replace(/\/seq\/\d+$/, "");
    const isHere = place.startsWith(`#session/${id}/${viewName}`);
    const text = `${location.origin}/${isHere ? place : `#session/${id}/${viewName}`}/seq/${session.seq}`;
    try {
      await navigator.clipboard.writeText(text);
      app.note(t("share.copied"));
    } catch {
      app.note(text);
    }
  }

  async function show(name, rest) {
    if (isGone) return;
    const isConsole = name === "console";
    element.classList.toggle("console-only", isConsole);
    dock.querySelector(".dock-title")?.setAttribute("aria-level", isConsole ? "1" : "2");
    const known = views[name] ? name : isConsole ? viewName || "memory" : "memory";
    if (known !== viewName || !view) {
      view?.destroy?.();
      view = null;
      viewName = known;
      const module = await views[known]();
      if (isGone || viewName !== known) return;
      view = module.create(context, rest);
      context.view = view;
      replace(stage, view.element);
      await app.attempt(() => view.refresh?.());
    } else view.navigate?.(rest);
    if (isConsole) viewName = known;
    showTabs();
    if (isConsole) {
      for (const tab of tabs.children) tab.removeAttribute("aria-current");
      tabs.lastElementChild.setAttribute("aria-current", "page");
    }
    showWhere();
    document.title = `${session.name || session.id.slice(0, 8)} · ${t(`view.${name in views || isConsole ? name : "memory"}`)} · kheapd`;
  }

  /** A link to a state: says when the machine has moved on since. */
  function expect(sequence) {
    if (sequence === null || session.seq === sequence) return;
    banner.hidden = false;
    banner.textContent = t(session.seq > sequence ? "seq.behind" : "seq.ahead", { linked: number(sequence), now: number(session.seq) });
  }

  return {
    id, element, show, expect, context,
    themeChanged: () => view?.themeChanged?.(),
    destroy: () => {
      isGone = true;
      isWide.removeEventListener("change", placeGuide);
      document.removeEventListener("visibilitychange", visibilityChanged);
      removeEventListener("pagehide", pageHidden);
      removeEventListener("pageshow", visibilityChanged);
      clearTimeout(refreshTimer);
      context.feed.close();
      view?.destroy?.();
      replace(document.getElementById("where"));
    },
  };
}
