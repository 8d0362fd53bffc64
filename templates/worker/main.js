// The worker: Python decides what happens next, this answers its requests (see sitegen_runtime/requests.py).
let pyodide = null;
let Session = null;
let engine = null;
let bundles = [];
const descriptions = new Map(); // bundle -> its bundle.json in Python's hands: kilobytes, kept of every one that was used
const cancelled = new Set();
let activeJob = -1;

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
function holdLifeline(name) {
  const forever = () => {
    postMessage({ kind: "alive" });
    return new Promise(() => {});
  };
  navigator.locks?.request(name, forever).catch(() => {});
}

async function descriptionOf(bundle, assets) {
  if (!descriptions.has(bundle)) {
    const { description } = bundle;
    const packed = assets ?? (await askPageFor([description]));
    descriptions.set(bundle, pyodide.toPy(await unpack(packed[description])));
  }
  return descriptions.get(bundle);
}

async function boot({ lifeline, assets, boot, bundles: all }) {
  holdLifeline(lifeline);
  bundles = all;
  const times = {};
  const timed = async (stage, work) => {
    const start = performance.now();
    postMessage({ kind: "booting", stage });
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
  postMessage({ kind: "ready", times, engine });
}

// A message from Python: [kind, JSON text, bytes or None].
function take(message) {
  const kind = message.get(0);
  const fields = JSON.parse(message.get(1));
  const content = message.get(2);
  let bytes = null;
  if (content) {
    const buffer = content.getBuffer("u8");
    bytes = buffer.data.slice();
    buffer.release();
    content.destroy();
  }
  message.destroy();
  return { kind, fields, bytes };
}

function give(session, value) {
  const proxy = value !== null && typeof value === "object" ? pyodide.toPy(value) : value;
  try {
    return session.answer(proxy);
  } finally {
    proxy?.destroy?.();
  }
}

class Work {
  constructor(job) {
    this.job = job;
    this.opened = null;
  }

  async progress(fields) {
    postMessage({ kind: "progress", id: this.job.id, ...fields });
    await nextTask(); // lets a cancel message in
    if (cancelled.has(this.job.id)) throw Object.assign(new Error("The analysis was cancelled."), { code: "cancelled" });
    return null;
  }

  async open({ type }, payload) {
    this.opened = await DecodedImage.decode(payload, type);
    return JSON.stringify([this.opened.bitmap.width, this.opened.bitmap.height]);
  }

  rows(fields) {
    return this.opened.rows(fields);
  }

  async load(fields) {
    await loadGraph(fields);
    return null;
  }

  file(fields) {
    return readFile(fields);
  }

  run(fields, bytes) {
    return runGraph(fields, bytes);
  }

  async follow(session) {
    let message = session.begin();
    for (;;) {
      const { kind, fields, bytes } = take(message);
      if (kind === "end") return { ...fields, bytes };
      let answer;
      try {
        answer = await this[kind](fields, bytes);
      } catch (error) {
        if (error.code === "no-webgpu") throw error; // another worker will do it all again
        message = session.fail(error.code ?? "engine-failed", String(error.message ?? error));
        continue;
      }
      message = give(session, answer);
    }
  }

  async preview({ orientation, inverted, side = PREVIEW_SIDE }) {
    try {
      this.opened ??= new DecodedImage(await bitmapOf(this.job.bytes, ""));
      return previewOf(this.opened.bitmap, orientation, inverted, side);
    } catch {
      return null; // the result stands without its picture
    }
  }
}

// A network that is compared with itself on the golden image, for as long as that takes.
class Comparing extends Work {
  async progress() {
    postMessage({ kind: "progress", id: this.job.id, stage: "compare", done: 0 });
    await nextTask();
    return null;
  }
}

// The whole image as it was analysed, for maps that are looked at closely; no number comes of it.
async function picture({ id, bytes, details }) {
  postMessage({ kind: "accepted", id });
  const work = new Work({ bytes });
  const preview = await work.preview(details);
  work.opened?.close();
  postMessage({ kind: "result", id, preview }, preview ? [preview] : []);
}

async function answer(job) {
  postMessage({ kind: "accepted", id: job.id });
  activeJob = job.id;
  const work = new Work(job);
  const { kind, details } = job;
  const bundle = bundles.find(({ name }) => name === job.bundle);
  const description = await descriptionOf(bundle);
  if (kind !== "draw" && bundle !== current) { // which runs no network
    postMessage({ kind: "progress", id: job.id, stage: "bundle", done: 0 });
    await changeNetworks(bundle);
  }
  const data = pyodide.toPy(new Uint8Array(job.bytes));
  const session = Session(data, job.name, description, JSON.stringify({ ...details, kind, engine }));
  data.destroy();
  try {
    const end = await work.follow(session);
    const isDrawn = kind === "analyse" && !("error" in end.document);
    const preview = isDrawn ? await work.preview(end) : null;
    const large = [preview, end.bytes?.buffer].filter(Boolean);
    postMessage({ ...end, kind: "result", id: job.id, preview }, large);
  } finally {
    work.opened?.close();
    session.destroy();
    cancelled.delete(job.id);
  }
}

const handlers = {
  boot,
  analyse: answer,
  gradient: answer,
  explain: answer,
  draw: answer,
  picture,
  cancel: ({ id }) => cancelled.add(id),
  decoded: ({ bitmap }) => bitmapFromPage(bitmap),
  files: ({ files }) => filesFromPage(files),
};

self.onmessage = async ({ data }) => {
  try {
    await handlers[data.kind](data);
  } catch (error) {
    // Python answers every failure of an image with a document: what arrives here has broken the worker itself.
    postMessage({ kind: "fatal", message: String(error?.message ?? error), code: error?.code });
  }
};
