// Marks regions on the viewer's picture: a rectangle that is dragged, cells that are brushed, and by keys a grid of cells to walk and to
// toggle. What lies beside the part that the model saw cannot be marked.
/** @type {Region[]} */
const NOTHING_MARKED = [];
const REGION_COLOURS = ["#ffd54a", "#000"];
const REGION_TINT = "rgb(255 213 74 / 0.28)";
const GRID_TINT = "rgb(255 255 255 / 0.28)";
const FINER = 8; // a brush samples its way so many times a cell
/** @type {Record<string, [right: number, down: number]>} */
const CELL_STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Set<DragTool>} */
const MARKING = new Set(["rectangle", "brush", "erase"]);

class RegionEditor {
  /** @param {Viewer} viewer @param {PictureLayer["square"]} square @param {(isSettled: boolean) => void} onChange @param {(cell: Cell, isMarked: boolean) => void} onWalk */
  constructor(viewer, square, onChange, onWalk) {
    this.viewer = viewer;
    this.square = square;
    this.onChange = onChange;
    this.onWalk = onWalk;
    this.regions = NOTHING_MARKED;
    /** @type {Region[][]} what was marked before each change */
    this.history = [];
    this.cells = 16; // on a side of what was seen
    /** @type {Cell} */
    this.cursor = { column: 8, row: 8 };
    this.isWalking = false; // keys were used last
    /** @type {{ from: { x: number, y: number }, last: { x: number, y: number }, before: Region[] } | null} */
    this.stroke = null;
  }

  get isMarking() {
    return MARKING.has(this.viewer.tool);
  }

  // Cells of another size; the cursor stays where it is.
  /** @param {number} cells */
  useGrid(cells) {
    const [x, y, width, height] = this.cell();
    this.cells = cells;
    this.cursor = cellAt(this.square, cells, { x: x + width / 2, y: y + height / 2 });
    this.viewer.show();
  }

  cell(cursor = this.cursor) {
    return cellRegion(this.square, this.cells, cursor);
  }

  /** @param {{ x: number, y: number }} point in the picture, or beside it */
  begin(point) {
    this.isWalking = false;
    this.stroke = { from: point, last: point, before: this.regions };
    if (this.viewer.tool !== "rectangle") this.extend(point);
  }

  /** @param {{ x: number, y: number }} point */
  extend(point) {
    const { stroke } = this;
    if (!stroke) return;
    if (this.viewer.tool === "rectangle") {
      const region = regionBetween(stroke.from, point, this.square);
      this.regions = region ? regionsWith(stroke.before, region) : stroke.before;
    } else this.sweep(stroke.last, point);
    stroke.last = point;
    this.viewer.show();
  }

  // Every cell on the way from one point to another.
  /** @param {{ x: number, y: number }} from @param {{ x: number, y: number }} to */
  sweep(from, to) {
    const [left, top, width, height] = this.square;
    const steps = Math.ceil((FINER * Math.hypot(to.x - from.x, to.y - from.y) * this.cells) / Math.min(width, height)) || 1;
    for (let step = 0; step <= steps; step += 1) {
      const point = { x: from.x + ((to.x - from.x) * step) / steps, y: from.y + ((to.y - from.y) * step) / steps };
      if (point.x < left || point.y < top || point.x >= left + width || point.y >= top + height) continue;
      const cell = this.cell(cellAt(this.square, this.cells, point));
      if (this.viewer.tool === "erase") this.regions = regionsWithout(this.regions, cell);
      else if (!isCovered(this.regions, cell)) this.regions = regionsWith(this.regions, cell);
    }
  }

  // A tap toggles the cell below it.
  end() {
    const { stroke } = this;
    this.stroke = null;
    if (!stroke) return;
    const isTap = this.viewer.tool === "rectangle" && this.regions === stroke.before;
    if (isTap) return this.tap(stroke.from);
    this.change(mergedRegions(this.regions), stroke.before, true);
  }

  /** @param {{ x: number, y: number }} point */
  tap(point) {
    const [left, top, width, height] = this.square;
    if (point.x < left || point.y < top || point.x >= left + width || point.y >= top + height) return;
    this.toggle(cellAt(this.square, this.cells, point), true);
  }

  // A second finger came: this was no stroke.
  cancel() {
    if (!this.stroke) return;
    this.regions = this.stroke.before;
    this.stroke = null;
    this.viewer.show();
  }

  /** @param {Cell} cursor @param {boolean} isSettled */
  toggle(cursor, isSettled) {
    const cell = this.cell(cursor);
    const regions = isCovered(this.regions, cell) ? regionsWithout(this.regions, cell) : regionsWith(this.regions, cell);
    this.change(mergedRegions(regions), this.regions, isSettled);
  }

  /** @param {Region[]} regions @param {Region[]} before @param {boolean} isSettled nothing more is to be expected at once */
  change(regions, before, isSettled) {
    if (JSON.stringify(regions) === JSON.stringify(before)) return this.viewer.show();
    this.history.push(before);
    this.regions = regions;
    this.viewer.show();
    this.onChange(isSettled);
  }

  undo() {
    const before = this.history.pop();
    if (!before) return;
    this.regions = before;
    this.viewer.show();
    this.onChange(true);
  }

  clear() {
    this.change(NOTHING_MARKED, this.regions, true);
  }

