/** @type {Partial<EngineEntry>} */
const runningEngine = { ...SITE.boot.engine }; // what the last worker to start said of itself

// Only for what happens where no Python can speak. The documents and the words are the runtime's own, made when the site was
// built: what is missing in them is filled in here. `code` is a finer one than that of the failure.
/** @param {JobSubject} job @param {keyof PageWords["failures"]} failure @param {string} [code] @returns {FailedResult} */
function failureResult({ kind, name, bundle }, failure, reason = "", code) {
  const { error, wording } = structuredClone(SITE.words.failures[failure]);
  const filled = (/** @type {string} */ text) => text.replace(/\{(name|reason)\}/, (_, hole) => (hole === "name" ? name : reason));
  const document = structuredClone(kind === "gradient" || kind === "explain" ? SITE.failures[kind] : SITE.failures.analyse);
  document.image.name = name;
  Object.assign(document.engine, runningEngine);
  document.bundle = { name: bundle.name, version: bundle.version, sha256: bundle.sha256 };
  document.error = { code: code ?? error.code, message: filled(error.message) };
  return { document, wording: { ...wording, details: wording.details.map(filled) }, preview: null, bytes: null };
}

/** @param {JobSubject} job */
function cancelledResult(job) {
  return failureResult(job, "cancelled");
}
