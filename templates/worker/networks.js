// ONNX Runtime Web: one session a graph, of one bundle at a time, on WebAssembly or on a graphics card. Those that every
// image needs are made when the bundle is taken up; the others when they are first asked for, from files that the page has
// kept. With little memory there is one session at a time, made when it is needed and gone with the next.
/** @type {Map<string, OrtSession>} */
const sessions = new Map();
/** @type {BundleEntry | null} */
let current = null; // the bundle of the sessions
/** @type {(files: Packed | null) => void} */
let filesFromPage = () => {};
let isOnCard = false;
let isOneAtATime = false;

/** @param {Packed} assets @param {BundleEntry} bundle @param {Plan["provider"]} provider @param {boolean} isLow */
async function startNetworks(assets, bundle, provider, isLow) {
  isOnCard = provider === "webgpu";
  isOneAtATime = isLow;
  const binary = isOnCard ? "webgpu/ort-wasm-simd-threaded.asyncify.wasm" : "ort-wasm-simd-threaded.wasm";
  const program = (ort.env.wasm.wasmBinary = await unpackOnce(taken(assets, binary)));
  await makeSessions(bundle, assets);
  ort.env.wasm.wasmBinary = undefined;
  freed(program); // to which the engine still refers
}

/** @param {BundleEntry} bundle @param {Packed} assets */
async function makeSessions(bundle, assets) {
  current = bundle;
  const roles = isOneAtATime ? bundle.roles.slice(-1) : bundle.roles; // the last runs first
  for (const role of roles) await startNetwork(role, assets);
  Object.values(assets).forEach(freed);
}

function currentBundle() {
  if (!current) throw new Error("No model's networks are ready.");
  return current;
}

// Another bundle's networks in the place of these: memory holds those of one.
/** @param {BundleEntry} bundle */
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

/** @param {string} role @param {Packed} assets */
async function startNetwork(role, assets) {
  const { file, weights } = currentBundle().graphs[role];
  const model = await unpack(assets[file]);
  /** @type {{ path: string, data: Uint8Array<ArrayBuffer> }[]} */
  const externalData = [];
  for (const [path, name] of Object.entries(weights)) externalData.push({ path, data: await unpackWeights(assets, name) });
  const thrift = isOneAtATime ? { enableCpuMemArena: false, enableMemPattern: false } : {}; // nothing is held for a next run
  const create = (/** @type {SessionOptions} */ options) => ort.InferenceSession.create(model, { ...thrift, ...options, externalData });
  if (isOnCard) await startOnCard(role, create);
  else sessions.set(role, await create({ executionProviders: ["wasm"] }));
  for (const bytes of [model, ...externalData.map(({ data }) => data)]) freed(bytes); // the engine has its own copy
}

// Compressed files of the bundle by name. They are not kept here, where most people never need them.
/** @param {string[]} names @returns {Promise<Packed>} */
function askPageFor(names) {
  return new Promise((resolve, reject) => {
    filesFromPage = (files) => (files ? resolve(files) : reject(new Error("The page could not read the network's files again.")));
    tellPage({ kind: "files", names });
  });
}

/** @param {{ role: string }} request */
async function loadGraph({ role }) {
  if (sessions.has(role)) return;
  if (isOneAtATime) await releaseSessions();
  const { file, weights } = currentBundle().graphs[role];
  const files = await askPageFor([file, ...Object.values(weights)]);
  await startNetwork(role, files);
  Object.values(files).forEach(freed);
}

/** @param {{ name: string }} request */
async function readFile({ name }) {
  const asset = currentBundle().files[name];
  return unpackOnce((await askPageFor([asset]))[asset]);
}

// The values of all inputs follow each other in `bytes`. A `reference` runs on WebAssembly.
/** @param {RunRequest} request @param {Uint8Array<ArrayBuffer>} bytes */
async function runGraph({ role, inputs, outputs, reference }, bytes) {
  /** @type {Record<string, OrtTensor>} */
  const feeds = {};
  let offset = bytes.byteOffset;
  for (const { name, shape } of inputs) {
    const values = new Float32Array(bytes.buffer, offset, shape.reduce((product, size) => product * size, 1));
    feeds[name] = new ort.Tensor("float32", values, shape);
    offset += values.byteLength;
  }
  await loadGraph({ role }); // which is made already, but for little memory
  const session = (reference ? references : sessions).get(role);
  if (!session) throw new Error(`The network ${role} is not ready.`);
  const results = await session.run(feeds, outputs).catch((error) => {
    throw isOnCard && !reference ? cardFailure(error) : error;
  });
  const buffers = outputs.map((name) => new Uint8Array(new Float32Array(/** @type {Float32Array} */ (results[name].data)).buffer));
  for (const result of Object.values(results)) result.dispose();
  return buffers;
}
