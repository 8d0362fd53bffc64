// window.sitegen, documented in docs/page-api.md.
class AnalysisError extends Error {
  /** @param {FailedDocument} document */
  constructor(document) {
    super(document.error.message);
    this.name = "AnalysisError";
    this.code = document.error.code;
    this.result = document;
  }
}

const booting = {
  /** @type {BootListener[]} */
  listeners: [],
  /** @param {BootEvent} event */
  report(event) {
    for (const listener of this.listeners) listener(event);
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
  await assets.load(isOnCard ? always : [...always, ...SITE.providers.wasm], (done) => booting.report({ stage: "assets", done }));
  const engine = new Engine(SITE, assets, plan, (event) => booting.report(event));
  await engine.start();
  return engine;
}

let isStarting = true;
const engineReady = bootEngine().finally(() => (isStarting = false));

// The bundle of a name, the first where none is named.
/** @param {string} [name] */
function bundleNamed(name) {
  const found = SITE.bundles.find((bundle) => bundle.name === (name ?? SITE.bundles[0].name));
  if (!found) throw new RangeError(`This page has no bundle ${name}, only ${SITE.bundles.map((bundle) => bundle.name).join(", ")}.`);
  return found;
}

// Everything that a bundle consists of, checked and kept; what was loaded before is there at once.
/** @param {BundleEntry} bundle */
async function loadBundle(bundle) {
  await engineReady;
  if (assets.has(bundle.assets)) return;
  await assets.load(bundle.assets, (done) => booting.report({ stage: "bundle", bundle, done }));
}

/** @param {AbortSignal} [signal] */
function aborted(signal) {
  return new Promise((resolve) => signal?.addEventListener("abort", resolve, { once: true }));
}

// What a worker can be sent, of something that a script of the page made.
/** @param {unknown} value */
function plain(value) {
  return JSON.parse(JSON.stringify(value) ?? "null");
}

// `details` are the options of one kind of job, beside those of all.
/**
 * @template {QueuedKind} K
 * @param {K} kind @param {Blob & { name?: string }} blob @param {JobOptions} options
 * @returns {Promise<JobResults[K] | FailedResult>}
 */
async function runForPage(kind, blob, options, details = {}) {
  const name = String(options.name ?? blob.name ?? "image");
  const bundle = bundleNamed(options.bundle);
  const { onProgress, onSketch, signal, isUrgent } = options;
  const common = { force: Boolean(options.force), correction: options.correction ?? null };
  try {
    if (isStarting) onProgress?.({ stage: "start", done: 0 });
    const engine = await engineReady;
    if (!assets.has(bundle.assets)) {
      onProgress?.({ stage: "bundle", done: 0 });
      await Promise.race([loadBundle(bundle), aborted(signal)]);
    }
    const result = await engine.run(kind, blob, { name, bundle, onProgress, onSketch, signal, isUrgent, details: { ...common, ...details } });
    return /** @type {JobResults[K]} */ (result);
  } catch (error) {
    const { message, code } = /** @type {CodedError} */ (error);
    return failureResult({ kind, name, bundle }, "failed", message, code);
  }
}

/** @param {Blob} blob @param {AnalyseOptions} options */
function analyseForPage(blob, options = {}) {
  const { keep } = options;
  const what_if = plain(options.whatIf ?? null);
  return runForPage("analyse", blob, options, { explain: plain(options.explain ?? []), what_if, values: Boolean(options.values), keep });
}

// The tensors of a gradient document, which follow each other in `bytes`, by their roles.
/** @param {GradientResult["document"]} document @param {Uint8Array<ArrayBuffer> | null} bytes */
function tensorsOf({ gradients }, bytes) {
  if (!bytes) return {};
  let offset = 0;
  return Object.fromEntries(gradients.map(({ role, shape }) => {
    const values = new Float32Array(bytes.buffer, offset, shape.reduce((product, size) => product * size, 1));
    offset += values.byteLength;
    return [role, values];
  }));
}

/** @param {BundleEntry} bundle */
function described({ name, version, sha256, title, labels }) {
  return Object.freeze({ name, version, sha256, title, labels: Object.freeze([...labels]) });
}

// Takes a choice of the settings; resolves to what runs then.
/** @param {Partial<EngineChoice>} changes */
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

  /** @param {Blob} blob @param {AnalyseOptions} options */
  async analyse(blob, options = {}) {
    const { document, preview } = await analyseForPage(blob, { ...options, keep: undefined });
    preview?.close();
    if ("error" in document) throw new AnalysisError(document);
    return document;
  },

  /** @param {Blob} blob @param {GradientOptions} options */
  async gradient(blob, options = {}) {
    const { document, bytes } = await runForPage("gradient", blob, options, { seed: plain(options.seed) });
    if ("error" in document) throw new AnalysisError(document);
    return { document, values: tensorsOf(document, bytes) };
  },
});
// The page shows a failed start itself; without this, browsers would report it as unhandled too.
sitegen.ready.catch(() => {});
