// Networks on a graphics card. Each is compared there with WebAssembly on the golden image before anything else runs on it
// (sitegen_runtime/golden.py). A graph with an operator that the card lacks is refused as a whole: no part of it goes to the
// processor in silence. Whatever goes wrong, the page starts a worker without WebGPU and repeats what was being done.
const ON_CARD = { executionProviders: ["webgpu"], extra: { session: { disable_cpu_ep_fallback: "1" } } };
const references = new Map(); // role -> its session on WebAssembly, while it is being compared
let isWatched = false;

function cardFailure(error) {
  return Object.assign(new Error(String(error?.message ?? error)), { code: "no-webgpu" });
}

// `create` makes a session of the role's graph with the options that it is given.
async function startOnCard(role, create) {
  try {
    sessions.set(role, await create(ON_CARD));
    await watchOverCard();
    references.set(role, await create({ executionProviders: ["wasm"] }));
    const verdict = await compared(role);
    postMessage({ kind: "compared", verdict });
    if (verdict.problem) throw new Error(verdict.problem);
  } catch (error) {
    throw cardFailure(error);
  } finally {
    await references.get(role)?.release();
    references.delete(role);
  }
}

async function compared(role) {
  const work = new Comparing({ id: activeJob });
  const nothing = pyodide.toPy(new Uint8Array());
  const session = Session(nothing, "golden", await descriptionOf(current), JSON.stringify({ kind: "golden", role, engine: {} }));
  nothing.destroy();
  try {
    return (await work.follow(session)).verdict;
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
    postMessage({ kind: "fatal", code: "no-webgpu", message: `the graphics card was lost: ${message || "no reason was given"}` });
  });
}
