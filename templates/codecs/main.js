// Decodes one compressed frame of grey cells, in a worker of its own that the page ends afterwards: so all memory that the
// codec took is given back at once, and what breaks it breaks nothing else. The codec's script stands in front of these.
/** @type {Record<string, (frame: Uint8Array<ArrayBuffer>, wanted: WantedFrame, wasmBinary?: ArrayBuffer) => Promise<Uint8Array<ArrayBuffer>>>} */
const decoders = {
  "jpeg-lossless": decodeLossless,
  "jpeg-ls": async (frame, wanted, wasmBinary) => {
    const { JpegLSDecoder } = await started(CharLSWASM, wasmBinary);
    return decodeCompiled(new JpegLSDecoder(), frame, wanted);
  },
  "jpeg-2000": async (frame, wanted, wasmBinary) => {
    const { J2KDecoder } = await started(OpenJPEGWASM, wasmBinary);
    const raised = raiseSmall(frame);
    const cells = decodeCompiled(new J2KDecoder(), frame, wanted);
    if (raised) cells.forEach((value, index) => (cells[index] = value - raised));
    return cells;
  },
};

const SSIZ = 42; // where a codestream says how many bits its first component has, and whether they are signed (A.5.1)

class NotStarted extends Error {}

/** @template T @param {StartCodec<T>} start @param {ArrayBuffer} [wasmBinary] */
async function started(start, wasmBinary) {
  try {
    return await start({ wasmBinary, print: () => {}, printErr: () => {} });
  } catch (error) {
    throw new NotStarted(String(/** @type {Error} */ (error)?.message ?? error));
  }
}

// What the header says was read before, by Python: another frame than that is refused.
/** @param {FrameInfo} found @param {WantedFrame} wanted */
function expectFrame({ width, height, bitsPerSample, componentCount }, { columns, rows, precision }) {
  if (width !== columns || height !== rows || bitsPerSample !== precision || componentCount !== 1) {
    throw new Error(`a frame of ${componentCount} x ${width} x ${height} x ${bitsPerSample} bits`);
  }
}

// The library makes 0 of negative cells of up to eight bits. So their codestream is called unsigned, whose cells are higher by
// half of their range (ITU-T T.800, G.1.2). Returns by how much they are higher.
/** @param {Uint8Array<ArrayBuffer>} frame */
function raiseSmall(frame) {
  const [isSigned, bits] = [frame[SSIZ] & 0x80, (frame[SSIZ] & 0x7f) + 1];
  if (!isSigned || bits > 8) return 0;
  frame[SSIZ] &= 0x7f;
  return 1 << (bits - 1);
}

/** @param {CompiledDecoder} decoder @param {Uint8Array<ArrayBuffer>} frame @param {WantedFrame} wanted */
function decodeCompiled(decoder, frame, wanted) {
  decoder.getEncodedBuffer(frame.length).set(frame);
  decoder.decode();
  expectFrame(decoder.getFrameInfo(), wanted);
  return new Uint8Array(decoder.getDecodedBuffer()); // a copy, out of the codec's memory
}

/** @param {FrameMessage} message @returns {Promise<FrameAnswer>} */
async function decoded({ codec, frame, wanted, program }) {
  try {
    const cells = await decoders[codec](new Uint8Array(frame), wanted, program);
    const length = wanted.columns * wanted.rows * (wanted.precision > 8 ? 2 : 1);
    if (cells.length !== length) throw new Error(`${cells.length} bytes of cells, not ${length}`); // none: it gave up
    return { cells: cells.buffer };
  } catch (error) { // which is a number where C++ threw it
    const message = String(/** @type {Error} */ (error)?.message ?? error);
    return { cells: null, code: error instanceof NotStarted ? "engine-failed" : "damaged-image", message };
  }
}

self.onmessage = async ({ data }) => {
  const answer = await decoded(data);
  self.postMessage(answer, { transfer: answer.cells ? [answer.cells] : [] });
};
