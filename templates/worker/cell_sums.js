// The exact sums of cells that sitegen_runtime/pixels/area_average.py defines, of pixels that the browser decoded: whole
// numbers, and far below 2 ** 53, so that doubles hold them as they are.
const SUMMED_PIXELS = 1 << 18; // read from the picture at a time

// Lay one row of samples out, of the pixels from `from` on; a pixel's lowest byte is its red.
/** @typedef {(row: Float64Array, pixels: Uint32Array, from: number) => void} Sampler */
/** @type {Record<CellGrid["samples"], Sampler[]>} */
const SAMPLERS = {
  first: [channelAt(0)],
  colours: [channelAt(0), channelAt(8), channelAt(16)],
  luma: [sampleLuma],
  pair: [samplePairs],
};

/** @param {number} shift @returns {Sampler} */
function channelAt(shift) {
  return (row, pixels, from) => {
    for (let x = 0; x < row.length; x += 1) row[x] = (pixels[from + x] >>> shift) & 0xff;
  };
}

// As sitegen_runtime/pixels/luma.py has it: the sum stays below 2 ** 24.
/** @type {Sampler} */
function sampleLuma(row, pixels, from) {
  for (let x = 0; x < row.length; x += 1) {
    const pixel = pixels[from + x];
    row[x] = (19595 * (pixel & 0xff) + 38470 * ((pixel >>> 8) & 0xff) + 7471 * ((pixel >>> 16) & 0xff) + 0x8000) >>> 16;
  }
}

/** @type {Sampler} */
function samplePairs(row, pixels, from) {
  for (let x = 0; x < row.length; x += 1) row[x] = ((pixels[from + x] & 0xff) << 8) | ((pixels[from + x] >>> 8) & 0xff);
}

// One plane of a grid. Positions are in units of 1 / rows pixel down, and of 1 / columns across, in which all borders are whole numbers.
class CellPlane {
  /** @param {CellGrid} grid @param {Float64Array} sums that this fills, row by row */
  constructor(grid, sums) {
    this.grid = grid;
    this.sums = sums;
    this.added = new Float64Array(grid.width);
    this.position = 0;
    this.closed = 0;
  }

  /** @param {Float64Array} row */
  add(row) {
    const { rows, height } = this.grid;
    const end = this.position + rows;
    for (let border = (this.closed + 1) * height; border <= end; border += height) {
      this.weigh(row, border - this.position);
      this.position = border;
      this.close();
    }
    if (end > this.position) this.weigh(row, end - this.position);
    this.position = end;
  }

  /** @param {Float64Array} row @param {number} weight */
  weigh(row, weight) {
    const { added } = this;
    for (let x = 0; x < added.length; x += 1) added[x] += weight * row[x];
  }

  close() {
    const { added, sums } = this;
    const { width, columns } = this.grid;
    const first = this.closed * columns;
    let position = 0;
    let x = 0;
    for (let cell = 0; cell < columns; cell += 1) {
      const border = (cell + 1) * width;
      let sum = 0;
      while (position < border) {
        const next = Math.min(border, (x + 1) * columns);
        sum += added[x] * (next - position);
        position = next;
        if (next === (x + 1) * columns) x += 1;
      }
      sums[first + cell] = sum;
    }
    added.fill(0);
    this.closed += 1;
  }
}

// Grids of one place and one kind of samples share their rows.
class SummedPlace {
  /** @param {CellGrid} grid */
  constructor({ left, top, width, height, samples }) {
    this.left = left;
    this.top = top;
    this.width = width;
    this.height = height;
    this.samples = samples;
    this.row = new Float64Array(width);
    /** @type {CellPlane[][]} */
    this.planes = SAMPLERS[samples].map(() => []);
  }

  /** @param {CellGrid} grid */
  has({ left, top, width, height, samples }) {
    return left === this.left && top === this.top && width === this.width && height === this.height && samples === this.samples;
  }

  /** @param {number} number of the image's row @param {Uint32Array} pixels @param {number} from the first of the place */
  add(number, pixels, from) {
    if (number < this.top || number >= this.top + this.height) return;
    SAMPLERS[this.samples].forEach((sample, index) => {
      sample(this.row, pixels, from);
      for (const plane of this.planes[index]) plane.add(this.row);
    });
  }
}

// Answers `SumCells` of sitegen_runtime/requests.py. `rowsOf` gives the RGBA bytes of a rectangle.
/** @param {CellGrid[]} grids @param {(place: RowsRequest) => Uint8ClampedArray<ArrayBuffer>} rowsOf @returns {Uint8Array} of doubles */
function cellSums(grids, rowsOf) {
  const sums = new Float64Array(grids.reduce((total, { columns, rows, samples }) => total + columns * rows * SAMPLERS[samples].length, 0));
  /** @type {SummedPlace[]} */
  const places = [];
  let start = 0;
  for (const grid of grids) {
    let place = places.find((each) => each.has(grid));
    if (!place) places.push((place = new SummedPlace(grid)));
    for (const planes of place.planes) {
      planes.push(new CellPlane(grid, sums.subarray(start, (start += grid.columns * grid.rows))));
    }
  }
  const left = Math.min(...places.map((each) => each.left));
  const width = Math.max(...places.map((each) => each.left + each.width)) - left;
  const bottom = Math.max(...places.map((each) => each.top + each.height));
  const step = Math.max(1, Math.floor(SUMMED_PIXELS / width));
  for (let top = Math.min(...places.map((each) => each.top)); top < bottom; top += step) {
    const height = Math.min(step, bottom - top);
    const pixels = new Uint32Array(rowsOf({ left, top, width, height }).buffer);
    for (let y = 0; y < height; y += 1) for (const place of places) place.add(top + y, pixels, y * width + place.left - left);
    freed(pixels);
  }
  return new Uint8Array(sums.buffer);
}
