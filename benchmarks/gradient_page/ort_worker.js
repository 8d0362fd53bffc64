// ONNX Runtime Web as the site has it: in a worker, WebAssembly, one thread, weights in a file beside the graphs.
importScripts("calls.js", "heap.js", "ort.js");

const providers = { executionProviders: ["wasm"] };
const sessions = new Map();
const feedsOf = new Map();
let feeds = {};

async function start({ identity, image, seed, threads = 1 }) {
  ort.env.wasm.numThreads = threads;
  globalThis.ortModuleAddress = new URL("ort.mjs", location.href).href;
  ort.env.wasm.wasmBinary = await load("ort-wasm-simd-threaded.wasm");
  feeds = image ? { image: tensor(image), seed: tensor(seed) } : {};
  // The first session compiles the engine; the sessions that are timed should not pay for that.
  await ort.InferenceSession.create(new Uint8Array(await load(identity)), providers);
  ort.env.wasm.wasmBinary = undefined;
}

function tensor({ values, shape }) {
  return new ort.Tensor("float32", Float32Array.from(values), shape);
}

// Returns the milliseconds of making a session, loading apart. `own` are inputs of this graph alone.
async function create({ graph, weights, own = {} }) {
  const model = new Uint8Array(await load(graph));
  const externalData = [{ path: weights.split("/").pop(), data: new Uint8Array(await load(weights)) }];
  const start = performance.now();
  sessions.set(graph, await ort.InferenceSession.create(model, { ...providers, externalData }));
  feedsOf.set(graph, Object.fromEntries(Object.entries(own).map(([name, values]) => [name, tensor(values)])));
  return performance.now() - start;
}

function inputsOf(graph, explain) {
  const session = sessions.get(graph);
  const given = { ...feeds, ...feedsOf.get(graph), explain: new ort.Tensor("bool", [explain ?? false], []) };
  return Object.fromEntries(session.inputNames.map((name) => [name, given[name]]));
}

// Returns the milliseconds of so many runs.
async function time({ graph, explain, runs = 1 }) {
  const session = sessions.get(graph);
  const inputs = inputsOf(graph, explain);
  const start = performance.now();
  for (let number = 0; number < runs; number++) {
    const results = await session.run(inputs);
    for (const result of Object.values(results)) result.dispose();
  }
  return performance.now() - start;
}

async function results({ graph, explain }) {
  const session = sessions.get(graph);
  const given = await session.run(inputsOf(graph, explain));
  return Object.fromEntries(Object.entries(given).map(([output, { data }]) => [output, Array.from(data)]));
}

answerCalls({ start, create, time, results, heap: heapMegabytes });
