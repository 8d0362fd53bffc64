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

const assets = new Assets(SITE.assets);

async function bootEngine() {
  const planned = planEngine();
  await siteReady;
  const always = [...SITE.common, ...SITE.bundles[0].assets];
  assets.load(always).catch(() => {}); // asked for again below, where the failure counts
  const plan = await planned;
  const isOnCard = plan.provider === "webgpu";
  if (isOnCard) assets.load(SITE.providers.webgpu).catch(() => {}); // it can do without
  await assets.load(isOnCard ? always : [...always, ...SITE.providers.wasm], (done) => booting.report("assets", done));
  const engine = new Engine(SITE, assets, plan, (stage, detail) => booting.report(stage, detail));
  await engine.start();
  return engine;
}

let isStarting = true;
const engineReady = bootEngine().finally(() => (isStarting = false));

// The bundle of a name, the first where none is named.
function bundleNamed(name) {
  const found = SITE.bundles.find((bundle) => bundle.name === (name ?? SITE.bundles[0].name));
  if (!found) throw new RangeError(`This page has no bundle ${name}, only ${SITE.bundles.map((bundle) => bundle.name).join(", ")}.`);
  return found;
}

// Everything that a bundle consists of, checked and kept; what was loaded before is there at once.
async function loadBundle(bundle) {
  await engineReady;
  if (assets.has(bundle.assets)) return;
  await assets.load(bundle.assets, (done) => booting.report("bundle", { bundle, done }));
}

function aborted(signal) {
  return new Promise((resolve) => signal?.addEventListener("abort", resolve, { once: true }));
}

// What a worker can be sent, of something that a script of the page made.
function plain(value) {
  return JSON.parse(JSON.stringify(value) ?? "null");
}

// `details` are the options of one kind of job, beside those of all.
async function runForPage(kind, blob, options, details = {}) {
  const name = String(options.name ?? blob.name ?? "image");
  const bundle = bundleNamed(options.bundle);
  const { onProgress, signal, isUrgent } = options;
  const common = { force: Boolean(options.force), correction: options.correction ?? null };
  try {
    if (isStarting) onProgress?.({ stage: "start", done: 0 });
    const engine = await engineReady;
    if (!assets.has(bundle.assets)) {
      onProgress?.({ stage: "bundle", done: 0 });
      await Promise.race([loadBundle(bundle), aborted(signal)]);
    }
    return await engine.run(kind, blob, { name, bundle, onProgress, signal, isUrgent, details: { ...common, ...details } });
  } catch (error) {
    return failureResult({ kind, name, bundle }, error.code ?? "engine-failed", error.message);
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

function described({ name, version, sha256, title, labels }) {
  return Object.freeze({ name, version, sha256, title, labels: Object.freeze([...labels]) });
}

// Takes a choice of the settings; resolves to what runs then.
async function configureEngine(changes) {
  chooseEngine(changes);
  keepEngineChoice();
  const engine = await engineReady;
  await engine.use(await planEngine());
  return { ...runningEngine, lowMemory: engine.plan.isLow, compared: engine.verdicts };
}

globalThis.sitegen = Object.freeze({
  ready: engineReady.then(() => {
    const [{ name, version, sha256, labels }] = SITE.bundles;
    return { bundle: { name, version, sha256 }, labels };
  }),

  bundles: Object.freeze(SITE.bundles.map(described)),

  configure: (choice = {}) => configureEngine(plain(choice)),

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
