// Pointer, wheel and keys on a stage: one pointer moves the picture or its window, two zoom, the wheel zooms where the pointer is.
const ZOOM_STEP = 1.25;
const PAN_STEP = 0.15; // of what is in sight
const GREY_STEP = 12; // of 256 greys, for a key or a button

class Gestures {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    this.viewer = stage.viewer;
    /** @type {Map<number, { x: number, y: number }>} pointers that are down, on the canvas */
    this.pointers = new Map();
    const { node } = stage;
    node.addEventListener("pointerdown", (event) => this.press(event));
    node.addEventListener("pointermove", (event) => this.move(event));
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"])) node.addEventListener(kind, (event) => this.lift(event));
    node.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    node.addEventListener("dblclick", (event) => this.editor || this.viewer.zoomTo(this.viewer.lens.zoom > 1 ? 1 : this.viewer.actualZoom(stage), stage, stage.pointOf(event)));
    node.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button !== 0) return;
    this.stage.node.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.stage.pointOf(event));
    if (this.pointers.size > 1) this.editor?.cancel(); // two fingers zoom
    else if (!event.shiftKey) this.editor?.begin(this.stage.pointIn(event));
  }

  // Who marks regions, while dragging does that.
  get editor() {
    const { viewer, stage } = this;
    const editor = stage === viewer.stage ? viewer.whatIf?.editor : null;
    return editor?.isMarking ? editor : null;
  }

  /** @param {PointerEvent} event */
  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.stage.pointOf(event);
    this.pointers.set(event.pointerId, now);
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    if (other) return this.pinch(before, now, other);
    if (this.editor?.stroke) return this.editor.extend(this.stage.pointIn(event));
    const isMoving = this.editor !== null || (this.viewer.tool === "move") !== event.shiftKey;
    const [right, down] = [now.x - before.x, now.y - before.y];
    if (isMoving) this.viewer.moveBy(right, down, this.stage);
    else this.viewer.changeWindow(right / devicePixelRatio, down / devicePixelRatio);
  }

  /** @param {{ x: number, y: number }} before @param {{ x: number, y: number }} now @param {{ x: number, y: number }} other */
  pinch(before, now, other) {
    const apart = (/** @type {{ x: number, y: number }} */ point) => Math.max(1, Math.hypot(point.x - other.x, point.y - other.y));
    const { viewer, stage } = this;
    viewer.moveBy((now.x - before.x) / 2, (now.y - before.y) / 2, stage);
    viewer.zoomBy(apart(now) / apart(before), stage, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  }

  /** @param {PointerEvent} event */
  lift(event) {
    this.pointers.delete(event.pointerId);
    if (event.type === "pointercancel") this.editor?.cancel();
    else this.editor?.end();
  }

  // Where nothing is left to zoom out of, the wheel scrolls the pane.
  /** @param {WheelEvent} event */
  wheel(event) {
    const { viewer, stage } = this;
    if (event.deltaY > 0 && viewer.lens.zoom <= 1 && !event.ctrlKey) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / 100 : event.deltaY / 3;
    const steps = Math.max(-2, Math.min(2, event.ctrlKey ? 3 * lines : lines));
    viewer.zoomBy(ZOOM_STEP ** -steps, stage, stage.pointOf(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.target !== this.stage.node || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.editor?.key(event, this.stage)) return event.preventDefault();
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || (event.key.startsWith("Arrow") && this.viewer.lens.zoom <= 1)) return; // then they scroll
    event.preventDefault();
    act(this.viewer, this.stage);
  }
}

/** @type {Record<string, (viewer: Viewer, stage: Stage) => void>} */
const KEYS = {
  "+": (viewer, stage) => viewer.zoomBy(ZOOM_STEP, stage),
  "=": (viewer, stage) => viewer.zoomBy(ZOOM_STEP, stage),
  "-": (viewer, stage) => viewer.zoomBy(1 / ZOOM_STEP, stage),
  "0": (viewer) => viewer.look(WHOLE),
  "1": (viewer, stage) => viewer.zoomTo(viewer.actualZoom(stage), stage),
  ArrowLeft: (viewer, stage) => viewer.step(-1, 0, stage),
  ArrowRight: (viewer, stage) => viewer.step(1, 0, stage),
  ArrowUp: (viewer, stage) => viewer.step(0, -1, stage),
  ArrowDown: (viewer, stage) => viewer.step(0, 1, stage),
  "[": (viewer) => viewer.changeWindow(-GREY_STEP, 0),
  "]": (viewer) => viewer.changeWindow(GREY_STEP, 0),
  ",": (viewer) => viewer.changeWindow(0, GREY_STEP),
  ".": (viewer) => viewer.changeWindow(0, -GREY_STEP),
  d: (viewer) => viewer.useTool(viewer.tool === "move" ? "window" : "move"),
  i: (viewer) => viewer.invert(),
  s: (viewer) => viewer.showUnseen(!viewer.showsUnseen),
  r: (viewer) => viewer.reset(),
  f: (viewer) => viewer.fill(),
};
