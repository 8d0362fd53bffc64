// Whole blocks at the start of a JPEG scan's data, counted as fast as a browser can. What they are is defined by
// `BlockCounter` of sitegen_runtime/formats/jpeg_entropy.py, which goes on where this ends and judges what comes then: so
// this may end anywhere between two blocks, and does where anything is odd.
const WORD_BITS = 16; // of the longest code word
const NO_WORD = 0;

// For each 16 bits the length of the code word that they start with, times 256, plus its symbol: canonical codes (T.81, C.2).
/** @param {Uint8Array} code how many words of 1 to 16 bits there are, and after these 16 bytes their symbols */
function wordTable(code) {
  const table = new Uint16Array(1 << WORD_BITS);
  let from = 0;
  let symbol = WORD_BITS;
  for (let length = 1; length <= WORD_BITS; length += 1) {
    for (let count = code[length - 1]; count > 0; count -= 1) {
      const to = from + (1 << (WORD_BITS - length));
      table.fill((length << 8) | code[symbol], from, to);
      from = to;
      symbol += 1;
    }
  }
  return table;
}

// `at` is a bit, and three bytes must follow its own.
/** @param {Uint8Array} data @param {number} at */
function wordAt(data, at) {
  const byte = at >>> 3;
  const bits = (data[byte] << 24) | (data[byte + 1] << 16) | (data[byte + 2] << 8) | data[byte + 3];
  return (bits << (at & 7)) >>> (32 - WORD_BITS);
}

// Of `slots`, each block of an MCU, the tables; of coefficients `first` to `last`; at most so many blocks. How many there
// are, and with which bit they end.
/** @param {Uint8Array} data @param {{ dc: Uint16Array, ac: Uint16Array }[]} slots @param {number} first @param {number} last @param {number} most */
function countedBlocks(data, slots, first, last, most) {
  const end = 8 * (data.length - 4);
  const counted = { blocks: 0, bits: 0 };
  let at = 0;
  for (let slot = 0; counted.blocks < most; slot = slot + 1 < slots.length ? slot + 1 : 0) {
    const { dc, ac } = slots[slot];
    let index = first;
    let more = 1;
    if (index === 0) {
      if (at > end) return counted;
      const entry = dc[wordAt(data, at)];
      if (entry === NO_WORD) return counted;
      at += (entry >>> 8) + (entry & 0xff);
      index = 1;
    }
    while (index <= last) {
      if (at > end) return counted;
      const entry = ac[wordAt(data, at)];
      if (entry === NO_WORD) return counted;
      const size = entry & 15;
      const run = (entry >>> 4) & 15;
      at += (entry >>> 8) + size;
      if (size > 0) index += run + 1;
      else if (run === 15) index += 16;
      else if (run === 0) index = last + 1;
      else {
        // a run of blocks without further coefficients, which only progressive scans have (G.1.2.2)
        if (first === 0 || at > end) return counted;
        more = (1 << run) + (wordAt(data, at) >>> (WORD_BITS - run));
        at += run;
        index = last + 1;
        if (counted.blocks + more > most) return counted;
      }
    }
    if (index !== last + 1 || at > end) return counted;
    counted.blocks += more;
    counted.bits = at;
  }
  return counted;
}

/** @type {Map<string, Uint16Array>} */
const wordTables = new Map();
const KEPT_TABLES = 8;

/** @param {string} code in hexadecimal; without words where there is none */
function keptTable(code) {
  let table = wordTables.get(code);
  if (!table) {
    if (wordTables.size >= KEPT_TABLES) wordTables.clear();
    table = wordTable(Uint8Array.from(code.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
    wordTables.set(code, table);
  }
  return table;
}

// For Python, which hands the data over as they lie in its memory (sitegen_runtime/formats/jpeg_tables.py).
/** @param {import("pyodide/ffi").PyBuffer} bytes @param {string} scan */
function countBlocks(bytes, scan) {
  /** @type {BlocksRequest} */
  const { codes, slots, first, last, most } = JSON.parse(scan);
  const tables = codes.map(keptTable);
  const buffer = bytes.getBuffer("u8");
  try {
    const data = /** @type {Uint8Array} */ (buffer.data);
    const { blocks, bits } = countedBlocks(data, slots.map(([dc, ac]) => ({ dc: tables[dc], ac: tables[ac] })), first, last, most);
    return JSON.stringify([blocks, bits]);
  } finally {
    buffer.release();
  }
}
