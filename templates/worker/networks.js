// ONNX Runtime Web: one session a graph, of one bundle at a time, on WebAssembly or on a graphics card. Those that every
// image needs are made when the bundle is taken up; the others when they are first asked for, from files that the page has
// kept. With little memory there is one session at a time, made when it is needed and gone with the next.
const sessions = new Map();
let current = null; // the bundle of the sessions; its graphs are {role: {file, weights}}
let filesFromPage = null;
let isOnCard = false;
let isOneAtATime = false;

async function startNetworks(assets, bundle, provider, isLow) {
  isOnCard = provider === "webgpu";
  isOneAtATime = isLow;
  const binary = isOnCard ? "webgpu/ort-wasm-simd-threaded.asyncify.wasm" : "ort-wasm-simd-threaded.wasm";
  const program = (ort.env.wasm.wasmBinary = await unpackOnce(taken(assets, binary)));
  await makeSessions(bundle, assets);
  ort.env.wasm.wasmBinary = undefined;
  freed(program); // to which the engine still refers
}

async function makeSessions(bundle, assets) {
  current = bundle;
  const roles = isOneAtATime ? bundle.roles.slice(-1) : bundle.roles; // the last runs first
  for (const role of roles) await startNetwork(role, assets);
  Object.values(assets).forEach(freed);
}

// Another bundle's networks in the place of these: memory holds those of one.
async function changeNetworks(bundle) {
  if (bundle === current) return;
  current = null;
  await releaseSessions();
  await makeSessions(bundle, await askPageFor(bundle.start));
}

async function releaseSessions() {
  for (const session of sessions.values()) await session.release();
  sessions.clear();
}

async function startNetwork(role, assets) {
  const { file, weights } = current.graphs[role];
  const model = await unpack(assets[file]);
  const externalData = [];
  for (const [path, name] of Object.entries(weights)) externalData.push({ path, data: await unpack(assets[name]) });
  const thrift = isOneAtATime ? { enableCpuMemArena: false, enableMemPattern: false } : {}; // nothing is held for a next run
  const create = (options) => ort.InferenceSession.create(model, { ...thrift, ...options, externalData });
  if (isOnCard) await startOnCard(role, create);
  else sessions.set(role, await create({ executionProviders: ["wasm"] }));
  for (const bytes of [model, ...externalData.map(({ data }) => data)]) freed(bytes); // the engine has its own copy
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
  if (isOneAtATime) await releaseSessions();
  const { file, weights } = current.graphs[role];
  const files = await askPageFor([file, ...Object.values(weights)]);
  await startNetwork(role, files);
  Object.values(files).forEach(freed);
}

async function readFile({ name }) {
  const asset = current.files[name];
  return unpackOnce((await askPageFor([asset]))[asset]);
}

// The values of all inputs follow each other in `bytes`. A `reference` runs on WebAssembly.
async function runGraph({ role, inputs, outputs, reference }, bytes) {
  const feeds = {};
  let offset = bytes.byteOffset;
  for (const { name, shape } of inputs) {
    const values = new Float32Array(bytes.buffer, offset, shape.reduce((product, size) => product * size, 1));
    feeds[name] = new ort.Tensor("float32", values, shape);
    offset += values.byteLength;
  }
  await loadGraph({ role }); // which is made already, but for little memory
  const session = (reference ? references : sessions).get(role);
  const results = await session.run(feeds, outputs).catch((error) => {
    throw isOnCard && !reference ? cardFailure(error) : error;
  });
  const buffers = outputs.map((name) => new Uint8Array(new Float32Array(results[name].data).buffer));
  for (const result of Object.values(results)) result.dispose();
  return buffers;
}
