// Where a picture lies on a canvas, by what a person wants to see of it. Whole pixels of the canvas, so that edges are exact.
const MOST_PIXELS = 16; // of the canvas, for one of the picture
/** @type {Lens} */
const WHOLE = { zoom: 1, x: 0.5, y: 0.5 };

/** @typedef {{ width: number, height: number }} Extent */

// The part of a picture that a place takes, which reaches beyond it where the picture was padded.
/** @param {PictureLayer["square"]} place @param {Extent} picture @returns {PictureLayer["square"]} */
function visiblePart([left, top, width, height], picture) {
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  return [x, y, Math.min(picture.width, left + width) - x, Math.min(picture.height, top + height) - y];
}

// Canvas pixels for one of the picture's where the whole picture is in sight.
/** @param {Extent} picture @param {Extent} canvas */
function fittingScale(picture, canvas) {
  return Math.min(canvas.width / picture.width, canvas.height / picture.height);
}

/** @param {Lens} lens @param {Extent} picture @param {Extent} canvas @returns {PicturePlace} */
function placeOf({ zoom, x, y }, picture, canvas) {
  const scale = zoom * fittingScale(picture, canvas);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const left = Math.round(canvas.width / 2 - x * width);
  const top = Math.round(canvas.height / 2 - y * height);
  return { left, top, width, height, across: width / picture.width, down: height / picture.height };
}

// The nearest lens that leaves no empty room beside a picture which is larger than its canvas.
/** @param {Lens} lens @param {Extent} picture @param {Extent} canvas @returns {Lens} */
function keptInside({ zoom, x, y }, picture, canvas) {
  const fit = fittingScale(picture, canvas);
  const least = Math.min(1, 1 / fit); // small pictures are enlarged to fill their canvas: their actual size is less
  const kept = Math.min(Math.max(zoom, least), Math.max(1, MOST_PIXELS / fit));
  const inside = (/** @type {number} */ middle, /** @type {number} */ whole, /** @type {number} */ room) => {
    const half = room / (2 * whole * kept * fit);
    return half >= 0.5 ? 0.5 : Math.min(Math.max(middle, half), 1 - half);
  };
  return { zoom: kept, x: inside(x, picture.width, canvas.width), y: inside(y, picture.height, canvas.height) };
}

// Another zoom; what lies at a point of the canvas stays there.
/** @param {Lens} lens @param {number} zoom @param {Extent} picture @param {Extent} canvas @param {{ x: number, y: number }} point @returns {Lens} */
function zoomedAt(lens, zoom, picture, canvas, point) {
  const fit = fittingScale(picture, canvas);
  const moved = (/** @type {number} */ middle, /** @type {number} */ whole, /** @type {number} */ off) => middle + (off / (whole * fit)) * (1 / lens.zoom - 1 / zoom);
  return { zoom, x: moved(lens.x, picture.width, point.x - canvas.width / 2), y: moved(lens.y, picture.height, point.y - canvas.height / 2) };
}

// Width and height of a picture as it was analysed: corrections that turn exchange them.
/** @param {DrawnAnalysis} result @returns {Extent} */
function analysedSize({ document: { image, correction }, preview }) {
  const { width, height } = { width: image.width ?? preview.width, height: image.height ?? preview.height };
  return /^turn-(90|270)$/.test(correction ?? "") ? { width: height, height: width } : { width, height };
}