  // Another region, with nothing to undo.
  /** @param {Region[]} regions */
  load(regions) {
    this.regions = regions;
    this.history = [];
    this.viewer.show();
  }

  // Whether a key was one of these.
  /** @param {KeyboardEvent} event @param {Stage} stage */
  key({ key, shiftKey }, stage) {
    if (!this.isMarking) return false;
    const step = CELL_STEPS[key];
    if (step) this.walk(step, shiftKey, stage);
    else if (key === " " || key === "Enter") this.toggleHere();
    else if (key === "Backspace") this.undo();
    else if (key === "Delete") this.clear();
    else return false;
    return true;
  }

  toggleHere() {
    this.isWalking = true;
    this.toggle(this.cursor, false);
    this.tell();
  }

  // With Shift, what is walked over is marked.
  /** @param {[right: number, down: number]} step @param {boolean} isMarking @param {Stage} stage */
  walk([right, down], isMarking, stage) {
    const inside = (/** @type {number} */ number) => Math.min(Math.max(number, 0), this.cells - 1);
    this.isWalking = true;
    const { column, row } = this.cursor;
    if (isMarking && !isCovered(this.regions, this.cell())) this.toggle(this.cursor, false);
    this.cursor = { column: inside(column + right), row: inside(row + down) };
    if (isMarking && !isCovered(this.regions, this.cell())) this.toggle(this.cursor, false);
    this.bringIntoSight(stage);
    this.viewer.show();
    this.tell();
  }

  tell() {
    this.onWalk(this.cursor, isCovered(this.regions, this.cell()));
  }

  /** @param {Stage} stage */
  bringIntoSight({ place, canvas }) {
    const { viewer } = this;
    const [x, y, width, height] = this.cell();
    const isOut = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ room) => from < 0 || to > room;
    const { left, top, across, down } = place;
    if (!isOut(left + x * across, left + (x + width) * across, canvas.width) && !isOut(top + y * down, top + (y + height) * down, canvas.height)) return;
    viewer.look({ zoom: viewer.lens.zoom, x: (x + width / 2) / viewer.size.width, y: (y + height / 2) / viewer.size.height });
  }

  /** @param {CanvasRenderingContext2D} context @param {PicturePlace} place @param {boolean} isFocused */
  paint(context, place, isFocused) {
    if (this.isWalking && isFocused && this.isMarking) this.paintGrid(context, place);
    const path = pathOf(this.regions, place);
    context.fillStyle = REGION_TINT;
    context.fill(path);
    paintOutline(context, path);
    if (!this.isWalking || !isFocused || !this.isMarking) return;
    const cursor = new Path2D();
    cursor.rect(...onCanvas(this.cell(), place));
    strokeTwice(context, cursor, ["#fff", "#000"]);
  }

  /** @param {CanvasRenderingContext2D} context @param {PicturePlace} place */
  paintGrid(context, place) {
    const [x, y, width, height] = onCanvas(this.square, place);
    context.fillStyle = GRID_TINT;
    for (let line = 0; line <= this.cells; line += 1) {
      context.fillRect(Math.round(x + (width * line) / this.cells), y, 1, height);
      context.fillRect(x, Math.round(y + (height * line) / this.cells), width, 1);
    }
  }
}

/** @param {Region[]} regions @param {PicturePlace} place */
function pathOf(regions, place) {
  const path = new Path2D();
  for (const region of regions) path.rect(...onCanvas(region, place));
  return path;
}

// Regions that were tried, by their numbers.
/** @param {CanvasRenderingContext2D} context @param {PicturePlace} place @param {Region[]} regions @param {number} number @param {number} unit canvas pixels */
function paintTried(context, place, regions, number, unit) {
  paintOutline(context, pathOf(regions, place), unit);
  context.setLineDash([]);
  const [x, y] = onCanvas(regions[0], place);
  const size = Math.round(13 * unit);
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.lineWidth = Math.max(3, size / 4);
  context.strokeStyle = "#000";
  context.strokeText(String(number), x + size / 3, y + size / 4);
  context.fillStyle = REGION_COLOURS[0];
  context.fillText(String(number), x + size / 3, y + size / 4);
}

/** @param {Region} region @param {PicturePlace} place @returns {Region} */
function onCanvas([x, y, width, height], { left, top, across, down }) {
  const [from, upper] = [Math.round(left + x * across), Math.round(top + y * down)];
  return [from, upper, Math.round(left + (x + width) * across) - from, Math.round(top + (y + height) * down) - upper];
}

// Around all rectangles together: lines within them are cut away.
/** @param {CanvasRenderingContext2D} context @param {Path2D} path of rectangles that do not overlap @param {number} [unit] canvas pixels */
function paintOutline(context, path, unit) {
  const beside = new Path2D(path);
  beside.rect(-1e6, -1e6, 2e6, 2e6);
  context.save();
  context.clip(beside, "evenodd");
  strokeTwice(context, path, REGION_COLOURS, unit);
  context.restore();
}

// A light line and a dark one around it: one of them is seen on any ground.
/** @param {CanvasRenderingContext2D} context @param {Path2D} path @param {string[]} colours @param {number} unit canvas pixels */
function strokeTwice(context, path, [inner, outer], unit = devicePixelRatio) {
  const line = Math.max(2, Math.round(2 * unit));
  for (const [colour, width] of /** @type {const} */ ([[outer, 2 * line], [inner, line]])) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke(path);
  }
}
