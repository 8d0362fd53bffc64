// The pictures of a report: the image with what was looked at, and its maps, as data: addresses.
const OUTLINE = "#ffd33d";
const DARKENED = "rgba(0, 0, 0, 0.5)";
const PICTURE_QUALITY = 0.86;

// The part that was looked at, where that is not the whole image, as it lies in the image that was analysed.
/** @param {DrawnAnalysis | UndrawnAnalysis} result */
function lookedAt({ wording, squares }) {
  if (!wording.seen) return null;
  return squares[wording.outcome === "refused" ? "gate" : "classifier"] ?? null;
}

/** @param {CanvasRenderingContext2D} context @param {MapPlace["square"]} square @param {MapPlace["size"]} size */
function outline(context, square, size) {
  const { width, height } = context.canvas;
  const scale = Math.max(width, height) / Math.max(...size); // the same, however the image was turned
  const [left, top, across, down] = visiblePart(square, { width: size[0], height: size[1] }).map((length) => length * scale);
  const line = Math.max(2, Math.max(width, height) / 250);
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(left, top, across, down);
  context.fillStyle = DARKENED;
  context.fill("evenodd");
  context.strokeStyle = OUTLINE;
  context.lineWidth = line;
  context.strokeRect(left + line / 2, top + line / 2, across - line, down - line);
}

/** @param {Picture} preview @param {DrawnAnalysis | UndrawnAnalysis} result @param {boolean} isOutlined */
function pictureOf(preview, result, isOutlined) {
  const canvas = document.createElement("canvas");
  const context = contextFor(canvas, preview);
  context.drawImage(preview, 0, 0, canvas.width, canvas.height);
  const { image } = result.document;
  const square = isOutlined ? lookedAt(result) : null;
  if (square) outline(context, square, [image.width ?? 1, image.height ?? 1]);
  if (result.wording.badge) drawBadge(context, result.wording.badge.long);
  return canvas;
}

// Held by the page, or made again from the file.
/** @param {Reported} entry @param {AbortSignal} signal */
async function previewOf({ item, result }, signal) {
  if (item.away !== null || !("orientation" in result) || "error" in result.document) return null;
  const { orientation, inverted, document } = result;
  const details = { orientation, inverted, type: document.image.type };
  const { preview } = await runForPage("picture", item.blob, { name: item.name, bundle: item.bundle.name, isUrgent: true, signal }, details);
  return preview;
}

/** @param {HTMLCanvasElement} canvas */
function asJpeg(canvas) {
  const address = canvas.toDataURL("image/jpeg", PICTURE_QUALITY);
  canvas.width = canvas.height = 0; // gives its memory back at once
  return address;
}

// A finding's map over the image; in place of it, why there is none.
/** @param {Reported} entry @param {WantedMap} wanted @param {Picture} plain @param {AbortSignal} signal @returns {Promise<ReportedMap>} */
async function mapOf({ item, result }, wanted, plain, signal) {
  const { finding } = wanted;
  const methods = "orientation" in result ? result.wording.explanations : null;
  if (!methods) return { finding, problem: "" };
  const options = { ...item.options, name: item.name, isUrgent: true, signal };
  const made = await runForPage("explain", item.blob, options, { ...wanted, keep: item.keep });
  if (!("map" in made) || !made.map) return { finding, problem: [made.wording.headline, ...("details" in made.wording ? made.wording.details : [])].join(". ") };
  const { map, bytes, wording, square, document: { image }, picture } = made;
  const drawn = drawnMap(picture, bytes.subarray(4 * map.shape[0] * map.shape[1]));
  const canvas = document.createElement("canvas");
  drawMap(canvas, plain, { square, size: [image.width ?? 1, image.height ?? 1], badge: wording.badge }, drawn);
  const legend = document.createElement("canvas");
  legendFigure(legend, drawn);
  return { finding, address: asJpeg(canvas), colours: legend.toDataURL(), ends: methods.legend, title: [wording.title, ...(wording.made === null ? [] : [wording.made])].join(". "), worth: wording.worth };
}
