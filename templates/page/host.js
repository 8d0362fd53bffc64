// What old browsers lack, and what the host of this page, or whoever shows it, may refuse. Each failure of the start is told
// by what is known of its cause.
const SETTLING_MS = 200; // browsers may tell of a refusal after they tell of what came of it
const NEEDED = [
  "WebAssembly.instantiate", "Worker", "MessageChannel", "Blob.prototype.arrayBuffer", "Blob.prototype.stream", "DecompressionStream",
  "OffscreenCanvas", "createImageBitmap", "ResizeObserver", "AbortController", "structuredClone",
  "Object.hasOwn", "Array.prototype.at", "Promise.prototype.finally", "Element.prototype.replaceChildren", "URL.createObjectURL",
];
// A module with one instruction of SIMD.
const SIMD = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);
const OTHER_BROWSER = "Update this browser, or open the page in another one.";

let isStartTold = false;

// Nothing else of the page is needed for this.
/** @param {string} sentence */
function tellNoStart(sentence) {
  if (isStartTold) return;
  isStartTold = true;
  for (const [id, text] of [["failure", sentence], ["status", "This page could not start."]]) {
    const node = document.getElementById(id);
    if (node) Object.assign(node, { textContent: text, hidden: false });
  }
  document.getElementById("start-progress")?.remove();
}

// While the page's program is read, whatever it stumbles over is told: later failures have their own places.
/** @param {ErrorEvent} event */
function tellUnexpected({ message }) {
  tellNoStart(`The page's own program stopped: ${message}. This browser, or what shows the page in it, does not offer what pages rely on. ${OTHER_BROWSER}`);
}
addEventListener("error", tellUnexpected);
addEventListener("DOMContentLoaded", () => removeEventListener("error", tellUnexpected));

/** @param {string} sentence @returns {never} */
function stopStart(sentence) {
  tellNoStart(sentence);
  throw new Error(sentence);
}

/** @type {SecurityPolicyViolationEvent[]} */
const refusals = [];
document.addEventListener("securitypolicyviolation", (event) => {
  if (event.disposition !== "report") refusals.push(event);
});

// Whose policy it was, as far as can be known, and what it says.
/** @param {string} what @param {{ effectiveDirective: string, originalPolicy: string }} [refusal] */
function refusalInWords(what, refusal) {
  const own = document.querySelector("meta[http-equiv=Content-Security-Policy]")?.getAttribute("content");
  const isOwn = refusal?.originalPolicy === own;
  const named = refusal?.effectiveDirective;
  if (isOwn && globalThis.origin === "null" && location.protocol.startsWith("http")) {
    return `This page stands in a sandboxed frame, or its host sandboxes it, and there this browser does not let it load ${what}. Open the page by itself, in another browser, or with allow-same-origin in the frame.`;
  }
  if (refusal && isOwn) return `This page's own policy forbids ${what} (${named}): the page, or its address, was changed on its way.`;
  const directive = refusal ? ` (Content-Security-Policy, ${named})` : " (Content-Security-Policy)";
  return `A security policy that the host sends with this page, or that the page around it sets, forbids ${what}${directive}. Only who runs the host can allow it: security.html lists what this page needs.`;
}

/** @returns {Promise<void>} */
function settled() {
  return new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
}

// Why a script did not load: the sentence that is true of it, or null where the file may just be missing.
/** @param {string} file @param {string} address @returns {Promise<string | null>} */
async function whyNotLoaded(file, address) {
  await settled();
  const refusal = refusals.find(({ blockedURI }) => blockedURI === address);
  if (refusal) return refusalInWords(`the file ${file}`, refusal);
  if (location.protocol === "file:") return null;
  const entries = /** @type {(PerformanceResourceTiming & { contentType?: string })[]} */ (performance.getEntriesByName?.(address) ?? []);
  const entry = entries.at(-1);
  const status = entry?.responseStatus;
  if (status === 404 || status === 410) return null;
  if (!status) return `The file ${file} could not be loaded: the host does not answer, does not have it, or does not send it as JavaScript (Content-Type: text/javascript). Reload the page; if that does not help, tell who runs the host.`;
  if (status >= 400) return `The host does not give the file ${file} (status ${status}). Reload the page; if that does not help, tell who runs the host.`;
  if (/^(text|application)\/(x-)?(javascript|ecmascript)/.test(entry.contentType ?? "")) return AssetError.sentence(file, "damaged");
  const type = entry.contentType ? ` but as ${entry.contentType}` : "";
  return `The host has the file ${file}, but does not send it as JavaScript (Content-Type: text/javascript)${type}, or sends it damaged, and so the browser does not run it. Only who runs the host can mend that.`;
}

// A worker of the page's own, or an error that says who did not let it start.
/** @param {string} address */
async function startedWorker(address) {
  try {
    return new Worker(address);
  } catch (error) {
    await settled();
    throw refusedWorker() ?? new Error(`This browser, or the page around this one, does not let it start a worker (${/** @type {Error} */ (error).message}). Open the page by itself, or in another browser.`);
  }
}

/** @returns {Error | null} */
function refusedWorker() {
  const refusal = refusals.find(({ blockedURI, effectiveDirective }) => blockedURI.startsWith("blob") && /worker|child|script|default/.test(effectiveDirective));
  return refusal ? new Error(refusalInWords("the worker that does the computing", refusal)) : null;
}

// What may be asked for and is refused by throwing, as in sandboxed frames.
/** @template T @param {() => T} ask @returns {T | undefined} */
function offered(ask) {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/** @param {string} path */
function isOffered(path) {
  /** @type {any} */
  let value = globalThis;
  for (const name of path.split(".")) value = offered(() => value?.[name]);
  return value !== undefined && value !== null;
}

function checkBrowser() {
  const lacking = NEEDED.filter((path) => !isOffered(path)).map((path) => path.replace(".prototype.", "."));
  if (lacking.length === 0 && !WebAssembly.validate(SIMD)) lacking.push("SIMD of WebAssembly");
  if (lacking.length) {
    const setting = lacking.some((name) => name.includes("WebAssembly")) ? " Some browsers have it switched off, as Safari has in Lockdown Mode." : "";
    stopStart(`This browser does not offer what the page needs: ${lacking.join(", ")}.${setting} ${OTHER_BROWSER}`);
  }
  try {
    new WebAssembly.Module(SIMD);
  } catch {
    stopStart(refusalInWords("WebAssembly, in which all the computing is done", { effectiveDirective: "script-src without 'wasm-unsafe-eval'", originalPolicy: "" }));
  }
}

checkBrowser();
