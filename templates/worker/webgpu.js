// Networks on a graphics card. Each is compared there with WebAssembly on the golden image before anything else runs on it
// (sitegen_runtime/golden.py). A graph with an operator that the card lacks is refused as a whole: no part of it goes to the
// processor in silence. Whatever goes wrong, the page starts a worker without WebGPU and repeats what was being done.
/** @type {SessionOptions} */
const ON_CARD = { executionProviders: ["webgpu"], extra: { session: { disable_cpu_ep_fallback: "1" } } };
/** @type {Map<string, OrtSession>} */
const references = new Map(); // role -> its session on WebAssembly, while it is being compared
let isWatched = false;

/** @param {unknown} error */
function cardFailure(error) {
  return coded("no-webgpu", error);
}

// `create` makes a session of the role's graph with the options that it is given.
/** @param {string} role @param {(options: SessionOptions) => Promise<OrtSession>} create */
async function startOnCard(role, create) {
  try {
    sessions.set(role, await create(ON_CARD));
    await watchOverCard();
    references.set(role, await create({ executionProviders: ["wasm"] }));
    const verdict = await compared(role);
    tellPage({ kind: "compared", verdict });
    if (verdict.problem) throw new Error(verdict.problem);
  } catch (error) {
    throw cardFailure(error);
  } finally {
    await references.get(role)?.release();
    references.delete(role);
  }
}

/** @param {string} role */
async function compared(role) {
  const work = new Comparing(activeJob);
  const nothing = pyodide.toPy(new Uint8Array());
  const session = Session(nothing, "golden", await descriptionOf(currentBundle()), JSON.stringify({ kind: "golden", role, engine: {} }));
  nothing.destroy();
  try {
    const { verdict } = await work.follow(session);
    if (!verdict) throw new Error("the comparison has no end");
    return verdict;
  } finally {
    work.opened?.close();
    session.destroy();
  }
}

async function watchOverCard() {
  if (isWatched) return;
  isWatched = true;
  const device = await ort.env.webgpu.device;
  device.lost.then(({ message }) => {
    tellPage({ kind: "fatal", code: "no-webgpu", message: `the graphics card was lost: ${message || "no reason was given"}` });
  });
}
