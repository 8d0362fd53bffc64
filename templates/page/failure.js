const runningEngine = { ...SITE.boot.engine }; // what the last worker to start said of itself

// Only for what happens where no Python can speak. The documents are the runtime's own, one for each kind of job, made when
// the site was built: what is missing in them is filled in here.
function failureResult({ kind, name, bundle }, code, message) {
  const document = structuredClone(SITE.failures[kind] ?? SITE.failures.analyse);
  document.image.name = name;
  document.engine = { ...runningEngine };
  document.bundle = { name: bundle.name, version: bundle.version, sha256: bundle.sha256 };
  document.error = { code, message };
  const headline = code === "cancelled" ? "Cancelled" : "This image could not be analysed";
  const wording = { outcome: "failed", headline, details: [message], findings: [], gate: null, correction: null, badge: null, marks: [] };
  return { document, wording, preview: null, bytes: null };
}

function cancelledResult(job) {
  return failureResult(job, "cancelled", "The analysis was cancelled.");
}
