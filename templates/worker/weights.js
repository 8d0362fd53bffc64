// Weights as the engine reads them, out of the form that they are packed in: see sitegen/site/weight_layout.py. They are
// laid out while they are unpacked, so that memory holds them once; bytes, which take a quarter, when all are there.
/** @typedef {{ readonly weights: Uint8Array<ArrayBuffer>, put: (piece: Uint8Array, start: number) => void }} Layout */
/** @type {Record<string, (length: number) => Layout>} */
const layouts = { ".halves": fromHalves, ".bytes": fromBytes, ".planes": fromPlanes, ".plain": fromPlain };

/** @param {Packed} assets @param {string} name */
async function unpackWeights(assets, name) {
  const packed = assets[name];
  const layout = layouts[name.slice(name.lastIndexOf("."))](unpackedLength(packed));
  await eachPiece(packed, layout.put);
  return layout.weights;
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

// Runs of whole numbers times scales, and of float32: see sitegen/site/byte_layout.py. The products are exact.
/** @param {number} length @returns {Layout} */
function fromBytes(length) {
  const packed = new Uint8Array(length);
  return {
    put: (piece, start) => packed.set(piece, start),
    get weights() {
      return multiplied(packed);
    },
  };
}

/** @param {Uint8Array<ArrayBuffer>} packed */
function multiplied(packed) {
  const heads = new Uint32Array(packed.buffer, 4, 3 * new Uint32Array(packed.buffer, 0, 1)[0]);
  let numbers = 0;
  let scaleCount = 0;
  for (let at = 0; at < heads.length; at += 3) {
    numbers += heads[at];
    scaleCount += heads[at + 2];
  }
  const values = new Float32Array(numbers);
  const scales = new Float32Array(packed.buffer, 4 + 4 * heads.length, scaleCount);
  const weights = new Uint8Array(values.buffer);
  const whole = new Int8Array(packed.buffer);
  let from = 4 + 4 * heads.length + 4 * scaleCount;
  let to = 0;
  let first = 0;
  for (let at = 0; at < heads.length; at += 3) {
    const [size, following, count] = heads.subarray(at, at + 3);
    if (count) {
      for (let i = 0; i < size; i += following) {
        const scale = scales[first + ((i / following) % count)];
        for (let j = i; j < i + following; j += 1) values[to + j] = whole[from + j] * scale;
      }
    } else {
      weights.set(packed.subarray(from, from + 4 * size), 4 * to);
    }
    from += count ? size : 4 * size;
    to += size;
    first += count;
  }
  return weights;
}
