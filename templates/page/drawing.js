// Draws what the worker sent: the image, the reconstruction errors over the square that the gate saw, and the
// reconstruction in the place of that square.
const SMALLEST_SIDE = 512; // small images are enlarged, so that the frame and the map stay fine
const FRAME = "#d52b1e";
const BADGE = "#a3220f"; // dark enough for white letters

// A context for a picture of the image's shape, as large as its preview or larger.
function contextFor(canvas, { preview }) {
  const enlarged = Math.max(1, SMALLEST_SIDE / Math.max(preview.width, preview.height));
  canvas.width = Math.round(preview.width * enlarged);
  canvas.height = Math.round(preview.height * enlarged);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  return context;
}

// Draws RGBA pixels where the gate's square lies; returns that place.
function drawInSquare(context, { preview, overlay, squares, document }, pixels) {
  const cells = new OffscreenCanvas(overlay, overlay);
  cells.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), overlay, overlay), 0, 0);
  const longer = Math.max(document.image.width, document.image.height); // the same, however the image was turned
  const scale = Math.max(context.canvas.width, context.canvas.height) / longer;
  const [left, top, side] = squares.gate.map((length) => length * scale);
  context.drawImage(cells, left, top, side, side);
  return [left, top, side, side];
}

function drawPicture(canvas, result, showErrors) {
  const { preview, bytes, overlay, wording } = result;
  const context = contextFor(canvas, result);
  context.drawImage(preview, 0, 0, canvas.width, canvas.height);
  if (showErrors && bytes) {
    const place = drawInSquare(context, result, bytes.subarray(0, 4 * overlay ** 2));
    context.strokeStyle = FRAME;
    context.lineWidth = canvas.width / 300;
    context.setLineDash([context.lineWidth * 4, context.lineWidth * 3]);
    context.strokeRect(...place);
  }
  if (wording.badge) drawBadge(context, wording.badge.long);
}

function drawReconstruction(canvas, result) {
  const { bytes, overlay, wording } = result;
  const context = contextFor(canvas, result);
  context.fillRect(0, 0, canvas.width, canvas.height);
  drawInSquare(context, result, bytes.subarray(4 * overlay ** 2));
  if (wording.badge) drawBadge(context, wording.badge.long);
}

// On the picture itself, so that it stays on copies of it.
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

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
