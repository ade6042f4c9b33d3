// A range of addresses to scale, with a lens: a whole above, a part of it below, enlarged as far as one likes.
import { bytes, h, hex, replace } from "./dom.js";
import { t } from "./i18n.js";

const smallest = 4096n;

/** Lanes of segments `{start, end, tone, name, text, open}`; addresses are BigInts, `end` is behind the last byte. */
export class Lens {
  constructor(first, last, label) {
    this.whole = { from: first, to: last };
    this.part = { from: first, to: last };
    this.lanes = [];
    this.overview = h("div", { className: "lens-overview", "aria-hidden": "true" });
    this.view = h("div", { className: "lens-view", tabIndex: 0, role: "application", "aria-label": label, onkeydown: (event) => this.key(event) });
    this.caption = h("p", { className: "lens-caption fine", "aria-live": "polite" });
    this.element = h("div", { className: "lens" }, this.overview, this.view, this.caption,
      h("div", { className: "segments" },
        h("button", { type: "button", "aria-label": t("map.zoom-out"), onclick: () => this.zoom(2, 0.5) }, "−"),
        h("button", { type: "button", onclick: () => this.show(this.whole.from, this.whole.to) }, t("map.fit")),
        h("button", { type: "button", "aria-label": t("map.zoom-in"), onclick: () => this.zoom(0.5, 0.5) }, "+")));
    this.listen();
  }

  set(lanes) {
    this.lanes = lanes;
    this.draw();
  }

  show(from, to) {
    const least = this.whole.from;
    const most = this.whole.to;
    let size = to - from;
    if (size < smallest) size = smallest;
    if (size > most - least) size = most - least;
    let start = from < least ? least : from;
    if (start + size > most) start = most - size;
    this.part = { from: start, to: start + size };
    this.draw();
  }

  /** Shows a segment with some room around it. */
  frame(start, end) {
    const room = (end - start) / 6n + 1n;
    this.show(start - room, end + room);
  }

  /** Numbers as shares of a span; BigInts keep the last bits of 64. */
  share(value, { from, to }) {
    return Number(((value - from) * 1_000_000n) / (to - from)) / 10_000;
  }

  draw() {
    const { part, whole } = this;
    const box = (segment, span) => {
      const left = Math.max(0, this.share(segment.start, span));
      const right = Math.min(100, this.share(segment.end, span));
      return { left, width: right - left };
    };
    replace(this.overview, this.lanes[0]?.map((segment) => {
      const { left, width } = box(segment, whole);
      return width > 0 ? h("i", { className: `seg ${segment.hatched ? "hatched" : ""}`, css: { left: `${left}%`, width: `${width}%`, "--tone": segment.tone } }) : null;
    }), h("b", { className: "lens-mark", css: { left: `${this.share(part.from, whole)}%`, width: `max(3px, ${this.share(part.to, whole) - this.share(part.from, whole)}%)` } }));
    replace(this.view, this.lanes.map((lane) => h("div", { className: "lane" }, lane
      .filter((segment) => segment.end > part.from && segment.start < part.to)
      .slice(0, 800)
      .map((segment) => {
        const { left, width } = box(segment, part);
        const size = bytes(segment.end - segment.start);
        return h("button", {
          type: "button", tabIndex: -1, className: `seg ${segment.hatched ? "hatched" : ""}`, css: { left: `${left}%`, width: `max(2px, ${width}%)`, "--tone": segment.tone },
          title: `${segment.name}\n${hex(segment.start)} – ${hex(segment.end - 1n)}\n${size}${segment.text ? `\n${segment.text}` : ""}`,
          onclick: () => (this.moved ? null : segment.open ? segment.open(segment) : this.frame(segment.start, segment.end)),
        }, width > 5 ? h("span", {}, segment.name) : null);
      }))));
    this.caption.textContent = `${hex(part.from)} – ${hex(part.to - 1n)} · ${bytes(part.to - part.from)}`;
  }

  zoom(factor, at) {
    const { from, to } = this.part;
    const size = to - from;
    const next = BigInt(Math.max(4096, Math.min(Number(this.whole.to - this.whole.from), Math.round(Number(size) * factor))));
    const fixed = from + (size * BigInt(Math.round(at * 1000))) / 1000n;
    const start = fixed - (next * BigInt(Math.round(at * 1000))) / 1000n;
    this.show(start, start + next);
  }

  pan(share) {
    const size = this.part.to - this.part.from;
    const step = (size * BigInt(Math.round(share * 1000))) / 1000n;
    this.show(this.part.from + step, this.part.to + step);
  }

  key(event) {
    const steps = { ArrowLeft: () => this.pan(-0.1), ArrowRight: () => this.pan(0.1), "+": () => this.zoom(0.5, 0.5), "=": () => this.zoom(0.5, 0.5), "-": () => this.zoom(2, 0.5), 0: () => this.show(this.whole.from, this.whole.to) };
    if (!steps[event.key]) return;
    steps[event.key]();
    event.preventDefault();
  }

  listen() {
    const { view } = this;
    view.addEventListener("wheel", (event) => {
      event.preventDefault();
      const place = (event.clientX - view.getBoundingClientRect().left) / view.clientWidth;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / view.clientWidth);
      else this.zoom(Math.exp(event.deltaY * (event.deltaMode === 1 ? 0.06 : 0.003)), place);
    }, { passive: false });
    let last = null;
    view.addEventListener("pointerdown", (event) => {
      last = event.clientX;
      this.moved = false;
    });
    view.addEventListener("pointermove", (event) => {
      if (last === null || event.buttons === 0) return;
      const distance = event.clientX - last;
      if (!this.moved && Math.abs(distance) < 5) return;
      this.moved = true;
      last = event.clientX;
      this.pan(-distance / view.clientWidth);
    });
    addEventListener("pointerup", () => (last = null));
  }
}
