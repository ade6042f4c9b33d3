// Draws the tiles on a canvas, and the eye that moves over them.
import { prefersLessMotion } from "./dom.js";
import { MapInput } from "./mapinput.js";
import { blockSize, decode, encode, extent } from "./morton.js";
import { decodeCell, FREE, HOLE, tileSide, Tiles } from "./tiles.js";

const flashMilliseconds = 1800;
const largestScale = 64;
const usedInk = "rgba(20, 14, 8, .82)";

export class MapCanvas {
  /**
   * - canvas: where to draw.
   * - picked: told the frame that was clicked or chosen by Enter.
   * - hovered: told the frame under the pointer and where the pointer is; null outside.
   */
  constructor(canvas, id, { picked, hovered }) {
    Object.assign(this, { canvas, picked, hovered });
    this.context = canvas.getContext("2d");
    this.tiles = new Tiles(id, 0, () => this.invalidate());
    this.camera = { x: 0, y: 0, scale: 1 };
    this.zones = [];
    this.flashes = [];
    this.selected = null;
    this.isDirty = false;
    this.isFitted = true;
    this.frames = 0;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(canvas);
    new MapInput(this);
  }

  destroy() {
    this.observer.disconnect();
    this.isGone = true;
  }

  setMachine(endPFN, zones) {
    const isNew = endPFN !== this.tiles.endPFN;
    this.tiles.endPFN = endPFN;
    this.size = extent(Math.max(endPFN, 1));
    this.zones = zones;
    if (isNew) {
      this.edges = this.zoneEdges();
      this.fit();
    }
    this.invalidate();
  }

  setMode(mode) {
    this.tiles.setMode(mode);
    this.invalidate();
  }

  expire(sequence) {
    this.tiles.expire(sequence);
    this.invalidate();
  }

  flash(pfn, order) {
    this.flashes.push({ pfn, order, start: performance.now() });
    if (this.flashes.length > 64) this.flashes.shift();
    this.invalidate();
  }

  select(pfn) {
    this.selected = pfn;
    this.invalidate();
  }

  // Camera

