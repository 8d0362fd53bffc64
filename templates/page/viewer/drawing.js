// What pictures on the page and those that are saved are drawn with.
const SMALLEST_SIDE = 512; // small images are enlarged, so that the frame and the map stay fine
const BADGE = "#a3220f"; // dark enough for white letters

/** @param {HTMLCanvasElement} canvas */
function penOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

// A context for a picture of the image's shape, as large as its preview or larger.
/** @param {HTMLCanvasElement} canvas @param {Picture} preview */
function contextFor(canvas, preview) {
  const enlarged = Math.max(1, SMALLEST_SIDE / Math.max(preview.width, preview.height));
  canvas.width = Math.round(preview.width * enlarged);
  canvas.height = Math.round(preview.height * enlarged);
  const context = penOf(canvas);
  context.imageSmoothingQuality = "high";
  return context;
}

/** @param {Uint8Array<ArrayBuffer>} pixels RGBA @param {number} width @param {number} height */
function rgbaCanvas(pixels, width, height) {
  const cells = new OffscreenCanvas(width, height);
  cells.getContext("2d")?.putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0);
  return cells;
}

// Draws RGBA pixels where a network's input lies in an image of that size; what lies beyond the image is cut off.
/**
 * @param {CanvasRenderingContext2D} context @param {OffscreenCanvas} cells
 * @param {MapPlace["square"]} square @param {MapPlace["size"]} size
 */
function drawInSquare(context, cells, square, size) {
  const longer = Math.max(context.canvas.width, context.canvas.height); // the same, however the image was turned
  const [left, top, width, height] = square.map((length) => (length * longer) / Math.max(...size));
  context.drawImage(cells, left, top, width, height);
}

// On the picture itself, so that it stays on copies of it.
/**
 * @param {CanvasRenderingContext2D} context @param {string} text
 * @param {{ left: number, top: number, width: number, height: number }} place of the picture; all of the canvas by default
 */
function drawBadge(context, text, place = { left: 0, top: 0, width: context.canvas.width, height: context.canvas.height }) {
  const { left, top, width, height } = place;
  const strip = Math.round(Math.max(width, height) / 14);
  context.fillStyle = BADGE;
  context.fillRect(left, top, width, strip);
  context.fillStyle = "#fff";
  context.font = `600 ${Math.round(strip * 0.6)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, left + width / 2, top + strip / 2, width * 0.96);
}

// Whether the gate made pictures of an image.
/** @param {DrawnAnalysis | GatedAnalysis} result @returns {result is GatedAnalysis} */
function isGated(result) {
  return result.bytes !== null;
}
