// Draws a map over its image, its legend, and both as one picture to save. The colours are Python's.
const FULL_SIDE = 4096; // the largest side of a picture to save: what the canvases of phones hold, too
const LEGEND_GROUND = "#101418"; // as dark as radiographs are where nothing is, so that transparent looks so

// The image, the preview or the whole, with its map where the network's square lies; without `place` there is no map yet.
/**
 * @param {HTMLCanvasElement} canvas @param {Picture} image
 * @param {MapPlace | null} place @param {DrawnMap | null} drawn
 */
function drawMap(canvas, image, place, drawn) {
  const context = contextFor(canvas, image);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  if (place && drawn) drawInSquare(context, rgbaCanvas(drawn.pixels, drawn.width, drawn.height), place.square, place.size);
  if (place?.badge) drawBadge(context, place.badge.long);
}

/**
 * @param {CanvasRenderingContext2D} context @param {DrawnMap} drawn
 * @param {number} left @param {number} top @param {number} width @param {number} height
 */
function drawLegend(context, drawn, left, top, width, height) {
  context.fillStyle = LEGEND_GROUND;
  context.fillRect(left, top, width, height);
  context.drawImage(rgbaCanvas(drawn.legend, drawn.legend.length / 4, 1), left, top, width, height);
}

/** @param {HTMLCanvasElement} canvas @param {DrawnMap} drawn */
function legendFigure(canvas, drawn) {
  canvas.width = drawn.legend.length / 4;
  canvas.height = 12;
  drawLegend(penOf(canvas), drawn, 0, 0, canvas.width, canvas.height);
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} width */
function wrapped(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (context.measureText(longer).width <= width || !lines.at(-1)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// Image and map, and below them what a reader of the file must know: its lines, and the legend.
/** @param {Picture} image @param {MapPlace} place @param {DrawnMap} drawn @param {MapWords["saved"]} words */
function savedPicture(image, place, drawn, { lines, legend }) {
  const picture = document.createElement("canvas");
  drawMap(picture, image, place, drawn);
  const { width, height } = picture;
  const unit = Math.max(14, Math.round(width / 45));
  const whole = document.createElement("canvas");
  const context = penOf(whole);
  const font = `${unit}px system-ui, sans-serif`;
  context.font = font;
  const text = lines.flatMap((line) => wrapped(context, line, width - 2 * unit));
  whole.width = width;
  whole.height = height + Math.round(unit * (1.45 * text.length + 5));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, whole.width, whole.height);
  context.drawImage(picture, 0, 0);
  drawLegend(context, drawn, unit, height + unit, width - 2 * unit, unit);
  context.fillStyle = "#111";
  context.font = font;
  context.textBaseline = "top";
  context.fillText(legend.least, unit, height + 2.3 * unit, (width - 3 * unit) / 2);
  context.textAlign = "right";
  context.fillText(legend.most, width - unit, height + 2.3 * unit, (width - 3 * unit) / 2);
  context.textAlign = "left";
  text.forEach((line, index) => context.fillText(line, unit, height + unit * (4.2 + 1.45 * index), width - 2 * unit));
  return whole;
}

/** @param {string} name @param {HTMLCanvasElement} canvas @returns {Promise<boolean>} */
function saveCanvas(name, canvas) {
  return new Promise((resolve) => canvas.toBlob((blob) => {
    if (blob) saveBlob(name, blob);
    resolve(Boolean(blob));
  }, "image/png"));
}
