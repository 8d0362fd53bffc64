// ONNX Runtime Web: one session a graph of the bundle, WebAssembly, one thread.
const sessions = new Map();

async function startNetworks(assets, boot) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await unpack(assets["ort-wasm-simd-threaded.wasm"]);
  for (const [role, graph] of Object.entries(boot.graphs)) {
    const model = await unpack(assets[graph.file]);
    const externalData = [];
    for (const [path, name] of Object.entries(graph.weights)) {
      externalData.push({ path, data: await unpack(assets[name]) });
    }
    sessions.set(role, await ort.InferenceSession.create(model, { executionProviders: ["wasm"], externalData }));
  }
  ort.env.wasm.wasmBinary = undefined; // 14 MB that nobody needs any more
}

async function runGraph({ role, input, shape, outputs }, bytes) {
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const tensor = new ort.Tensor("float32", values, shape);
  const results = await sessions.get(role).run({ [input]: tensor }, outputs);
  const buffers = outputs.map((name) => new Uint8Array(Float32Array.from(results[name].data).buffer));
  for (const result of Object.values(results)) result.dispose();
  return buffers;
}
