// A canvas that shows a picture through the viewer's lens, as sharp as the screen is: the picture in its window, a layer over it, and
// what the model did not see dimmed, with the seen square outlined.
const FRAME_COLOURS = ["#ffd54a", "#000"]; // from the square outwards: one of them is seen on any ground
const DIMMED = "rgb(0 0 0 / 0.6)";
const SHARP_FROM = 4; // canvas pixels for one of the picture: larger, and each pixel is a square of its own

class Stage {
  /** @param {Viewer} viewer @param {string} name */
  constructor(viewer, name) {
    this.viewer = viewer;
    /** @type {PictureLayer | null} */
    this.layer = null;
    this.canvas = element("canvas", { role: "img" });
    this.node = element("div", { className: "stage", tabIndex: 0, role: "application", "aria-roledescription": "picture viewer", "aria-label": name, "aria-describedby": viewer.keysId }, this.canvas);
    this.isAwaited = false;
    this.observer = new ResizeObserver(([entry]) => this.resize(entry));
    try {
      this.observer.observe(this.canvas, { box: "device-pixel-content-box" });
    } catch {
      this.observer.observe(this.canvas); // WebKit
    }
    viewer.stages.add(this);
    this.gestures = new Gestures(this);
  }

  /** @param {ResizeObserverEntry} entry */
  resize({ devicePixelContentBoxSize: exact, contentRect }) {
    const near = (/** @type {number} */ length, /** @type {number | undefined} */ told) => {
      const reckoned = Math.round(length * devicePixelRatio);
      return told && Math.abs(told - reckoned) <= 1 ? told : reckoned;
    };
    const width = near(contentRect.width, exact?.[0]?.inlineSize);
    const height = near(contentRect.height, exact?.[0]?.blockSize);
    if (!width || !height) return; // not in sight
    this.canvas.width = width;
    this.canvas.height = height;
    this.paint();
    this.viewer.stageChanged(this);
  }

  get isInSight() {
    return this.canvas.clientWidth > 0;
  }

  get lens() {
    return keptInside(this.viewer.lens, this.viewer.size, this.canvas);
  }

  get place() {
    return placeOf(this.lens, this.viewer.size, this.canvas);
  }

  // Many changes before the next frame are drawn once.
  repaint() {
    if (this.isAwaited) return;
    this.isAwaited = true;
    requestAnimationFrame(() => {
      this.isAwaited = false;
      this.paint();
    });
  }

  paint() {
    const { canvas, viewer, layer, place } = this;
    const { source } = viewer;
    if (!source.width || canvas.width < 2) return; // the picture was given back
    const context = penOf(canvas);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = place.width < SHARP_FROM * source.width;
    context.drawImage(source, place.left, place.top, place.width, place.height);
    if (!isPlain(viewer.tone)) this.drawTone(context, place);
    context.imageSmoothingEnabled = true;
    if (layer) drawLayer(context, layer, place);
    if (viewer.square && viewer.showsUnseen) drawUnseen(context, viewer.square, place);
    if (this === viewer.stage) viewer.whatIf?.paint(context, place, document.activeElement === this.node);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.globalCompositeOperation = "source-over";
    const { badge } = viewer.result.wording;
    if (badge) drawBadge(context, badge.long, inSight(place, canvas));
    canvas.dataset.place = [place.left, place.top, place.width, place.height].join(" ");
    canvas.dataset.source = `${source.width} ${source.height}`;
  }

  /** @param {CanvasRenderingContext2D} context @param {PicturePlace} place */
  drawTone(context, { left, top, width, height }) {
    applyTone(context, this.viewer.tone);
    context.globalCompositeOperation = "destination-in";
    context.fillRect(left, top, width, height);
    context.globalCompositeOperation = "source-over";
  }

  // The pixel of the canvas below a pointer.
  /** @param {{ clientX: number, clientY: number }} pointer */
  pointOf({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return { x: ((clientX - left) * this.canvas.width) / width, y: ((clientY - top) * this.canvas.height) / height };
  }

  // The point below a pointer, in pixels of the picture as it was analysed, or of what lies beside it.
  /** @param {{ clientX: number, clientY: number }} pointer */
  pointIn(pointer) {
    const { left, top, across, down } = this.place;
    const { x, y } = this.pointOf(pointer);
    return { x: (x - left) / across, y: (y - top) / down };
  }

  // The same; null beside the picture.
  /** @param {{ clientX: number, clientY: number }} pointer */
  pictured(pointer) {
    const point = this.pointIn(pointer);
    const { width, height } = this.viewer.size;
    return point.x < 0 || point.y < 0 || point.x >= width || point.y >= height ? null : point;
  }

  close() {
    this.observer.disconnect();
    this.viewer.stages.delete(this);
    this.canvas.width = this.canvas.height = 0; // gives its memory back at once
    this.node.remove();
  }
}

// The part of a picture that its canvas shows.
/** @param {PicturePlace} place @param {HTMLCanvasElement} canvas */
function inSight(place, canvas) {
  const [left, top] = [Math.max(place.left, 0), Math.max(place.top, 0)];
  return { left, top, width: Math.min(place.left + place.width, canvas.width) - left, height: Math.min(place.top + place.height, canvas.height) - top };
}

/** @param {CanvasRenderingContext2D} context @param {PictureLayer} layer @param {PicturePlace} place */
function drawLayer(context, { cells, square: [left, top, width, height], opacity }, place) {
  context.save();
  context.beginPath();
  context.rect(place.left, place.top, place.width, place.height); // of a padded image, what lies on it
  context.clip();
  context.globalAlpha = opacity;
  context.drawImage(cells, place.left + left * place.across, place.top + top * place.down, width * place.across, height * place.down);
  context.restore();
}

// Everything beside what was seen dark, and a frame that lies wholly outside of it.
/** @param {CanvasRenderingContext2D} context @param {PictureLayer["square"]} square @param {PicturePlace} place */
function drawUnseen(context, [squareLeft, squareTop, width, height], place) {
  const left = place.left + Math.round(squareLeft * place.across);
  const top = place.top + Math.round(squareTop * place.down);
  const right = place.left + Math.round((squareLeft + width) * place.across);
  const bottom = place.top + Math.round((squareTop + height) * place.down);
  const around = (/** @type {number} */ inner, /** @type {number} */ outer, /** @type {string} */ colour) => {
    context.fillStyle = colour;
    context.beginPath();
    context.rect(left - outer, top - outer, right - left + 2 * outer, bottom - top + 2 * outer);
    context.rect(left - inner, top - inner, right - left + 2 * inner, bottom - top + 2 * inner);
    context.fill("evenodd");
  };
  context.fillStyle = DIMMED;
  context.beginPath();
  context.rect(place.left, place.top, place.width, place.height);
  context.rect(left, top, right - left, bottom - top);
  context.fill("evenodd");
  const line = Math.max(1, Math.round(1.5 * devicePixelRatio));
  around(0, line, FRAME_COLOURS[0]);
  around(line, 2 * line, FRAME_COLOURS[1]);
}
