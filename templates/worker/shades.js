// The picture of a DICOM file: cells that Python has found the shades of. No browser can draw such a file itself.
/** @typedef {{ width: number, height: number, luma: Uint8Array<ArrayBuffer> }} ShadedImage */

// `bytes` has the table of shades and, after it, the cells: see `ShadeCells` of sitegen_runtime/requests.py.
/** @param {ShadeRequest} request @param {Uint8Array<ArrayBuffer>} bytes @returns {ShadedImage} */
function shaded({ width, height, cell_bytes }, { buffer }) {
  const table = new Uint8Array(buffer, 0, 256 ** cell_bytes);
  const Cells = cell_bytes === 1 ? Uint8Array : Uint16Array; // every machine that browsers run on has the lower byte first
  const cells = new Cells(buffer, table.length, width * height);
  const luma = new Uint8Array(cells.length);
  for (let index = 0; index < luma.length; index += 1) luma[index] = table[cells[index]];
  return { width, height, luma };
}

// A bitmap for drawing alone, reduced by a whole number where it is far larger than what is asked for.
/** @param {ShadedImage} image @param {number} side */
function bitmapOfShaded({ width, height, luma }, side) {
  const step = Math.max(1, Math.floor(Math.max(width, height) / side));
  const size = { width: Math.max(1, Math.floor(width / step)), height: Math.max(1, Math.floor(height / step)) };
  const pixels = new ImageData(size.width, size.height);
  const rgba = new Uint32Array(pixels.data.buffer);
  const [across, down] = [Math.min(step, width), Math.min(step, height)];
  for (let index = 0; index < rgba.length; index += 1) {
    const start = Math.floor(index / size.width) * step * width + (index % size.width) * step;
    let sum = 0;
    for (let y = 0; y < down; y += 1) for (let x = 0; x < across; x += 1) sum += luma[start + y * width + x];
    rgba[index] = 0xff000000 + 0x010101 * Math.round(sum / (across * down));
  }
  return createImageBitmap(pixels);
}
