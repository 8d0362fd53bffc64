// Which greys are told apart: window, level and inversion, drawn over a picture by the canvas itself. For looking only.
/** @type {Tone} */
const PLAIN_TONE = { level: 127.5, width: 255, isInverted: false };
const LEAST_WIDTH = 2;
const MOST_WIDTH = 510;

/** @param {Tone} tone @returns {Tone} */
function keptTone({ level, width, isInverted }) {
  return { level: Math.min(Math.max(level, 0), 255), width: Math.min(Math.max(width, LEAST_WIDTH), MOST_WIDTH), isInverted };
}

/** @param {number} low @param {number} high */
function windowBetween(low, high) {
  return { level: (low + high) / 2, width: high - low };
}

// Windows for any picture of 256 greys, of which the first is what the model got: for a DICOM file the header's own window, as its note
// tells. `range` is what most of this picture's greys lie in.
/** @param {string[]} notes @param {() => [low: number, high: number]} range */
function presetsFor(notes, range) {
  const [told = ""] = notes.flatMap((note) => /window around [^.]*(?:\.\d[^.]*)*(?=\.$)/.exec(note)?.[0] ?? []);
  return [
    { name: told ? `All greys: ${told}` : "All greys", window: () => windowBetween(0, 255) },
    { name: "This picture's range", window: () => windowBetween(...range()) },
    { name: "Dark parts", window: () => windowBetween(0, 110) },
    { name: "Middle greys", window: () => windowBetween(70, 185) },
    { name: "Bright parts", window: () => windowBetween(145, 255) },
  ];
}

// The greys that 1 % of a picture lies below, and 1 % above.
/** @param {ImageBitmap} picture @returns {[low: number, high: number]} */
function commonGreys(picture) {
  const side = 256;
  const sample = new OffscreenCanvas(side, side);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (sample.getContext("2d", { willReadFrequently: true }));
  pen.drawImage(picture, 0, 0, side, side);
  const { data } = pen.getImageData(0, 0, side, side);
  const greys = new Uint8Array(side * side);
  for (let index = 0; index < greys.length; index += 1) greys[index] = (data[4 * index] + 2 * data[4 * index + 1] + data[4 * index + 2]) / 4;
  greys.sort();
  const low = greys[Math.floor(greys.length / 100)];
  return [low, Math.max(greys[Math.floor((greys.length * 99) / 100)], low + LEAST_WIDTH)];
}

// Everything on a canvas, by arithmetic of its pixels: v becomes (v - low) / width, within black and white. What was transparent is
// no longer so.
/** @param {CanvasRenderingContext2D} context @param {Tone} tone */
function applyTone(context, { level, width, isInverted }) {
  const low = level - width / 2;
  const by = (/** @type {GlobalCompositeOperation} */ operation, /** @type {number} */ grey) => {
    context.globalCompositeOperation = operation;
    context.fillStyle = `rgb(${Array(3).fill(Math.round(Math.min(grey, 255))).join(" ")})`;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  };
  if (low > 0) { // black takes away: what is added to the negative
    by("difference", 255);
    by("lighter", low);
    by("difference", 255);
  }
  if (width < 255) by("color-dodge", 255 - width); // v / (1 - s)
  if (width > 255) by("multiply", (255 * 255) / width);
  if (low < 0) by("lighter", (-low * 255) / width);
  if (isInverted) by("difference", 255);
  context.globalCompositeOperation = "source-over";
}

/** @param {Tone} tone */
function isPlain({ level, width, isInverted }) {
  return !isInverted && level === PLAIN_TONE.level && width === PLAIN_TONE.width;
}
