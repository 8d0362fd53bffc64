// Weights as the engine reads them, out of the form that they are packed in: see sitegen/site/weight_layout.py. They are
// laid out while they are unpacked, so that memory holds them once.
/** @typedef {{ weights: Uint8Array<ArrayBuffer>, put: (piece: Uint8Array, start: number) => void }} Layout */
/** @type {Record<string, (length: number) => Layout>} */
const layouts = { ".halves": fromHalves, ".planes": fromPlanes, ".plain": fromPlain };

/** @param {Packed} assets @param {string} name */
async function unpackWeights(assets, name) {
  const packed = assets[name];
  const { weights, put } = layouts[name.slice(name.lastIndexOf("."))](unpackedLength(packed));
  await eachPiece(packed, put);
  return weights;
}

/** @param {number} length @returns {Layout} */
function fromPlain(length) {
  const weights = new Uint8Array(length);
  return { weights, put: (piece, start) => weights.set(piece, start) };
}

// All lowest bytes, then the next higher ones, and so on.
/** @param {number} length @returns {Layout} */
function fromPlanes(length) {
  const weights = new Uint8Array(length);
  const count = length / 4;
  const put = (/** @type {Uint8Array} */ piece, /** @type {number} */ start) => {
    let to = 4 * (start % count) + Math.floor(start / count);
    for (const byte of piece) {
      weights[to] = byte;
      to += 4;
      if (to >= length) to -= length - 1; // the first number's next byte
    }
  };
  return { weights, put };
}

// Finite float16 numbers to float32: all low bytes, then all high ones. With their exponent and fraction in the places that
// float32 has for them they are too small by 2 ** 112, subnormal ones included; the product is exact.
/** @param {number} length @returns {Layout} */
function fromHalves(length) {
  const count = length / 2;
  const bits = new Uint32Array(count);
  const values = new Float32Array(bits.buffer);
  const put = (/** @type {Uint8Array} */ piece, /** @type {number} */ start) => {
    const low = piece.subarray(0, Math.max(0, count - start));
    for (let i = 0; i < low.length; i += 1) bits[start + i] = low[i] << 13;
    const first = start - count;
    for (let i = low.length; i < piece.length; i += 1) {
      bits[first + i] |= (piece[i] & 0x7f) << 21;
      values[first + i] *= 2 ** 112;
      bits[first + i] |= (piece[i] & 0x80) << 24;
    }
  };
  return { weights: new Uint8Array(bits.buffer), put };
}
