// Assets arrive as base64 in classic scripts. Each script is checked against its SHA-256 before it runs, where browsers can,
// each asset before anything is made of it, and
// kept as a Blob (compressed, outside this page's own memory), so that a new worker can be started at any time.
/** @type {Map<string, () => void>} */
const receivedParts = new Map(); // file -> function with base64 as its comment: a literal would be in memory twice

globalThis.sitegenAsset = (file, holder) => receivedParts.set(file, holder);

class AssetError extends Error {
  /** @param {string} file @param {"missing" | "damaged"} problem @param {string} [sentence] */
  constructor(file, problem, sentence = AssetError.sentence(file, problem)) {
    super(sentence);
    this.code = "damaged-site";
    this.file = file;
  }

  /** @param {string} file @param {string} problem */
  static sentence(file, problem) {
    if (problem === "missing" && openedInsideArchive()) {
      return `This page was opened inside a ZIP file, where it cannot reach its other files (${file}). Extract first: unpack the whole folder, then open index.html in it.`;
    }
    const remedy = location.protocol === "file:"
      ? "If you opened this page inside a ZIP file, extract first; otherwise copy the whole folder again from its source."
      : "Reload the page; if that does not help, the site has to be uploaded again.";
    return `The file ${file} is ${problem}. ${remedy}`;
  }
}

// Archive programs unpack the one file that was clicked into a folder of their own, whose name gives them away.
function openedInsideArchive() {
  const path = decodeURIComponent(location.pathname);
  return location.protocol === "file:" && /\.zip[/\\]|[/\\](7zO|Rar\$|Temp\d+_|\.fr-)[^/\\]*/i.test(path);
}

// Browsers hold a script to its SHA-256 before they run it; but none on file://, nor in frames that are no place of their own.
const mayHoldScripts = location.protocol.startsWith("http") && globalThis.origin !== "null";

/** @param {string} file @param {string} hash @returns {Promise<void>} */
function loadScript(file, hash) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    if (mayHoldScripts) script.integrity = `sha256-${hash}`;
    script.src = file.split("/").map(encodeURIComponent).join("/");
    script.onload = () => {
      script.remove();
      // A script that was cut or changed loads, but does not run: nothing was received then.
      if (receivedParts.has(file)) resolve();
      else reject(new AssetError(file, "damaged"));
    };
    script.onerror = async () => reject(new AssetError(file, "missing", (await whyNotLoaded(file, script.src)) ?? undefined));
    document.head.append(script);
  });
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
function decodeBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/** @returns {Promise<void>} */
function nextTask() {
  return new Promise((resolve) => setTimeout(resolve));
}

// Browsers offer their own SHA-256 in secure contexts only, which plain http away from this machine is not.
/** @param {Blob} blob @returns {Promise<string>} */
async function sha256OfBlob(blob) {
  if (globalThis.crypto?.subtle) {
    const bytes = await blob.arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    freed(bytes);
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const SLICE = 1 << 20;
  const hash = sha256.create();
  for (let start = 0; start < blob.size; start += SLICE) {
    hash.update(await blob.slice(start, start + SLICE).arrayBuffer());
    await nextTask();
  }
  return hash.hex();
}

/** @param {string} file @param {string} hash of the script */
async function loadPart(file, hash) {
  await loadScript(file, hash);
  const source = String(receivedParts.get(file));
  receivedParts.delete(file);
  try {
    return decodeBase64(source.slice(source.indexOf("/*") + 2, source.lastIndexOf("*/")));
  } catch {
    throw new AssetError(file, "damaged");
  }
}

// Resolves to the Blob of an asset's compressed bytes.
/** @param {AssetEntry} entry */
async function loadAsset(entry) {
  const parts = [];
  for (const [index, file] of entry.parts.entries()) parts.push(await loadPart(file, entry.scripts[index]));
  const blob = new Blob(parts);
  parts.forEach(freed); // the Blob has its own copy
  if ((await sha256OfBlob(blob)) !== entry.sha256) throw new AssetError(entry.parts.join(", "), "damaged");
  return blob;
}

// All assets of the site by name, each loaded once, when it is first needed. After a failure the next call tries again.
class Assets {
  /** @param {Site["assets"]} entries */
  constructor(entries) {
    this.entries = entries;
    /** @type {Map<string, Promise<Blob>>} */
    this.loading = new Map();
    /** @type {Record<string, Blob>} */
    this.blobs = {};
  }

  /** @param {string[]} names */
  has(names) {
    return names.every((name) => name in this.blobs);
  }

  /** @param {string[]} names @param {(done: number) => void} onProgress */
  async load(names, onProgress = () => {}) {
    const total = names.reduce((sum, name) => sum + this.entries[name].packed, 0);
    let done = 0;
    const load = async (/** @type {string} */ name) => {
      await this.loadOne(name);
      done += this.entries[name].packed;
      onProgress(done / total);
    };
    await Promise.all(names.map(load));
  }

  /** @param {string} name */
  loadOne(name) {
    const begun = this.loading.get(name);
    if (begun) return begun;
    const loading = loadAsset(this.entries[name]).then((blob) => (this.blobs[name] = blob));
    loading.catch(() => this.loading.delete(name));
    this.loading.set(name, loading);
    return loading;
  }

  // The compressed bytes of assets by name. Not their Blobs: WebKit's workers cannot read one that a page on file:// made.
  /** @param {string[]} names @returns {Promise<Packed>} */
  async read(names) {
    await this.load(names);
    const contents = await Promise.all(names.map((name) => this.blobs[name].arrayBuffer()));
    return Object.fromEntries(names.map((name, index) => [name, contents[index]]));
  }
}

/** @param {Blob} blob */
function unpacked(blob) {
  return new Response(blob.stream().pipeThrough(new DecompressionStream("gzip")));
}

/** @param {Blob} blob */
async function unpackText(blob) {
  return unpacked(blob).text();
}

/** @param {Blob} blob */
async function unpackBytes(blob) {
  return unpacked(blob).arrayBuffer();
}
