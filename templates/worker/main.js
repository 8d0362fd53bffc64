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
  await descriptionOf(bundles[0], assets);
  const { provider = "wasm", threads = 1, isLow = false, note = null } = boot;
  const start = () => startNetworks(assets, bundles[0], provider, isLow);
  await timed("networks", () => withThreads(threads, assets["ort-thread.mjs"], start));
  engine = { ...boot.engine, provider, threads, ...(note ? { note } : {}) };
  tellPage({ kind: "ready", times, engine });
}

// What a message from Python asks for.
/** @param {PythonMessage} message */
function take(message) {
  const kind = message.get(0);
  const fields = JSON.parse(message.get(1));
  const content = message.get(2);
  /** @type {Uint8Array<ArrayBuffer> | null} */
  let bytes = null;
  if (content) {
    const buffer = content.getBuffer("u8");
    bytes = new Uint8Array(buffer.data);
    buffer.release();
    content.destroy();
  }
  message.destroy();
  return /** @type {PythonRequest} */ ({ kind, fields, bytes });
}

/** @param {PythonSession} session @param {unknown} value */
function give(session, value) {
  const proxy = value !== null && typeof value === "object" ? pyodide.toPy(value) : value;
  try {
    return session.answer(proxy);
  } finally {
    proxy?.destroy?.();
  }
}

class Work {
  /** @param {number} id of the job @param {ArrayBuffer} [bytes] of its file */
  constructor(id, bytes) {
    this.id = id;
    this.bytes = bytes;
    /** @type {DecodedImage | null} */
    this.opened = null;
    /** @type {ShadedImage | null} */
    this.shaded = null;
  }

  // Gives Python what it asks for.
  /** @param {PythonRequest} request */
  async meet({ kind, fields, bytes }) {
    switch (kind) {
      case "progress":
        return this.progress(fields);
      case "open":
        return this.open(fields.type, bytes);
      case "rows":
        return this.opened?.rows(fields);
      case "decode":
        return decodeFrame(fields, bytes);
      case "shade":
        return (this.shaded = shaded(fields, /** @type {Uint8Array<ArrayBuffer>} */ (bytes))).luma;
      case "load":
        return loadGraph(fields).then(() => null);
      case "file":
        return readFile(fields);
      case "sketch":
        return this.sketch(fields, /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
      case "run":
        return runGraph(fields, /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
      default:
        throw new Error(`Python asks for ${kind}.`);
    }
  }

  /** @param {{ stage: string, done: number }} fields @returns {Promise<null>} */
  async progress(fields) {
    tellPage({ kind: "progress", id: this.id, ...fields });
    await nextTask(); // lets a cancel message in
    if (cancelled.has(this.id)) throw coded("cancelled", "cancelled");
    return null;
  }

  // A map as far as it has come.
  /** @param {Omit<MapResult, "bytes">} fields @param {Uint8Array<ArrayBuffer>} bytes @returns {null} */
  sketch(fields, bytes) {
    tellPage({ kind: "sketch", id: this.id, ...fields, bytes }, [bytes.buffer]);
    return null;
  }

  /** @param {string} type @param {Uint8Array<ArrayBuffer> | null} payload */
  async open(type, payload) {
    this.opened = await DecodedImage.decode(payload ?? new Uint8Array(), type);
    return JSON.stringify([this.opened.bitmap.width, this.opened.bitmap.height]);
  }

  /** @param {PythonSession} session @returns {Promise<JobEnd>} */
  async follow(session) {
    let message = session.begin();
    for (;;) {
      const request = take(message);
      if (request.kind === "end") return { ...request.fields, bytes: request.bytes };
      let answer;
      try {
        answer = await this.meet(request);
      } catch (caught) {
        const error = /** @type {CodedError} */ (caught);
        if (error.code === "no-webgpu") throw error; // another worker will do it all again
        message = session.fail(error.code ?? "engine-failed", String(error.message ?? error));
        continue;
      }
      message = give(session, answer);
    }
  }

  // What is drawn from here on.
  /** @param {ImageBitmap} bitmap */
  draw(bitmap) {
    this.opened?.close();
    this.opened = new DecodedImage(bitmap);
    this.shaded = null;
  }

  /** @param {Partial<PictureDetails>} details */
  async preview({ orientation = 1, inverted = false, side = PREVIEW_SIDE }) {
    try {
      if (this.shaded) this.draw(await bitmapOfShaded(this.shaded, side));
      this.opened ??= new DecodedImage(await bitmapOf(this.bytes ?? new Uint8Array(), ""));
      return previewOf(this.opened.bitmap, orientation, inverted, side);
    } catch {
      return null; // the result stands without its picture
    }
  }
}

// A network that is compared with itself on the golden image, for as long as that takes.
class Comparing extends Work {
  /** @param {PythonRequest} request */
  async meet(request) {
    if (request.kind !== "file") return super.meet(request);
    const content = await readFile(request.fields);
    await completeFor(pyodide, wheel, content.slice(0, BEGINNING).buffer); // the golden image may be DICOM
    return content;
  }

  async progress() {
    tellPage({ kind: "progress", id: this.id, stage: "compare", done: 0 });
    await nextTask();
    return null;
  }
}

// The whole image as it was analysed, for maps that are looked at closely; no number comes of it.
/** @param {PictureMessage} message */
async function picture({ id, bytes, details }) {
  tellPage({ kind: "accepted", id });
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

/** @param {JobMessage} job */
async function answer(job) {
  tellPage({ kind: "accepted", id: job.id });
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
  if (isRunning) await completeFor(pyodide, wheel, job.bytes);
  const data = pyodide.toPy(new Uint8Array(job.bytes));
  const session = Session(data, job.name, description, JSON.stringify({ ...details, kind, engine }));
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
