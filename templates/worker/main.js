// The worker: Python decides what happens next, this answers its requests (see sitegen_runtime/requests.py).
/** @type {Pyodide} */
let pyodide;
/** @type {StartSession} */
let Session;
/** @type {EngineEntry} */
let engine;
/** @type {BundleEntry[]} */
let bundles = [];
/** @type {Map<BundleEntry, PyProxy>} */
const descriptions = new Map(); // bundle -> its bundle.json in Python's hands: kilobytes, kept of every one that was used
/** @type {Set<number>} */
const cancelled = new Set();
let wheel = ""; // the asset with all of the runtime
let activeJob = -1;
const DICOM = "application/dicom";

/** @returns {Promise<void>} */
function nextTask() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(null);
  });
}

// Held for as long as this worker lives (see the page's engine.js).
/** @param {string} name */
function holdLifeline(name) {
  const forever = () => {
    tellPage({ kind: "alive" });
    return new Promise(() => {});
  };
  navigator.locks?.request(name, forever).catch(() => {});
}

/** @param {BundleEntry} bundle @param {Packed} [assets] */
async function descriptionOf(bundle, assets) {
  const known = descriptions.get(bundle);
  if (known) return known;
  const packed = assets ?? (await askPageFor([bundle.description]));
  /** @type {PyProxy} */
  const description = pyodide.toPy(await unpack(packed[bundle.description]));
  descriptions.set(bundle, description);
  return description;
}

/** @param {BootMessage} message */
async function boot({ lifeline, assets, boot, bundles: all }) {
  holdLifeline(lifeline);
  bundles = all;
  wheel = boot.wheel;
  /** @type {Record<string, number>} */
  const times = {};
  /** @template T @param {"python" | "networks"} stage @param {() => Promise<T>} work */
  const timed = async (stage, work) => {
    const start = performance.now();
    tellPage({ kind: "booting", stage });
    const result = await work();
    times[stage] = Math.round(performance.now() - start);
    return result;
  };
  if (!canvasKeepsPixels()) {
    throw new Error("This browser changes the pixels that pages read (protection against fingerprinting), so no result could be trusted. Allow this page to read canvas data, or use another browser.");
  }
  await chooseDecoder(boot.decoder);
  pyodide = await timed("python", () => startPython(assets, boot));
  Session = pyodide.pyimport("sitegen_runtime.browser").Session;
  pyodide.pyimport("sitegen_runtime.formats.jpeg_tables").count_by(countBlocks);
  await descriptionOf(bundles[0], assets);
  const { provider = "wasm", threads = 1, isLow = false, note = null } = boot;
  const start = () => startNetworks(assets, bundles[0], provider, isLow);
  await timed("networks", () => withThreads(threads, assets["ort-thread.mjs"], start));
  engine = { ...boot.engine, provider, threads, ...(note ? { note } : {}) };
  tellPage({ kind: "ready", times, engine });
  warmUpSoon(isLow);
}

// The whole image as it was analysed, for maps that are looked at closely; no number comes of it.
/** @param {PictureMessage} message */
async function picture({ id, bytes, details }) {
  tellPage({ kind: "accepted", id });
  await endWarmUp();
  const work = new Work(id, bytes);
  if (details.type === DICOM) await shadeAgain(work, bytes);
  const preview = await work.preview(details);
  work.opened?.close();
  tellPage({ kind: "result", id, preview }, preview ? [preview] : []);
}

/** @param {Work} work @param {ArrayBuffer} bytes */
async function shadeAgain(work, bytes) {
  await completeFor(pyodide, wheel, bytes);
  const data = pyodide.toPy(new Uint8Array(bytes));
  const session = Session(data, "picture", await descriptionOf(currentBundle()), JSON.stringify({ kind: "picture", engine }));
  data.destroy();
  try {
    await work.follow(session);
  } finally {
    session.destroy();
  }
}

// Whether adversarial noise is asked for.
/** @param {object & { what_if?: unknown }} details */
function hasNoise({ what_if }) {
  return Array.isArray(what_if) && what_if.some((entry) => entry?.attack);
}

/** @param {JobMessage} job */
async function answer(job) {
  tellPage({ kind: "accepted", id: job.id });
  await endWarmUp();
  activeJob = job.id;
  const work = new Work(job.id, job.bytes);
  const { kind, details } = job;
  const bundle = bundles.find(({ name }) => name === job.bundle);
  if (!bundle) throw new Error(`There is no model ${job.bundle}.`);
  const description = await descriptionOf(bundle);
  const isRunning = kind !== "draw" && kind !== "words"; // those run no network, and their bytes are no image's
  if (isRunning && bundle !== current) {
    tellPage({ kind: "progress", id: job.id, stage: "bundle", done: 0 });
    await changeNetworks(bundle);
  }
  if (isRunning) await completeFor(pyodide, wheel, job.bytes, hasNoise(details));
  const data = pyodide.toPy(new Uint8Array(job.bytes));
  const tell = (/** @type {number} */ done) => tellPage({ kind: "progress", id: job.id, stage: "check", done });
  const session = Session(data, job.name, description, JSON.stringify({ ...details, kind, engine }), tell);
  data.destroy();
  try {
    const end = await work.follow(session);
    const isDrawn = kind === "analyse" && end.document && !("error" in end.document);
    const preview = isDrawn ? await work.preview(end) : null;
    const large = [preview, end.bytes?.buffer].filter((each) => each != null);
    const result = { ...end, kind: "result", id: job.id, preview };
    tellPage(/** @type {FromWorker} */ (result), large);
  } finally {
    work.opened?.close();
    session.destroy();
    cancelled.delete(job.id);
  }
}

/** @param {ToWorker} message */
async function obey(message) {
  switch (message.kind) {
    case "boot":
      return boot(message);
    case "picture":
      return picture(message);
    case "cancel":
      return cancelled.add(message.id);
    case "decoded":
      return bitmapFromPage(message.bitmap);
    case "files":
      return filesFromPage(message.files);
    case "cells":
      return cellsFromPage(message.answer);
    default:
      return answer(message);
  }
}

self.onmessage = async ({ data }) => {
  try {
    await obey(data);
  } catch (caught) {
    // Python answers every failure of an image with a document: what arrives here has broken the worker itself.
    const error = /** @type {CodedError} */ (caught);
    tellPage({ kind: "fatal", message: String(error?.message ?? error), code: error?.code });
  }
};
