// Draws what the worker sent: the image, and the reconstruction errors over the square that the gate saw.
const SMALLEST_SIDE = 512; // small images are enlarged, so that the frame and the map stay fine

function drawPicture(canvas, { preview, bytes, overlay, squares, document }, showOverlay) {
  const enlarged = Math.max(1, SMALLEST_SIDE / Math.max(preview.width, preview.height));
  canvas.width = Math.round(preview.width * enlarged);
  canvas.height = Math.round(preview.height * enlarged);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(preview, 0, 0, canvas.width, canvas.height);
  if (!showOverlay || !bytes) return;
  const map = new OffscreenCanvas(overlay, overlay);
  map.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(bytes), overlay, overlay), 0, 0);
  const scale = canvas.width / document.image.width;
  const [left, top, side] = squares.gate.map((length) => length * scale);
  context.drawImage(map, left, top, side, side);
  context.strokeStyle = "#d52b1e";
  context.lineWidth = canvas.width / 300;
  context.setLineDash([context.lineWidth * 4, context.lineWidth * 3]);
  context.strokeRect(left, top, side, side);
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
