// The session's events as they come, gathered so that thousands a second cost one drawing each tick.
import * as api from "./api.js";

const kept = 5000;
const tickMilliseconds = 120;
const earlierCount = 1000;
const earlierMilliseconds = 4000;

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
    /** The call that the oldest entry begins with. */
    this.first = after + 1;
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
    if (this.entries.length > 2 * kept) {
      this.entries.splice(0, this.entries.length - kept);
      this.first = beginning(this.entries[0]);
    }
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      const count = this.fresh;
      this.fresh = 0;
      this.told(count);
    }, tickMilliseconds);
  }

  /**
   * Fills in what came before the oldest entry, as far as the service still has it; it names the rest as a gap.
   *
   * - count: how many calls further back, at most.
   */
  async earlier(count = earlierCount) {
    const end = this.first;
    if (end <= 1 || this.isClosed) return;
    const found = await this.past(Math.max(0, end - 1 - count), end);
    if (found.length === 0 || this.first !== end) return;
    this.entries.unshift(...found);
    this.first = beginning(found[0]);
  }

  /** The events behind `after` and before `end`, by a stream of their own. */
  past(after, end) {
    return new Promise((resolve) => {
      const found = [];
      const source = new EventSource(api.eventsPath(this.id, after));
      const finish = () => {
        clearTimeout(timer);
        source.close();
        resolve(found);
      };
      const timer = setTimeout(finish, earlierMilliseconds);
      const take = (entry, last) => {
        if (beginning(entry) >= end) return finish();
        found.push(entry);
        if (last >= end - 1) finish();
      };
      source.addEventListener("call", (event) => take({ id: Number(event.lastEventId), data: event.data }, Number(event.lastEventId)));
      source.addEventListener("gap", (event) => {
        const { from, to } = JSON.parse(event.data);
        const last = Math.min(to, end - 1);
        take({ gap: true, data: JSON.stringify({ from, to: last }) }, last);
      });
      source.addEventListener("error", finish);
    });
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

  /** The newest events that a filter lets pass, newest first; a gap is told by `from` and `to`. */
  newest(count, passes = () => true) {
    const found = [];
    for (let place = this.entries.length - 1; place >= 0 && found.length < count; place -= 1) {
      const entry = this.entries[place];
      entry.value ??= JSON.parse(entry.data);
      if (passes(entry.value)) found.push(entry);
    }
    return found;
  }
}

/** The first call that an entry tells of. */
const beginning = (entry) => entry.id ?? JSON.parse(entry.data).from;
