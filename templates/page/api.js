// window.sitegen, documented in docs/page-api.md.
class AnalysisError extends Error {
  constructor(document) {
    super(document.error.message);
    this.name = "AnalysisError";
    this.code = document.error.code;
    this.result = document;
  }
}

const booting = {
  listeners: [],
  report(stage, done) {
    for (const listener of this.listeners) listener(stage, done);
  },
};

async function bootEngine() {
  const assets = await loadAssets(SITE.assets, (done) => booting.report("assets", done));
  const engine = new Engine(SITE, assets, (stage, detail) => booting.report(stage, detail));
  await engine.start();
  return engine;
}

const engineReady = bootEngine();

// What a worker can be sent, of something that a script of the page made.
function plain(value) {
  return JSON.parse(JSON.stringify(value) ?? "null");
}

// `details` are the options of one kind of job, beside those of all.
async function runForPage(kind, blob, options, details = {}) {
  const name = String(options.name ?? blob.name ?? "image");
  const { onProgress, signal, isUrgent } = options;
  const common = { force: Boolean(options.force), correction: options.correction ?? null };
  try {
    const engine = await engineReady;
    return await engine.run(kind, blob, { name, onProgress, signal, isUrgent, details: { ...common, ...details } });
  } catch (error) {
    return failureResult({ kind, name }, error.code ?? "engine-failed", error.message);
  }
}

function analyseForPage(blob, options = {}) {
  const { keep } = options;
  return runForPage("analyse", blob, options, { explain: plain(options.explain ?? []), values: Boolean(options.values), keep });
}

// The tensors of a gradient document, which follow each other in `bytes`, by their roles.
function tensorsOf({ gradients }, bytes) {
  let offset = 0;
  return Object.fromEntries(gradients.map(({ role, shape }) => {
    const values = new Float32Array(bytes.buffer, offset, shape.reduce((product, size) => product * size, 1));
    offset += values.byteLength;
    return [role, values];
  }));
}

globalThis.sitegen = Object.freeze({
  ready: engineReady.then(() => ({ bundle: SITE.bundle, labels: SITE.labels })),

  async analyse(blob, options = {}) {
    const { document, preview } = await analyseForPage(blob, { ...options, keep: undefined });
    preview?.close();
    if ("error" in document) throw new AnalysisError(document);
    return document;
  },

  async gradient(blob, options = {}) {
    const { document, bytes } = await runForPage("gradient", blob, options, { seed: plain(options.seed) });
    if ("error" in document) throw new AnalysisError(document);
    return { document, values: tensorsOf(document, bytes) };
  },
});
// The page shows a failed start itself; without this, browsers would report it as unhandled too.
sitegen.ready.catch(() => {});
