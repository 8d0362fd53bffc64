// The browser's own decoder, used for opaque 8-bit images that Python has checked and stripped. `willReadFrequently`
// keeps the canvas in main memory: pixels that went through a graphics card may come back changed.
/** @type {ImageBitmapOptions} */
const UNTOUCHED = { premultiplyAlpha: "none", colorSpaceConversion: "none", imageOrientation: "none" };

// WebKit's workers of a page on file:// cannot read Blobs, not even their own. There the page decodes.
let decodesHere = true;
/** @type {(bitmap: ImageBitmap | null) => void} */
let bitmapFromPage = () => {};

/** @param {Boot["decoder"]} wanted */
async function chooseDecoder(wanted) {
  const readable = new Blob(["x"]).arrayBuffer().then(() => true, () => false);
  decodesHere = wanted !== "page" && (await readable);
}

/** @param {Encoded} bytes @param {string} type @returns {Promise<ImageBitmap>} */
function bitmapOf(bytes, type) {
  if (decodesHere) return createImageBitmap(new Blob([bytes], { type }), UNTOUCHED);
  return new Promise((resolve, reject) => {
    bitmapFromPage = (bitmap) => (bitmap ? resolve(bitmap) : reject(new Error("the page could not decode it either")));
    tellPage({ kind: "decode", bytes, type, options: UNTOUCHED });
  });
}

/** @param {OffscreenCanvas} canvas @param {object} [settings] */
function penOf(canvas, settings) {
  return /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", settings));
}

class DecodedImage {
  /** @param {ImageBitmap} bitmap */
  constructor(bitmap) {
    this.bitmap = bitmap;
    this.canvas = new OffscreenCanvas(1, 1);
  }

  /** @param {Encoded} bytes @param {string} type */
  static async decode(bytes, type) {
    let opened;
    try {
      opened = new DecodedImage(await bitmapOf(bytes, type));
    } catch (error) {
      throw coded("damaged-image", error);
    }
    if (opened.isWhole()) return opened;
    opened.close();
    throw coded("damaged-image", new Error("the browser decoded a part of it"));
  }

  // WebKit gives a bitmap of what its decoder has broken off, with no error. Rows come from the top, and what never came is
  // transparent; all that Python hands on is opaque, so the end of the last row tells.
  isWhole() {
    const { width, height } = this.bitmap;
    const count = Math.min(width, 256);
    const context = penOf(new OffscreenCanvas(count, 1), { willReadFrequently: true });
    context.drawImage(this.bitmap, width - count, height - 1, count, 1, 0, 0, count, 1);
    return context.getImageData(0, 0, count, 1).data.every((value, index) => index % 4 !== 3 || value === 255);
  }

  /** @param {RowsRequest} place */
  rows({ left, top, width, height }) {
    if (this.canvas.width !== width || this.canvas.height !== height) this.canvas = new OffscreenCanvas(width, height);
    const context = penOf(this.canvas, { alpha: false, willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    context.drawImage(this.bitmap, left, top, width, height, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  }

  // Single pixels: those where rows and columns meet.
  /** @param {PixelsRequest} places @returns {Uint8Array} */
  pixels({ rows, columns }) {
    const picked = new Uint32Array(rows.count * columns.count);
    let place = 0;
    for (let y = 0; y < rows.count; y += 1) {
      const top = rows.start + y * rows.step;
      const row = new Uint32Array(this.rows({ left: 0, top, width: this.bitmap.width, height: 1 }).buffer);
      for (let x = 0; x < columns.count; x += 1) picked[place++] = row[columns.start + x * columns.step];
      freed(row);
    }
    return new Uint8Array(picked.buffer);
  }

  close() {
    this.bitmap.close();
    this.canvas.width = this.canvas.height = 0; // gives its memory back at once
  }
}

// Some browsers add noise to what pages read from a canvas, against fingerprinting. Then no result could be trusted.
function canvasKeepsPixels() {
  const side = 16;
  const context = penOf(new OffscreenCanvas(side, side), { willReadFrequently: true });
  const pixels = context.createImageData(side, side);
  for (let index = 0; index < pixels.data.length; index++) pixels.data[index] = index % 4 === 3 ? 255 : (index * 37) % 256;
  context.putImageData(pixels, 0, 0);
  return context.getImageData(0, 0, side, side).data.every((value, index) => value === pixels.data[index]);
}

// Of two bytes of a sample the upper is red, and alone a picture.
/** @param {OffscreenCanvas} canvas @param {OffscreenCanvasRenderingContext2D} context */
function spreadRed(canvas, context) {
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const rgba = new Uint32Array(pixels.data.buffer);
  for (let index = 0; index < rgba.length; index += 1) rgba[index] = 0xff000000 + 0x010101 * (rgba[index] & 0xff);
  context.putImageData(pixels, 0, 0);
}

// An upright copy for the page to draw, small unless it asks for more: what was analysed, not what the page's own decoder
// would show.
const PREVIEW_SIDE = 1024;
// Columns of the matrix that turns the stored image upright, in units of its width and height, by EXIF orientation.
/** @type {Record<number, (w: number, h: number) => [number, number, number, number, number, number]>} */
const UPRIGHT = {
  1: (w, h) => [1, 0, 0, 1, 0, 0],
  2: (w, h) => [-1, 0, 0, 1, w, 0],
  3: (w, h) => [-1, 0, 0, -1, w, h],
  4: (w, h) => [1, 0, 0, -1, 0, h],
  5: (w, h) => [0, 1, 1, 0, 0, 0],
  6: (w, h) => [0, 1, -1, 0, h, 0],
  7: (w, h) => [0, -1, -1, 0, h, w],
  8: (w, h) => [0, -1, 1, 0, 0, w],
};

/** @param {ImageBitmap} bitmap @param {{ orientation: number, inverted: boolean, side: number, isPaired: boolean }} how */
function previewOf(bitmap, { orientation, inverted, side, isPaired }) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = orientation > 4 ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
  const context = penOf(canvas);
  context.imageSmoothingQuality = "high";
  context.setTransform(...UPRIGHT[orientation](width, height));
  context.drawImage(bitmap, 0, 0, width, height);
  if (isPaired) spreadRed(canvas, context);
  if (inverted) {
    context.globalCompositeOperation = "difference"; // from white
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
  }
  return canvas.transferToImageBitmap();
}
