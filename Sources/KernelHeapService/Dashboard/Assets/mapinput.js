// What hands do on the map: pointer, wheel, pinch, keys.

export class MapInput {
  /** - map: what they move, a MapCanvas. */
  constructor(map) {
    this.map = map;
    this.pointers = new Map();
    this.listen();
  }

  listen() {
    const { canvas } = this.map;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.map.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0018)), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      this.travelled = this.pointers.size > 1 ? Infinity : 0;
    });
    canvas.addEventListener("pointermove", (event) => this.pointerMoved(event));
    const end = (event) => {
      if (!this.pointers.delete(event.pointerId) || event.type === "pointercancel") return;
      if (this.travelled < 5) this.map.pick(this.map.frameAt(event.offsetX, event.offsetY));
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerleave", () => this.map.hovered(null));
    canvas.addEventListener("keydown", (event) => this.keyPressed(event));
  }

  pointerMoved(event) {
    const here = { x: event.offsetX, y: event.offsetY };
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.map.hovered(this.map.frameAt(here.x, here.y), event.clientX, event.clientY);
      return;
    }
    this.map.hovered(null);
    if (this.pointers.size === 1) {
      this.travelled += Math.hypot(here.x - before.x, here.y - before.y);
      if (this.travelled >= 5) this.map.pan(here.x - before.x, here.y - before.y);
    } else {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const was = Math.hypot(before.x - other.x, before.y - other.y);
      const is = Math.hypot(here.x - other.x, here.y - other.y);
      if (was > 0 && is > 0) this.map.zoom(is / was, (here.x + other.x) / 2, (here.y + other.y) / 2);
      this.map.pan((here.x - before.x) / 2, (here.y - before.y) / 2);
    }
    this.pointers.set(event.pointerId, here);
  }

  keyPressed(event) {
    const step = event.shiftKey ? 200 : 48;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[event.key]) this.map.pan(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.map.zoom(1.4);
    else if (event.key === "-") this.map.zoom(1 / 1.4);
    else if (event.key === "0" || event.key === "Home") this.map.fit();
    else if (event.key === "Enter") this.map.pick(this.map.frameAt(this.map.canvas.clientWidth / 2, this.map.canvas.clientHeight / 2));
    else return;
    event.preventDefault();
  }
}
