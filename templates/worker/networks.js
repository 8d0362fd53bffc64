// ONNX Runtime Web: one session a graph, WebAssembly, one thread, of one bundle at a time. Those that every image needs are
// made when the bundle is taken up; the others when they are first asked for, from files that the page has kept.
const sessions = new Map();
let current = null; // the bundle of the sessions; its graphs are {role: {file, weights}}
let filesFromPage = null;

async function startNetworks(assets, bundle) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await unpack(assets["ort-wasm-simd-threaded.wasm"]);
  await makeSessions(bundle, assets);
  ort.env.wasm.wasmBinary = undefined; // 14 MB that nobody needs any more
}

async function makeSessions(bundle, assets) {
  current = bundle;
  for (const role of bundle.roles) await startNetwork(role, assets);
}

// Another bundle's networks in the place of these: memory holds those of one.
async function changeNetworks(bundle) {
  if (bundle === current) return;
  current = null;
  for (const session of sessions.values()) await session.release();
  sessions.clear();
  await makeSessions(bundle, await askPageFor(bundle.start));
}

async function startNetwork(role, assets) {
  const { file, weights } = current.graphs[role];
  const model = await unpack(assets[file]);
  const externalData = [];
  for (const [path, name] of Object.entries(weights)) externalData.push({ path, data: await unpack(assets[name]) });
  sessions.set(role, await ort.InferenceSession.create(model, { executionProviders: ["wasm"], externalData }));
}

// Compressed files of the bundle by name. They are not kept here, where most people never need them.
function askPageFor(names) {
  return new Promise((resolve, reject) => {
    filesFromPage = (files) => (files ? resolve(files) : reject(new Error("The page could not read the network's files again.")));
    postMessage({ kind: "files", names });
  });
}

async function loadGraph({ role }) {
  if (sessions.has(role)) return;
  const { file, weights } = current.graphs[role];
  await startNetwork(role, await askPageFor([file, ...Object.values(weights)]));
}

async function readFile({ name }) {
  const asset = current.files[name];
  return unpack((await askPageFor([asset]))[asset]);
}

// The values of all inputs follow each other in `bytes`.
async function runGraph({ role, inputs, outputs }, bytes) {
  const feeds = {};
  let offset = bytes.byteOffset;
  for (const { name, shape } of inputs) {
    const values = new Float32Array(bytes.buffer, offset, shape.reduce((product, size) => product * size, 1));
    feeds[name] = new ort.Tensor("float32", values, shape);
    offset += values.byteLength;
  }
  const results = await sessions.get(role).run(feeds, outputs);
  const buffers = outputs.map((name) => new Uint8Array(new Float32Array(results[name].data).buffer));
  for (const result of Object.values(results)) result.dispose();
  return buffers;
}
