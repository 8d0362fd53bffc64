// Pyodide fetches its files from an address; this answers from memory. Nothing else can be fetched: the page's policy
// forbids connections, and an unknown name fails here with a message that says which.
const EMBEDDED = "embedded://sitegen/";
const embeddedFiles = new Map(); // name -> Uint8Array

function contentType(name) {
  return name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
}

self.fetch = async (resource) => {
  const address = typeof resource === "string" ? resource : (resource.url ?? String(resource));
  const name = address.startsWith(EMBEDDED) ? address.slice(EMBEDDED.length) : null;
  const bytes = embeddedFiles.get(name);
  if (!bytes) throw new TypeError(`not part of this site: ${address}`);
  return new Response(bytes, { headers: { "content-type": contentType(name) } });
};

// Gzip bytes to bytes.
async function unpack(packed) {
  const gunzip = new DecompressionStream("gzip");
  const writer = gunzip.writable.getWriter();
  const written = writer.write(packed).then(() => writer.close());
  const [bytes] = await Promise.all([new Response(gunzip.readable).arrayBuffer(), written]);
  return new Uint8Array(bytes);
}
