// Pyodide fetches its files from an address; this answers from memory. Nothing else can be fetched: the page's policy
// forbids connections, and an unknown name fails here with a message that says which.
const EMBEDDED = "embedded://sitegen/";
/** @type {Map<string, ArrayBuffer>} */
const embeddedFiles = new Map();

/** @param {FromWorker} message @param {Transferable[]} given */
function tellPage(message, given = []) {
  postMessage(message, given);
}

// An error with the code by which Python, or the page, knows what to do.
/** @param {string} code @param {unknown} error @returns {CodedError} */
function coded(code, error) {
  return Object.assign(new Error(String(/** @type {Error} */ (error)?.message ?? error)), { code });
}

/** @param {string} name */
function contentType(name) {
  return name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
}

self.fetch = async (resource) => {
  const address = resource instanceof Request ? resource.url : String(resource);
  const name = address.startsWith(EMBEDDED) ? address.slice(EMBEDDED.length) : "";
  const packed = embeddedFiles.get(name);
  if (!packed) throw new TypeError(`not part of this site: ${address}`);
  return new Response(unpacked(packed), { headers: { "content-type": contentType(name) } });
};

// An asset that nobody will ask for again: what was taken can be forgotten as soon as it is unpacked.
/** @param {Packed} assets @param {string} name */
function taken(assets, name) {
  const packed = assets[name];
  delete assets[name];
  return packed;
}

// Gzip bytes to a stream of bytes, so that the whole exists only once.
/** @param {ArrayBuffer} packed */
function unpacked(packed) {
  const gunzip = new DecompressionStream("gzip");
  const writer = gunzip.writable.getWriter();
  writer.write(packed).then(() => writer.close()).catch(() => {}); // who reads the stream learns of it
  return gunzip.readable;
}

// The last four of gzip bytes say how many there are unpacked (RFC 1952, ISIZE).
/** @param {ArrayBuffer} packed */
function unpackedLength(packed) {
  return new DataView(packed, packed.byteLength - 4).getUint32(0, true);
}

// Gives the unpacked bytes piece by piece, each with where it begins.
/** @param {ArrayBuffer} packed @param {(piece: Uint8Array, start: number) => void} take */
async function eachPiece(packed, take) {
  let start = 0;
  const reader = unpacked(packed).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(value, start);
    start += value.length;
    freed(value);
  }
}

// Gzip bytes to bytes.
/** @param {ArrayBuffer} packed */
async function unpack(packed) {
  const bytes = new Uint8Array(unpackedLength(packed));
  await eachPiece(packed, (piece, start) => bytes.set(piece, start));
  return bytes;
}

// The same for bytes that nobody will ask for again.
/** @param {ArrayBuffer} packed */
async function unpackOnce(packed) {
  const bytes = await unpack(packed);
  freed(packed);
  return bytes;
}
