// The session's events as they come, gathered so that thousands a second cost one drawing each tick.
import * as api from "./api.js";

const kept = 5000;
const tickMilliseconds = 120;

export class EventFeed {
  /**
   * - after: the sequence number behind which events are wanted.
   * - told: called with the number of new events, at most some times a second.
   * - changed: called with `live`, `lost` or `gone`.
   */
  constructor(id, after, { told, changed }) {
    Object.assign(this, { id, told, changed });
    this.entries = [];
    this.last = after;
    this.received = 0;
    this.fresh = 0;
    this.timer = 0;
    this.open();
  }

  open() {
    this.source = new EventSource(api.eventsPath(this.id, this.last));
    this.source.addEventListener("open", () => this.changed("live"));
    this.source.addEventListener("call", (event) => this.take({ id: Number(event.lastEventId), data: event.data }));
    this.source.addEventListener("gap", (event) => this.take({ gap: true, data: event.data }));
    this.source.addEventListener("error", () => this.failed());
  }

  /** The text is read when somebody looks at it: most events of a flood are never seen. */
  take(entry) {
    if (entry.id) this.last = entry.id;
    this.entries.push(entry);
    this.received += 1;
    this.fresh += 1;
    if (this.entries.length > 2 * kept) this.entries.splice(0, this.entries.length - kept);
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      const count = this.fresh;
      this.fresh = 0;
      this.told(count);
    }, tickMilliseconds);
  }

  async failed() {
    if (this.isClosed || this.isPaused) return;
    this.changed("lost");
    if (this.source.readyState !== EventSource.CLOSED) return;
    // The browser gave up: the session may be gone, or the service not be back yet.
    try {
      await api.session(this.id);
    } catch (error) {
      if (error instanceof api.Problem && error.status === 404) {
        this.close();
        this.changed("gone");
        return;
      }
    }
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.isClosed || this.isPaused || this.open(), 1000);
  }

  /** Gives the connection back; what happens meanwhile is asked for by `resume`. */
  pause() {
    if (this.isClosed || this.isPaused) return;
    this.isPaused = true;
    clearTimeout(this.retry);
    this.source.close();
  }

  resume() {
    if (this.isClosed || !this.isPaused) return;
    this.isPaused = false;
    this.open();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    this.source.close();
  }

  /** The newest events that a filter lets pass, newest first; gaps always pass. */
  newest(count, passes = () => true) {
    const found = [];
    for (let place = this.entries.length - 1; place >= 0 && found.length < count; place -= 1) {
      const entry = this.entries[place];
      entry.value ??= JSON.parse(entry.data);
      if (entry.gap || passes(entry.value)) found.push(entry);
    }
    return found;
  }
}
