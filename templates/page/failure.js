// Only for what happens where no Python can speak: documents with the same fields as the runtime's.
function failureResult(name, code, message) {
  const document = {
    schema: "sitegen.result/1",
    image: { name, type: null, width: null, height: null, bits: null, sha256: null },
    bundle: SITE.bundle,
    engine: { runtime: "pyodide", provider: "wasm", threads: 1 },
    tensors: {},
    error: { code, message },
    timings: {},
    notes: [],
  };
  const headline = code === "cancelled" ? "Cancelled" : "This image could not be analysed";
  return { document, wording: { outcome: "failed", headline, details: [message], findings: [] }, preview: null, pixels: null };
}

function cancelledResult(name) {
  return failureResult(name, "cancelled", "The analysis was cancelled.");
}
