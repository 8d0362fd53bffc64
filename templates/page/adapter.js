// The graphics card that this browser offers to pages, if it offers one.
const CARD_MS = 3_000; // then the page goes on without
const IN_SOFTWARE = /swiftshader|llvmpipe|basic render/i; // where browsers do not say it themselves

/** @type {Promise<GraphicsCard | null> | null} */
let askedForCard = null;

// Resolves to {name, isSoftware}, or to null; never rejects. One that is drawn in software is ten to a hundred times slower
// than WebAssembly: it serves tests.
function graphicsCard() {
  return (askedForCard ??= askForCard().catch(() => null));
}

/** @returns {Promise<GraphicsCard | null>} */
async function askForCard() {
  /** @type {Promise<null>} */
  const late = new Promise((resolve) => setTimeout(resolve, CARD_MS, null));
  const adapter = await Promise.race([navigator.gpu?.requestAdapter() ?? null, late]);
  if (!adapter) return null;
  const { vendor = "", architecture = "", description = "", isFallbackAdapter = adapter.isFallbackAdapter } = adapter.info ?? {};
  const name = [vendor, architecture].filter(Boolean).join(" ") || "the graphics card";
  return { name, isSoftware: Boolean(isFallbackAdapter) || IN_SOFTWARE.test(`${name} ${description}`) };
}
