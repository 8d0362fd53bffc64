// Regions of a picture: rectangles that never overlap, in pixels of the picture as it was analysed.
const REGION_GRAIN = 64; // parts of a pixel: sums of such fractions are exact

/** @param {number} length */
function grained(length) {
  return Math.round(length * REGION_GRAIN) / REGION_GRAIN;
}

// What lies between two points, cut to what was seen; null where nothing is left.
/** @param {{ x: number, y: number }} one @param {{ x: number, y: number }} other @param {PictureLayer["square"]} square @returns {Region | null} */
function regionBetween(one, other, [left, top, width, height]) {
  const inside = (/** @type {number} */ place, /** @type {number} */ from, /** @type {number} */ length) => Math.min(Math.max(grained(place), from), from + length);
  const [x, far] = [one.x, other.x].map((place) => inside(place, left, width)).sort((a, b) => a - b);
  const [y, low] = [one.y, other.y].map((place) => inside(place, top, height)).sort((a, b) => a - b);
  return far > x && low > y ? [x, y, far - x, low - y] : null;
}

// A rectangle without another: up to four that lie around that.
/** @param {Region} region @param {Region} hole @returns {Region[]} */
function regionWithout([left, top, width, height], [x, y, wide, high]) {
  const [right, bottom] = [left + width, top + height];
  const [from, to, above, below] = [Math.max(left, x), Math.min(right, x + wide), Math.max(top, y), Math.min(bottom, y + high)];
  if (from >= to || above >= below) return [[left, top, width, height]];
  /** @type {Region[]} */
  const around = [
    [left, top, width, above - top],
    [left, below, width, bottom - below],
    [left, above, from - left, below - above],
    [to, above, right - to, below - above],
  ];
  return around.filter(([, , across, down]) => across > 0 && down > 0);
}

/** @param {Region[]} regions @param {Region} hole */
function regionsWithout(regions, hole) {
  return regions.flatMap((region) => regionWithout(region, hole));
}

/** @param {Region[]} regions @param {Region} added */
function regionsWith(regions, added) {
  return [...regionsWithout(regions, added), added];
}

// Whether a rectangle lies within regions, all of it.
/** @param {Region[]} regions @param {Region} region */
function isCovered(regions, region) {
  return regions.reduce((left, each) => regionsWithout(left, each), [region]).length === 0;
}

// The same with fewer rectangles: neighbours of one height become one, and then those of one width.
/** @param {Region[]} regions @returns {Region[]} */
function mergedRegions(regions) {
  const joined = (/** @type {Region[]} */ all, /** @type {0 | 1} */ axis) => {
    const across = axis === 0 ? 1 : 0;
    /** @type {Region[]} */
    const kept = [];
    for (const region of [...all].sort((one, other) => one[across] - other[across] || one[2 + across] - other[2 + across] || one[axis] - other[axis])) {
      const last = kept.at(-1);
      const isNext = last && last[across] === region[across] && last[2 + across] === region[2 + across] && last[axis] + last[2 + axis] === region[axis];
      if (isNext) last[2 + axis] += region[2 + axis];
      else kept.push([...region]);
    }
    return kept;
  };
  return joined(joined(regions, 0), 1);
}

// A cell of a grid over what was seen, counted from 0.
/** @param {PictureLayer["square"]} square @param {number} cells on a side @param {Cell} cell @returns {Region} */
function cellRegion([left, top, width, height], cells, { column, row }) {
  const edge = (/** @type {number} */ from, /** @type {number} */ length, /** @type {number} */ number) =>
    from + (number === cells ? length : grained((length * number) / cells));
  const [x, y] = [edge(left, width, column), edge(top, height, row)];
  return [x, y, edge(left, width, column + 1) - x, edge(top, height, row + 1) - y];
}

// The cell below a point, or the nearest to it.
/** @param {PictureLayer["square"]} square @param {number} cells @param {{ x: number, y: number }} point @returns {Cell} */
function cellAt([left, top, width, height], cells, { x, y }) {
  const number = (/** @type {number} */ place, /** @type {number} */ length) => Math.min(Math.max(Math.floor((place * cells) / length), 0), cells - 1);
  return { column: number(x - left, width), row: number(y - top, height) };
}

// Documents tell places of the upright image as its file has it: a turn that was asked for is taken back.
/** @param {Region} region @param {Extent} size of the picture as it was analysed @param {string} [correction] @returns {Region} */
function regionInFile([left, top, width, height], size, correction) {
  const [right, below] = [size.width - left - width, size.height - top - height];
  if (correction === "turn-90") return [top, right, height, width];
  if (correction === "turn-180") return [right, below, width, height];
  return correction === "turn-270" ? [below, left, height, width] : [left, top, width, height];
}

// The way back.
/** @param {Region} region @param {Extent} size of the picture as it was analysed @param {string} [correction] @returns {Region} */
function regionInPicture(region, size, correction) {
  const turned = /^turn-(90|270)$/.test(correction ?? "") ? { width: size.height, height: size.width } : size;
  const back = correction === "turn-90" ? "turn-270" : correction === "turn-270" ? "turn-90" : correction;
  return regionInFile(region, turned, back);
}
