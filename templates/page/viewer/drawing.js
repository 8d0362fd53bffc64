// Draws what the worker sent: the image, the reconstruction errors over the square that the gate saw, and the
// reconstruction in the place of that square.
const SMALLEST_SIDE = 512; // small images are enlarged, so that the frame and the map stay fine
const FRAME = "#d52b1e";
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

// Draws RGBA pixels where a network's square lies in an image of that size; returns that place.
/**
 * @param {CanvasRenderingContext2D} context @param {OffscreenCanvas} cells
 * @param {MapPlace["square"]} square @param {MapPlace["size"]} size
 */
function drawInSquare(context, cells, square, size) {
  const longer = Math.max(context.canvas.width, context.canvas.height); // the same, however the image was turned
  const [left, top, side] = square.map((length) => (length * longer) / Math.max(...size));
  context.drawImage(cells, left, top, side, side);
  return { left, top, side };
}

// The pictures of the gate, of which the reconstruction follows the errors.
/** @param {CanvasRenderingContext2D} context @param {GatedAnalysis} result @param {0 | 1} number */
function drawGatePicture(context, { bytes, overlay, squares, document: { image } }, number) {
  const length = 4 * overlay ** 2;
  const cells = rgbaCanvas(bytes.subarray(number * length, (number + 1) * length), overlay, overlay);
  return drawInSquare(context, cells, squares.gate, [image.width ?? 0, image.height ?? 0]);
}

/** @param {HTMLCanvasElement} canvas @param {DrawnAnalysis} result @param {boolean} showErrors */
function drawPicture(canvas, result, showErrors) {
  const { preview, wording } = result;
  const context = contextFor(canvas, preview);
  context.drawImage(preview, 0, 0, canvas.width, canvas.height);
  if (showErrors && isGated(result)) {
    const { left, top, side } = drawGatePicture(context, result, 0);
    context.strokeStyle = FRAME;
    context.lineWidth = canvas.width / 300;
    context.setLineDash([context.lineWidth * 4, context.lineWidth * 3]);
    context.strokeRect(left, top, side, side);
  }
  if (wording.badge) drawBadge(context, wording.badge.long);
}

/** @param {HTMLCanvasElement} canvas @param {GatedAnalysis} result */
function drawReconstruction(canvas, result) {
  const { preview, wording } = result;
  const context = contextFor(canvas, preview);
  context.fillRect(0, 0, canvas.width, canvas.height);
  drawGatePicture(context, result, 1);
  if (wording.badge) drawBadge(context, wording.badge.long);
}

// On the picture itself, so that it stays on copies of it.
/** @param {CanvasRenderingContext2D} context @param {string} text */
function drawBadge(context, text) {
  const { width, height } = context.canvas;
  const strip = Math.round(Math.max(width, height) / 14);
  context.fillStyle = BADGE;
  context.fillRect(0, 0, width, strip);
  context.fillStyle = "#fff";
  context.font = `600 ${Math.round(strip * 0.6)}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, width / 2, strip / 2, width * 0.96);
}

// Whether the gate made pictures of an image.
/** @param {DrawnAnalysis | GatedAnalysis} result @returns {result is GatedAnalysis} */
function isGated(result) {
  return result.bytes !== null;
}
