// The picture of memory in tiles of 256 × 256 cells, as the service tells them: state in, colours out.
import * as api from "./api.js";
import { tileColumns, tileRows } from "./morton.js";
import { mix, readColours } from "./palette.js";

export const tileSide = 256;
export const tileCells = tileSide * tileSide;
const tileLimit = 96;
const requestLimit = 4;

export const HOLE = 0;
export const FREE = 9;
const PER_CPU = 8;

/** What a cell's number says: state, order, class and use. */
export const decodeCell = (code) => ({
  state: code & 15,
  order: (code >> 4) & 15,
  type: (code >> 8) & 7,
  used: (code >> 11) & 255,
});

/** Tiles of one session at every level; a cell of level n is 2ⁿ × 2ⁿ pages. */
export class Tiles {
  /** `changed` is called when a tile has come. */
  constructor(id, endPFN, changed) {
    this.id = id;
    this.endPFN = endPFN;
    this.changed = changed;
    this.tiles = new Map();
    this.waiting = [];
    this.busy = 0;
    this.sequence = 0;
    this.failed = null;
    this.setMode("state");
  }

  setMode(mode) {
    this.mode = mode;
    this.colours = readColours();
    this.rgba = new Map();
    for (const tile of this.tiles.values()) tile.isPainted = false;
  }

  /** The machine has moved on: what is shown is asked for again. */
  expire(sequence) {
    this.sequence = sequence;
    this.waiting = [];
    for (const tile of this.tiles.values()) tile.isAsked = false;
  }

  /** The tile with its picture, or null until it comes. */
  tile(level, index) {
    const key = `${level}/${index}`;
    let tile = this.tiles.get(key);
    if (!tile) {
      tile = { level, index, codes: null, canvas: null, isPainted: false, isAsked: false, sequence: -1 };
      this.tiles.set(key, tile);
      if (this.tiles.size > tileLimit) this.forget();
    } else {
      // The map's order is the order of use.
      this.tiles.delete(key);
      this.tiles.set(key, tile);
    }
    if (tile.sequence !== this.sequence && !tile.isAsked) {
      tile.isAsked = true;
      this.waiting.push(tile);
      this.pump();
    }
    if (!tile.codes) return null;
    if (!tile.isPainted) this.paint(tile);
    return tile;
  }

  /** The tile if it is at hand; nothing is asked for. */
  peek(level, index) {
    const tile = this.tiles.get(`${level}/${index}`);
    if (!tile?.codes) return null;
    if (!tile.isPainted) this.paint(tile);
    return tile;
  }

  forget() {
    for (const [key, tile] of this.tiles) {
      if (!tile.isAsked || tile.codes) {
        this.tiles.delete(key);
        return;
      }
    }
  }

  pump() {
    // The newest wish first: it is what is on the screen.
    while (this.busy < requestLimit && this.waiting.length > 0) this.fetch(this.waiting.pop());
  }

  async fetch(tile) {
    this.busy += 1;
    const pagesPerCell = 4 ** tile.level;
    const first = tile.index * tileCells * pagesPerCell;
    try {
      const answer = await api.view(this.id, "pagemap", { pfn: first, cells: tileCells, pages_per_cell: pagesPerCell });
      const codes = new Uint32Array(tileCells);
      let place = 0;
      for (let run = 0; run < answer.runs.length; run += 2) {
        const end = Math.min(tileCells, place + answer.runs[run]);
        codes.fill(answer.runs[run + 1], place, end);
        place = end;
      }
      tile.codes = codes;
      tile.isPainted = false;
      tile.sequence = Math.max(answer.seq, this.sequence);
      this.failed = null;
    } catch (error) {
      this.failed = error;
    } finally {
      tile.isAsked = false;
      this.busy -= 1;
      this.pump();
      this.changed();
    }
  }

  paint(tile) {
    tile.canvas ??= Object.assign(document.createElement("canvas"), { width: tileSide, height: tileSide });
    const context = tile.canvas.getContext("2d");
    const image = context.createImageData(tileSide, tileSide);
    const pixels = new Uint32Array(image.data.buffer);
    let last = -1;
    let colour = 0;
    for (let place = 0; place < tileCells; place += 1) {
      const code = tile.codes[place];
      if (code !== last) {
        last = code;
        colour = this.colour(code);
      }
      pixels[tileRows[place] * tileSide + tileColumns[place]] = colour;
    }
    context.putImageData(image, 0, 0);
    tile.isPainted = true;
  }

  /** A cell's colour as the bytes of a pixel. */
  colour(code) {
    let found = this.rgba.get(code);
    if (found === undefined) {
      const channels = this.channels(decodeCell(code));
      found = channels ? (0xff000000 | (channels[2] << 16) | (channels[1] << 8) | channels[0]) >>> 0 : 0;
      this.rgba.set(code, found);
    }
    return found;
  }

  channels({ state, order, type, used }) {
    if (state === HOLE) return null;
    const { states, orders, types } = this.colours;
    const ground = orders[Math.min(order, orders.length - 1)];
    if (this.mode === "type") {
      const tone = types[Math.min(type, types.length - 1)];
      return state === FREE ? mix(orders[10], tone, 0.3) : mix(orders[10], tone, 0.45 + (0.55 * used) / 255);
    }
    if (state === FREE) return ground;
    if (state === PER_CPU || used === 255) return states[state];
    return mix(orders[10], states[state], 0.25 + (0.75 * used) / 255);
  }
}
