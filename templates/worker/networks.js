// ONNX Runtime Web: one session a graph of the bundle, WebAssembly, one thread. Those that every image needs are made at the
// start; the others when they are first asked for, from files that the page has kept.
const sessions = new Map();
let graphs = {}; // role -> {file, weights}
let files = {}; // of the bundle, by their name there, that Python reads itself
let filesFromPage = null;

async function startNetworks(assets, boot) {
  ({ graphs, files } = boot);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await unpack(assets["ort-wasm-simd-threaded.wasm"]);
  for (const role of boot.roles) await startNetwork(role, assets);
  ort.env.wasm.wasmBinary = undefined; // 14 MB that nobody needs any more
}

async function startNetwork(role, assets) {
  const { file, weights } = graphs[role];
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
  const { file, weights } = graphs[role];
  await startNetwork(role, await askPageFor([file, ...Object.values(weights)]));
}

async function readFile({ name }) {
  const asset = files[name];
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
