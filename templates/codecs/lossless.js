// JPEG lossless (ITU-T T.81, process 14) by jpeg-lossless-decoder-js. That library gets one restart interval at a time, as an
// image of its own without any marker behind its data: it loses the last pixel before a marker at times, predicts the
// rows after a restart from those before it, and knows no point transform.
const [SOI, SOF3, DHT, RST0, RST7, SOS, DRI] = [0xd8, 0xc3, 0xc4, 0xd0, 0xd7, 0xda, 0xdd];
const LOOKAHEAD = 16; // zeros behind the data, which the library may look at

// The segments of a codestream of one component, and where the data of its scan begin.
/** @param {Uint8Array<ArrayBuffer>} frame */
function readSegments(frame) {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length); // whose end throws
  if (view.getUint16(0) !== 0xff00 + SOI) throw new Error("no JPEG begins here");
  const tables = [];
  let [place, restart] = [2, 0];
  /** @type {Uint8Array<ArrayBuffer> | null} */
  let header = null;
  for (;;) {
    while (view.getUint16(place) === 0xffff) place += 1; // fill bytes
    const marker = view.getUint16(place) - 0xff00;
    const segment = frame.slice(place, place + 2 + view.getUint16(place + 2));
    place += segment.length;
    if (marker === SOF3) header = segment;
    if (marker === DHT) tables.push(segment);
    if (marker === DRI) restart = view.getUint16(place - 2);
    if (marker < 0) throw new Error("no marker follows a segment");
    if (marker === SOS && header) return { header, tables, restart, scan: segment, start: place };
    if (marker === SOS) throw new Error("a scan comes before its frame");
  }
}

// The data between restarts, each without the marker that ends it.
/** @param {Uint8Array<ArrayBuffer>} frame @param {number} start */
function readIntervals(frame, start) {
  const intervals = [];
  for (let place = start; ; place += 1) {
    place = frame.indexOf(0xff, place);
    if (place < 0 || place + 1 >= frame.length) throw new Error("the data have no end");
    const marker = frame[place + 1];
    if (marker === 0xff) continue;
    if (marker === 0) continue; // 0xff, as data have it
    intervals.push(frame.subarray(start, place));
    if (marker < RST0 || marker > RST7) return intervals;
    if (marker !== RST0 + ((intervals.length - 1) % 8)) throw new Error("a restart is missing");
    start = place + 2;
  }
}

function intervalDecoder() {
  return new (class extends JpegLossless.Decoder {
    used = 0; // bytes, up to the last pixel

    /** @param {number} [component] */
    select7(component) {
      return (this.getPreviousX(component) + this.getPreviousY(component)) >> 1; // where the library keeps a half
    }

    // Of pixels outside of the image there are no data.
    /** @param {number[]} previous @param {number[]} bits @param {number[]} left */
    decodeSingle(previous, bits, left) {
      if (this.yLoc >= this.yDim) return 0xffd9;
      const end = super.decodeSingle(previous, bits, left);
      if (this.isLastPixel()) this.used = (this.stream?.index ?? 0) - (left[0] >> 3);
      return end;
    }
  })();
}

/** @param {Uint8Array<ArrayBuffer>} frame @param {WantedFrame} wanted */
async function decodeLossless(frame, wanted) {
  const { header, tables, restart, scan, start } = readSegments(frame);
  const of = new DataView(header.buffer);
  const [precision, height, width, componentCount] = [header[4], of.getUint16(5), of.getUint16(7), header[9]];
  expectFrame({ width, height, bitsPerSample: precision, componentCount }, wanted);
  const transform = scan[9] & 15;
  if (scan[4] !== 1 || scan[7] < 1 || scan[7] > 7 || transform >= precision) throw new Error("a scan of another process");
  if (restart % width) throw new Error("a restart within a row");
  const rows = restart ? restart / width : height;
  const intervals = readIntervals(frame, start);
  if (intervals.length !== Math.ceil(height / rows)) throw new Error("the restarts do not fit the image");
  const cells = precision > 8 ? new Uint16Array(width * height) : new Uint8Array(width * height);
  const decoder = intervalDecoder();
  header[4] -= transform;
  header[11] = 0x11; // of one component the sampling says nothing
  intervals.forEach((data, index) => {
    of.setUint16(5, Math.min(rows, height - index * rows));
    const before = [Uint8Array.of(0xff, SOI), ...(index ? [] : tables), header, scan];
    cells.set(decodeInterval(decoder, before, data, cells.BYTES_PER_ELEMENT), index * restart);
  });
  if (transform) cells.forEach((value, index) => (cells[index] = value << transform));
  return new Uint8Array(cells.buffer); // every machine that browsers run on has the lower byte first
}

/**
 * @param {ReturnType<typeof intervalDecoder>} decoder @param {Uint8Array[]} before @param {Uint8Array} data
 * @param {number} size of a cell, in bytes
 */
function decodeInterval(decoder, before, data, size) {
  const end = [...before, data].reduce((sum, { length }) => sum + length, 0);
  const whole = new Uint8Array(end + LOOKAHEAD);
  let place = 0;
  for (const part of [...before, data]) {
    whole.set(part, place);
    place += part.length;
  }
  decoder.used = 0;
  const cells = decoder.decode(whole.buffer, 0, whole.length, size);
  if (decoder.yLoc < decoder.yDim || !cells) throw new Error("pixels are missing");
  if (decoder.used > end) throw new Error("the data end too early");
  return cells;
}
