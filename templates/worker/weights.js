// Weights as the engine reads them, out of the form that they are packed in: see sitegen/site/weight_layout.py.
/** @type {Record<string, (packed: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>>} */
const layouts = { ".halves": fromHalves, ".planes": fromPlanes, ".plain": (packed) => packed };

/** @param {Packed} assets @param {string} name */
async function unpackWeights(assets, name) {
  const packed = await unpack(assets[name]);
  const weights = layouts[name.slice(name.lastIndexOf("."))](packed);
  if (weights !== packed) freed(packed);
  return weights;
}

// All lowest bytes, then the next higher ones, and so on.
/** @param {Uint8Array<ArrayBuffer>} packed */
function fromPlanes(packed) {
  const count = packed.length / 4;
  const bits = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) {
    bits[i] = packed[i] | (packed[i + count] << 8) | (packed[i + 2 * count] << 16) | (packed[i + 3 * count] << 24);
  }
  return new Uint8Array(bits.buffer);
}

// Finite float16 numbers to float32. With their exponent and fraction in the places that float32 has for them they are too
// small by 2 ** 112, subnormal ones included; the product is exact.
/** @param {Uint8Array<ArrayBuffer>} packed */
function fromHalves(packed) {
  const count = packed.length / 2;
  const bits = new Uint32Array(count);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < count; i += 1) {
    const high = packed[i + count];
    bits[i] = (packed[i] << 13) | ((high & 0x7f) << 21);
    values[i] *= 2 ** 112;
    bits[i] |= (high & 0x80) << 24;
  }
  return new Uint8Array(bits.buffer);
}
