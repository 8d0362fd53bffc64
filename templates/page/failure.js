// Only for what happens where no Python can speak. The document is the runtime's own, made when the site was built: what
// is missing in it is filled in here.
function failureResult(name, code, message) {
  const document = structuredClone(SITE.failure);
  document.image.name = name;
  document.error = { code, message };
  const headline = code === "cancelled" ? "Cancelled" : "This image could not be analysed";
  return { document, wording: { outcome: "failed", headline, details: [message], findings: [] }, preview: null, pixels: null };
}

function cancelledResult(name) {
  return failureResult(name, "cancelled", "The analysis was cancelled.");
}
