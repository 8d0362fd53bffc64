// Pyodide fetches its files from an address; this answers from memory. Nothing else can be fetched: the page's policy
// forbids connections, and an unknown name fails here with a message that says which.
const EMBEDDED = "embedded://sitegen/";
const embeddedFiles = new Map(); // name -> packed bytes

function contentType(name) {
  return name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
}

self.fetch = async (resource) => {
  const address = typeof resource === "string" ? resource : (resource.url ?? String(resource));
  const name = address.startsWith(EMBEDDED) ? address.slice(EMBEDDED.length) : null;
  const packed = embeddedFiles.get(name);
  if (!packed) throw new TypeError(`not part of this site: ${address}`);
  return new Response(unpacked(packed), { headers: { "content-type": contentType(name) } });
};

// An asset that nobody will ask for again: what was taken can be forgotten as soon as it is unpacked.
function taken(assets, name) {
  const packed = assets[name];
  delete assets[name];
  return packed;
}

// Gzip bytes to a stream of bytes, so that the whole exists only once.
function unpacked(packed) {
  const gunzip = new DecompressionStream("gzip");
  const writer = gunzip.writable.getWriter();
  writer.write(packed).then(() => writer.close()).catch(() => {}); // who reads the stream learns of it
  return gunzip.readable;
}

// Gzip bytes to bytes, of which the last four say how many there are (RFC 1952, ISIZE).
async function unpack(packed) {
  const bytes = new Uint8Array(new DataView(packed, packed.byteLength - 4).getUint32(0, true));
  let length = 0;
  const reader = unpacked(packed).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes.set(value, length);
    length += value.length;
    freed(value);
  }
}

// The same for bytes that nobody will ask for again.
async function unpackOnce(packed) {
  const bytes = await unpack(packed);
  freed(packed);
  return bytes;
}
