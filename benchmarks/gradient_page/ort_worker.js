// ONNX Runtime Web as the site has it: in a worker, WebAssembly, one thread, weights in a file beside the graphs.
importScripts("calls.js", "heap.js", "ort.js");

const providers = { executionProviders: ["wasm"] };
const sessions = new Map();
let feeds = {};

async function start({ identity, image, seed }) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await load("ort-wasm-simd-threaded.wasm");
  feeds = { image: tensor(image), seed: tensor(seed) };
  // The first session compiles the engine; the sessions that are timed should not pay for that.
  await ort.InferenceSession.create(new Uint8Array(await load(identity)), providers);
  ort.env.wasm.wasmBinary = undefined;
}

function tensor({ values, shape }) {
  return new ort.Tensor("float32", Float32Array.from(values), shape);
}

// Returns the milliseconds of making a session, loading apart.
async function create({ graph, weights }) {
  const model = new Uint8Array(await load(graph));
  const externalData = [{ path: weights, data: new Uint8Array(await load(weights)) }];
  const start = performance.now();
  sessions.set(graph, await ort.InferenceSession.create(model, { ...providers, externalData }));
  return performance.now() - start;
}

function inputsOf(session, explain) {
  const given = { ...feeds, explain: new ort.Tensor("bool", [explain], []) };
  return Object.fromEntries(session.inputNames.map((name) => [name, given[name]]));
}

// Returns the milliseconds of one run.
async function time({ graph, explain }) {
  const session = sessions.get(graph);
  const inputs = inputsOf(session, explain);
  const start = performance.now();
  const results = await session.run(inputs);
  const milliseconds = performance.now() - start;
  for (const result of Object.values(results)) result.dispose();
  return milliseconds;
}

async function results({ graph, explain }) {
  const session = sessions.get(graph);
  const given = await session.run(inputsOf(session, explain));
  return Object.fromEntries(Object.entries(given).map(([output, { data }]) => [output, Array.from(data)]));
}

answerCalls({ start, create, time, results, heap: heapMegabytes });