  resize() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth) return;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.ratio = ratio;
    if (this.isFitted && this.size) this.fit();
    this.invalidate();
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !this.size) return;
    const scale = Math.min((width - 16) / this.size.width, (height - 16) / this.size.height);
    this.camera = {
      scale,
      x: this.size.width / 2 - width / 2 / scale,
      y: this.size.height / 2 - height / 2 / scale,
    };
    this.smallest = Math.min(scale * 0.8, 1);
    this.isFitted = true;
    this.invalidate();
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const { camera } = this;
    const scale = Math.min(largestScale, Math.max(this.smallest ?? 0.001, camera.scale * factor));
    camera.x += x / camera.scale - x / scale;
    camera.y += y / camera.scale - y / scale;
    camera.scale = scale;
    this.isFitted = false;
    this.clamp();
  }

  pan(dx, dy) {
    this.camera.x -= dx / this.camera.scale;
    this.camera.y -= dy / this.camera.scale;
    this.isFitted = false;
    this.clamp();
  }

  /** Some of the memory stays in sight. */
  clamp() {
    const { camera, size } = this;
    const width = this.canvas.clientWidth / camera.scale;
    const height = this.canvas.clientHeight / camera.scale;
    camera.x = Math.max(-width * 0.8, Math.min(size.width - width * 0.2, camera.x));
    camera.y = Math.max(-height * 0.8, Math.min(size.height - height * 0.2, camera.y));
    this.invalidate();
  }

  /** Shows a frame in the middle, large enough to be seen. */
  goTo(pfn, order = 0) {
    const place = decode(pfn);
    const block = blockSize(order);
    const scale = Math.max(this.camera.scale, Math.min(24, 160 / block.width));
    this.camera = {
      scale,
      x: place.x + block.width / 2 - this.canvas.clientWidth / 2 / scale,
      y: place.y + block.height / 2 - this.canvas.clientHeight / 2 / scale,
    };
    this.isFitted = false;
    this.invalidate();
  }

  /** The frame at a point of the canvas, or null beside the memory. */
  frameAt(x, y) {
    const column = Math.floor(this.camera.x + x / this.camera.scale);
    const row = Math.floor(this.camera.y + y / this.camera.scale);
    if (!this.size || column < 0 || row < 0 || column >= this.size.width || row >= this.size.height) return null;
    const pfn = encode(column, row);
    return pfn < this.tiles.endPFN ? pfn : null;
  }

  get level() {
    return Math.max(0, Math.ceil(-Math.log2(this.camera.scale * (this.ratio ?? 1)) - 0.01));
  }

  /** What the picture says of a frame, at the level that is shown; null where it is not here yet. */
  cellAt(pfn) {
    const pagesPerCell = 4 ** this.level;
    const cell = Math.floor(pfn / pagesPerCell);
    const tile = this.tiles.peek(this.level, Math.floor(cell / 65536));
    return tile ? { ...decodeCell(tile.codes[cell % 65536]), pages: pagesPerCell, pfn: cell * pagesPerCell } : null;
  }

  // Drawing

  invalidate() {
    if (this.isDirty || this.isGone) return;
    this.isDirty = true;
    requestAnimationFrame((now) => {
      this.isDirty = false;
      if (!this.isGone) this.draw(now);
    });
  }

  draw(now) {
    const { context, camera } = this;
    if (!this.size || !this.canvas.width) return;
    this.frames += 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const scale = camera.scale * this.ratio;
    context.setTransform(scale, 0, 0, scale, -camera.x * scale, -camera.y * scale);
    context.imageSmoothingEnabled = false;
    this.drawTiles();
    if (camera.scale >= 7) this.drawBlocks();
    this.drawZones();
    this.drawMarks(now);
  }

  /** Columns and rows that can be seen, in units of a side. */
  visible(side) {
    const { camera, canvas, size } = this;
    const right = Math.min(size.width, camera.x + canvas.clientWidth / camera.scale);
    const bottom = Math.min(size.height, camera.y + canvas.clientHeight / camera.scale);
    return {
      left: Math.max(0, Math.floor(camera.x / side)),
      top: Math.max(0, Math.floor(camera.y / side)),
      right: Math.ceil(right / side),
      bottom: Math.ceil(bottom / side),
    };
  }

  drawTiles() {
    const level = this.level;
    const side = tileSide * 2 ** level;
    const seen = this.visible(side);
    for (let y = seen.top; y < seen.bottom; y += 1) {
      for (let x = seen.left; x < seen.right; x += 1) {
        const index = encode(x, y);
        if (index * 65536 * 4 ** level >= this.tiles.endPFN) continue;
        const tile = this.tiles.tile(level, index);
        if (tile) this.context.drawImage(tile.canvas, x * side, y * side, side, side);
        else this.drawAncestor(level, x, y, side);
      }
    }
  }

  /** Until a tile comes, a part of a coarser one stands for it. */
  drawAncestor(level, x, y, side) {
    for (let up = 1; up < 6; up += 1) {
      const tile = this.tiles.peek(level + up, encode(Math.floor(x / 2 ** up), Math.floor(y / 2 ** up)));
      if (!tile) continue;
      const part = tileSide / 2 ** up;
      this.context.drawImage(tile.canvas, (x % 2 ** up) * part, (y % 2 ** up) * part, part, part, x * side, y * side, side, side);
      return;
    }
  }

  /** Outlines of blocks, and the order in those that are large enough. */
  drawBlocks() {
    const { context, camera } = this;
    const seen = this.visible(1);
    const lines = new Path2D();
    const labels = [];
    for (let y = seen.top; y < seen.bottom; y += 1) {
      for (let x = seen.left; x < seen.right; x += 1) {
        const pfn = encode(x, y);
        const tile = this.tiles.peek(0, Math.floor(pfn / 65536));
        if (!tile) continue;
        const cell = decodeCell(tile.codes[pfn % 65536]);
        if (cell.state === HOLE || cell.state === 1) continue;
        const start = pfn - (pfn % 2 ** cell.order);
        const isHead = start === pfn;
        // A block whose head is out of sight is drawn from its first visible cell.
        if (!isHead && x > seen.left && y > seen.top) continue;
        const place = decode(start);
        const block = blockSize(cell.order);
        lines.rect(place.x, place.y, block.width, block.height);
        if (isHead && block.height * camera.scale >= 18) labels.push({ place, block, cell });
      }
    }
    context.lineWidth = 1 / camera.scale;
    context.strokeStyle = this.ink ??= getComputedStyle(this.canvas).getPropertyValue("--map-line").trim();
    context.stroke(lines);
    this.drawLabels(labels);
  }

  drawLabels(labels) {
    const { context, camera } = this;
    context.save();
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.labelInk ??= getComputedStyle(this.canvas).getPropertyValue("--map-label").trim();
    for (const { place, block, cell } of labels) {
      if (cell.state !== FREE && cell.order === 0) continue;
      const height = block.height * camera.scale;
      context.fillStyle = cell.state === FREE ? this.labelInk : usedInk;
      context.font = `600 ${Math.max(11, Math.min(26, height * 0.3))}px system-ui, sans-serif`;
      context.fillText(
        String(cell.order),
        (place.x + block.width / 2 - camera.x) * camera.scale,
        (place.y + block.height / 2 - camera.y) * camera.scale,
      );
    }
    context.restore();
  }

  drawZones() {
    const { context, camera } = this;
    const styles = getComputedStyle(this.canvas);
    for (const { path, zone } of this.edges ?? []) {
      context.lineWidth = 2 / camera.scale;
      context.strokeStyle = styles.getPropertyValue(`--zone-${zone.name.toLowerCase()}`).trim();
      context.stroke(path);
    }
    context.save();
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.font = "600 12px system-ui, sans-serif";
    context.textBaseline = "top";
    for (const { zone, corner, side } of this.edges ?? []) {
      const room = side * camera.scale;
      const width = context.measureText(zone.name).width + 10;
      if (room < width + 4) continue;
      const x = (corner.x - camera.x) * camera.scale + 3;
      const y = (corner.y - camera.y) * camera.scale + 3;
      context.fillStyle = styles.getPropertyValue(`--zone-${zone.name.toLowerCase()}`).trim();
      context.beginPath();
      context.roundRect(x, y, width, 18, 4);
      context.fill();
      context.fillStyle = styles.getPropertyValue("--on-tone").trim();
      context.fillText(zone.name, x + 5, y + 3);
    }
    context.restore();
  }

  drawMarks(now) {
    const { context, camera } = this;
    const styles = getComputedStyle(this.canvas);
    const ring = (pfn, order, grow, alpha) => {
      const place = decode(pfn);
      const block = blockSize(order);
      const margin = grow / camera.scale;
      context.globalAlpha = alpha;
      context.lineWidth = 2.5 / camera.scale;
      context.strokeStyle = styles.getPropertyValue("--map-mark").trim();
      context.strokeRect(place.x - margin, place.y - margin, block.width + 2 * margin, block.height + 2 * margin);
      context.globalAlpha = 1;
    };
    if (this.selected) ring(this.selected.pfn, this.selected.order, 1.5, 1);
    const isStill = prefersLessMotion();
    this.flashes = this.flashes.filter(({ start }) => now - start < flashMilliseconds);
    for (const { pfn, order, start } of this.flashes) {
      const age = (now - start) / flashMilliseconds;
      ring(pfn, order, isStill ? 4 : 4 + 22 * (1 - age) ** 3, isStill ? 1 : Math.min(1, 2 * (1 - age)));
    }
    if (this.flashes.length > 0) this.invalidate();
  }

  /** The borders of zones as paths: edges between cells of a coarse grid whose zones differ. */
  zoneEdges() {
    const { width, height } = this.size;
    let side = 1;
    while (width / side > 128) side *= 2;
    const columns = Math.ceil(width / side);
    const rows = Math.ceil(height / side);
    const zoneAt = (x, y) => {
      if (x < 0 || y < 0 || x >= columns || y >= rows) return -1;
      const last = (encode(x, y) + 1) * side * side - 1;
      return this.zones.findIndex((zone) => last >= zone.start_pfn && last - side * side + 1 < zone.start_pfn + zone.spanned);
    };
    const grid = Array.from({ length: rows }, (_, y) => Array.from({ length: columns }, (_, x) => zoneAt(x, y)));
    const at = (x, y) => grid[y]?.[x] ?? -1;
    return this.zones.map((zone, index) => {
      const path = new Path2D();
      for (let y = 0; y < rows; y += 1) {
        for (let x = 0; x < columns; x += 1) {
          if (grid[y][x] !== index) continue;
          const [left, top] = [x * side, y * side];
          if (at(x - 1, y) !== index) (path.moveTo(left, top), path.lineTo(left, top + side));
          if (at(x + 1, y) !== index) (path.moveTo(left + side, top), path.lineTo(left + side, top + side));
          if (at(x, y - 1) !== index) (path.moveTo(left, top), path.lineTo(left + side, top));
          if (at(x, y + 1) !== index) (path.moveTo(left, top + side), path.lineTo(left + side, top + side));
        }
      }
      const first = zone.start_pfn <= 1 ? 0 : zone.start_pfn;
      let room = 1;
      while (first % (room * room * 4) === 0 && room * room * 4 <= zone.spanned + 1) room *= 2;
      return { path, zone, corner: decode(first), side: room };
    });
  }

  themeChanged() {
    this.ink = this.labelInk = undefined;
    this.setMode(this.tiles.mode);
  }

  pick(pfn) {
    if (pfn !== null) this.picked(pfn);
  }
}
