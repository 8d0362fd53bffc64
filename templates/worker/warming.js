// The first image pays for more than itself: code is compiled at its first run, memory is asked for, tables are filled. While
// a person looks for a file, a drawn picture pays for it. A job never waits for more of it than the step that is under way.
const WARM_AFTER_MS = 1_000; // who has a file at hand gives it by then, and is not kept waiting
const WARM_SIDE = 512;
let warmUpOver = Promise.resolve();
let isWarmUpWanted = true;

// An analysis that nobody hears of.
class WarmUp extends Work {
  /** @param {PythonRequest} request */
  async meet(request) {
    await nextTask(); // lets a job in
    if (!isWarmUpWanted) throw coded("cancelled", "cancelled");
    return request.kind === "progress" ? null : super.meet(request);
  }
}

// Little memory is not spent ahead, a graphics card has run every network by then, and where the page has to decode
// (WebKit, from a disk) this worker cannot read what it draws.
/** @param {boolean} isLow */
function warmUpSoon(isLow) {
  if (isLow || isOnCard || !decodesHere) return;
  setTimeout(() => {
    if (isWarmUpWanted) warmUpOver = warmUp().catch((error) => console.warn("Nothing was run ahead.", error));
  }, WARM_AFTER_MS);
}

/** @returns {Promise<void>} when the worker is free for a job */
function endWarmUp() {
  isWarmUpWanted = false;
  return warmUpOver;
}

async function warmUp() {
  const description = await descriptionOf(currentBundle());
  for (const type of ["image/jpeg", "image/png"]) {
    if (!isWarmUpWanted) return;
    await analyseUnheard(await drawnPicture(type), description);
  }
}

/** @param {ArrayBuffer} bytes @param {PyProxy} description */
async function analyseUnheard(bytes, description) {
  const work = new WarmUp(-1, bytes);
  const data = pyodide.toPy(new Uint8Array(bytes));
  const session = Session(data, "drawn", description, JSON.stringify({ kind: "analyse", force: true, explain: [], engine }));
  data.destroy();
  try {
    await work.follow(session);
    (await work.preview({}))?.close();
  } finally {
    work.opened?.close();
    session.destroy();
  }
}

/** @param {string} type */
async function drawnPicture(type) {
  const canvas = new OffscreenCanvas(WARM_SIDE, WARM_SIDE);
  const context = penOf(canvas, { alpha: false });
  for (let step = 0; step < WARM_SIDE; step += 8) {
    context.fillStyle = `rgb(${step % 256} ${step % 256} ${step % 256})`;
    context.fillRect(step, (step * 5) % WARM_SIDE, WARM_SIDE / 2, WARM_SIDE / 4);
  }
  return (await canvas.convertToBlob({ type })).arrayBuffer();
}
