// Each further thread of ONNX Runtime Web is a worker of its own, which loads the engine's module as it was published. It
// is made here, from a part of the site that was checked, and so obeys the page's policy: it cannot connect either.
const THREADS_MS = 8_000; // to start them; where something keeps them from starting, they never do

// Runs `start`, which makes the first session, with so many threads. Where that fails the page starts another worker, with
// one thread: the engine cannot be started twice in one.
/** @param {number} count @param {ArrayBuffer} packedModule @param {() => Promise<void>} start */
async function withThreads(count, packedModule, start) {
  ort.env.wasm.numThreads = count;
  if (count === 1) return start();
  const module = new Blob([await unpack(packedModule)], { type: "text/javascript" });
  globalThis.ortModuleAddress = URL.createObjectURL(module);
  ort.env.wasm.initTimeout = THREADS_MS;
  try {
    return await start();
  } catch (error) {
    throw coded("no-threads", error);
  }
}
