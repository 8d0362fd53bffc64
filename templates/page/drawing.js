// Draws what the worker sent: the image, and the reconstruction errors over the square that the gate saw.
function drawPicture(canvas, { preview, pixels, overlay, squares, document }, showOverlay) {
  canvas.width = preview.width;
  canvas.height = preview.height;
  const context = canvas.getContext("2d");
  context.drawImage(preview, 0, 0);
  if (!showOverlay || !pixels) return;
  const map = new OffscreenCanvas(overlay, overlay);
  map.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), overlay, overlay), 0, 0);
  const scale = preview.width / document.image.width;
  const [left, top, side] = squares.gate.map((length) => length * scale);
  context.drawImage(map, left, top, side, side);
  context.strokeStyle = "#d52b1e";
  context.lineWidth = Math.max(1, preview.width / 300);
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
