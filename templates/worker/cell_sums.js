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

// One plane of a grid. Positions are in units of 1 / cells pixel, in which all borders are whole numbers.
class CellPlane {
  /** @param {number} side @param {number} cells @param {Float64Array} sums that this fills, row by row */
  constructor(side, cells, sums) {
    this.side = side;
    this.cells = cells;
    this.sums = sums;
    this.columns = new Float64Array(side);
    this.position = 0;
    this.closed = 0;
  }

  /** @param {Float64Array} row */
  add(row) {
    const end = this.position + this.cells;
    for (let border = (this.closed + 1) * this.side; border <= end; border += this.side) {
      this.weigh(row, border - this.position);
      this.position = border;
      this.close();
    }
    if (end > this.position) this.weigh(row, end - this.position);
    this.position = end;
  }

  /** @param {Float64Array} row @param {number} weight */
  weigh(row, weight) {
    const { columns } = this;
    for (let x = 0; x < columns.length; x += 1) columns[x] += weight * row[x];
  }

  close() {
    const { side, cells, columns, sums } = this;
    const first = this.closed * cells;
    let position = 0;
    let x = 0;
    for (let cell = 0; cell < cells; cell += 1) {
      const border = (cell + 1) * side;
      let sum = 0;
      while (position < border) {
        const next = Math.min(border, (x + 1) * cells);
        sum += columns[x] * (next - position);
        position = next;
        if (next === (x + 1) * cells) x += 1;
      }
      sums[first + cell] = sum;
    }
    columns.fill(0);
    this.closed += 1;
  }
}

// Grids of one square and one kind of samples share their rows.
class SummedSquare {
  /** @param {CellGrid} grid */
  constructor({ left, top, side, samples }) {
    this.left = left;
    this.top = top;
    this.side = side;
    this.samples = samples;
    this.row = new Float64Array(side);
    /** @type {CellPlane[][]} */
    this.planes = SAMPLERS[samples].map(() => []);
  }

  /** @param {CellGrid} grid */
  has({ left, top, side, samples }) {
    return left === this.left && top === this.top && side === this.side && samples === this.samples;
  }

  /** @param {number} number of the image's row @param {Uint32Array} pixels @param {number} from the first of the square */
  add(number, pixels, from) {
    if (number < this.top || number >= this.top + this.side) return;
    SAMPLERS[this.samples].forEach((sample, index) => {
      sample(this.row, pixels, from);
      for (const plane of this.planes[index]) plane.add(this.row);
    });
  }
}

// Answers `SumCells` of sitegen_runtime/requests.py. `rowsOf` gives the RGBA bytes of a rectangle.
/** @param {CellGrid[]} grids @param {(place: RowsRequest) => Uint8ClampedArray<ArrayBuffer>} rowsOf @returns {Uint8Array} of doubles */
function cellSums(grids, rowsOf) {
  const sums = new Float64Array(grids.reduce((total, { cells, samples }) => total + cells ** 2 * SAMPLERS[samples].length, 0));
  /** @type {SummedSquare[]} */
  const squares = [];
  let start = 0;
  for (const grid of grids) {
    let square = squares.find((each) => each.has(grid));
    if (!square) squares.push((square = new SummedSquare(grid)));
    for (const planes of square.planes) {
      planes.push(new CellPlane(grid.side, grid.cells, sums.subarray(start, (start += grid.cells ** 2))));
    }
  }
  const left = Math.min(...squares.map((each) => each.left));
  const width = Math.max(...squares.map((each) => each.left + each.side)) - left;
  const bottom = Math.max(...squares.map((each) => each.top + each.side));
  const step = Math.max(1, Math.floor(SUMMED_PIXELS / width));
  for (let top = Math.min(...squares.map((each) => each.top)); top < bottom; top += step) {
    const height = Math.min(step, bottom - top);
    const pixels = new Uint32Array(rowsOf({ left, top, width, height }).buffer);
    for (let y = 0; y < height; y += 1) for (const square of squares) square.add(top + y, pixels, y * width + square.left - left);
    freed(pixels);
  }
  return new Uint8Array(sums.buffer);
}
