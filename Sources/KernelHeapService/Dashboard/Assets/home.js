// The first screen: boot a machine, come back to one, or be shown something.
import * as api from "./api.js";
import { bytes, h, replace } from "./dom.js";
import { pick, t } from "./i18n.js";
import { decode, extent } from "./morton.js";
import { Tiles } from "./tiles.js";

const pollMilliseconds = 3000;
const fewSessions = 8;
const mostSessions = 96;
const memories = ["128M", "512M", "4G", "64G", "1T"];

export async function create(app) {
  const list = h("ul", { className: "sessions" });
  const note = h("p", { className: "fine" });
  const scenarioList = h("ul", { className: "scenario-list" });
  const more = h("p", {});
  let timer = 0;
  let isGone = false;
  let showsAll = false;
  const thumbnails = new Map();

  const element = h("div", { className: "home" },
    h("section", { className: "hero" },
      h("div", {},
        h("h1", {}, t("home.title")),
        h("p", { className: "lead" }, t("home.lead")),
        h("ol", { className: "how" }, ["boot", "call", "see"].map((step) => h("li", {}, h("b", {}, t(`home.${step}`)), " ", t(`home.${step}-text`))))),
      bootForm(await api.profiles())),
    h("section", { "aria-labelledby": "sessions-title" }, h("h2", { id: "sessions-title" }, t("home.sessions")), note, list, more),
    h("section", { "aria-labelledby": "scenarios-title" }, h("h2", { id: "scenarios-title" }, t("home.scenarios")), h("p", { className: "lead" }, t("home.scenarios-lead")), scenarioList));

  function bootForm(profiles) {
    const name = h("input", { name: "name", maxLength: 64, placeholder: t("home.name-hint"), autocomplete: "off" });
    const profile = h("select", { name: "profile" }, profiles.map((entry) => h("option", { value: entry.name }, entry.name)));
    const memory = h("input", { name: "memory", value: "512M", required: true, pattern: "[0-9]+[KkMmGgTt]?", list: "memories", size: 8, autocomplete: "off" });
    const cpus = h("input", { name: "cpus", type: "number", min: 1, max: 64, value: 2, required: true });
    const nodes = h("input", { name: "nodes", type: "number", min: 1, max: 4, value: 1 });
    const seed = h("input", { name: "seed", type: "number", min: 0, value: 1 });
    const options = h("input", { name: "options", placeholder: "slub_debug=FZPU slub_nomerge", autocomplete: "off", spellcheck: false });
    const objectHistory = h("input", { name: "history", type: "checkbox", checked: true });
    const profileNote = h("p", { className: "fine" });
    const changed = () => {
      const is32 = profile.value.includes("i386");
      profileNote.textContent = t(`profile.${profile.value}`);
      nodes.disabled = is32;
      if (is32) nodes.value = 1;
      if (is32 && memory.value === "512M") memory.value = "2G";
    };
    profile.addEventListener("change", changed);
    changed();
    const submit = async (event) => {
      event.preventDefault();
      const machine = { profile: profile.value, memory: memory.value, cpus: Number(cpus.value), seed: Number(seed.value) };
      if (Number(nodes.value) > 1) machine.nodes = Number(nodes.value);
      if (options.value) machine.boot_options = options.value;
      if (objectHistory.checked) machine.object_history = 4096;
      const session = await app.attempt(() => api.boot({ name: name.value, machine }));
      if (session) location.hash = `#session/${session.id}/memory`;
    };
    return h("form", { className: "card boot", id: "boot", onsubmit: submit, "aria-labelledby": "boot-title" },
      h("h2", { id: "boot-title" }, t("home.new")),
      h("label", {}, t("home.profile"), profile), profileNote,
      h("div", { className: "grid2" }, h("label", {}, t("home.memory"), memory), h("label", {}, t("home.cpus"), cpus)),
      h("datalist", { id: "memories" }, memories.map((value) => h("option", { value }))),
      h("details", {}, h("summary", {}, t("home.more")),
        h("label", {}, t("home.name"), name),
        h("div", { className: "grid2" }, h("label", {}, t("home.nodes"), nodes), h("label", {}, t("home.seed"), seed)),
        h("label", {}, t("home.options"), options),
        h("label", { className: "check" }, objectHistory, t("home.history"))),
      h("button", { className: "primary wide" }, t("home.boot")));
  }

  async function showSessions() {
    const { sessions, next_cursor: next } = await api.sessions();
    if (isGone) return;
    const focused = document.activeElement?.dataset?.key;
    const shown = showsAll ? mostSessions : fewSessions;
    replace(list, sessions.toReversed().slice(0, shown).map(card));
    replace(more, sessions.length > fewSessions && !showsAll ? h("button", { type: "button", data: { key: "all" }, onclick: () => {
      showsAll = true;
      app.attempt(showSessions);
    } }, t("home.show-all", { count: sessions.length })) : null);
    if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    note.textContent = sessions.length === 0 ? t("home.none") : next || (showsAll && sessions.length > mostSessions) ? t("home.more-sessions") : "";
  }

  function card(session) {
    const title = session.name || session.id.slice(0, 8);
    const canvas = thumbnail(session);
    return h("li", { className: "card session-card" },
      h("a", { className: "session-link", href: `#session/${session.id}/memory`, data: { key: `open-${session.id}` } },
        canvas, h("span", { className: "session-name" }, title)),
      h("p", { className: "fine" }, t("home.facts", { held: bytes(session.held_bytes), idle: idle(session.idle_seconds) })),
      h("div", { className: "row" },
        h("button", { type: "button", className: "quiet", data: { key: `fork-${session.id}` }, onclick: () => app.attempt(async () => {
          await api.fork(session.id, `${title} fork`);
          await showSessions();
        }) }, t("home.fork")),
        h("button", { type: "button", className: "quiet danger", data: { key: `drop-${session.id}` }, "aria-label": t("home.drop-label", { name: title }), onclick: () => app.attempt(async () => {
          await api.drop(session.id);
          thumbnails.delete(session.id);
          await showSessions();
        }) }, t("home.drop"))));
  }

  /** The machine's memory, small: read once a visit. */
  function thumbnail(session) {
    let canvas = thumbnails.get(session.id);
    if (canvas) return canvas;
    canvas = h("canvas", { className: "thumb", width: 96, height: 48, "aria-hidden": "true" });
    thumbnails.set(session.id, canvas);
    if (thumbnails.size <= 24) drawThumbnail(session.id, canvas).catch(() => canvas.remove());
    return canvas;
  }

  async function drawThumbnail(id, canvas) {
    const probe = await api.view(id, "pagemap", { pfn: 0, cells: 1 });
    const size = extent(probe.end_pfn);
    const level = Math.max(0, Math.ceil(Math.log2(Math.max(1, size.width / 128))));
    const pagesPerCell = 4 ** level;
    const answer = await api.view(id, "pagemap", { pfn: 0, pages_per_cell: pagesPerCell });
    const painter = new Tiles(id, 0, () => {});
    canvas.width = Math.max(1, size.width >> level);
    canvas.height = Math.max(1, size.height >> level);
    const drawing = canvas.getContext("2d");
    const image = drawing.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    let place = 0;
    for (let run = 0; run < answer.runs.length; run += 2) {
      const colour = painter.colour(answer.runs[run + 1]);
      for (let count = answer.runs[run]; count > 0; count -= 1) {
        const { x, y } = decode(place);
        if (x < canvas.width && y < canvas.height) pixels[y * canvas.width + x] = colour;
        place += 1;
      }
    }
    drawing.putImageData(image, 0, 0);
  }

  const idle = (seconds) => (seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`);

  async function showScenarios() {
    const scenarios = await api.scenarios();
    replace(scenarioList, scenarios.map((scenario) =>
      h("li", {}, h("a", { className: "card scenario", href: `#scenario/${scenario.id}` },
        h("b", {}, pick(scenario.question)), h("span", { className: "fine" }, pick(scenario.title))))));
  }

  async function poll() {
    clearTimeout(timer);
    if (isGone) return;
    if (!document.hidden) await app.attempt(showSessions, { isQuiet: true });
    timer = setTimeout(poll, pollMilliseconds);
  }

  poll();
  app.attempt(showScenarios, { isQuiet: true });
  return { element, destroy: () => ((isGone = true), clearTimeout(timer)) };
}
