// Starts Pyodide in Node.js, installs the runtime through its lock, imports everything the page needs, and writes
// Pyodide's memory to a file, from which the page starts in a fraction of the time.
//
//     node snapshot.mjs PYODIDE_FOLDER LOCK_FILE WHEEL_FOLDER OUTPUT
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [pyodideFolder, lockFile, wheelFolder, output] = process.argv.slice(2).map((name) => path.resolve(name));

// Pyodide's memory holds the program's path, the time and its zone, random numbers, and which Node.js ran it. None of them
// may differ, so that equal inputs give an equal snapshot, nor tell of the machine that made it. (The page needs neither
// random numbers nor the date. What draws random numbers there seeds its own generator.)
process.argv[1] = "sitegen";
process.env.TZ = "UTC";
Object.defineProperty(process, "version", { value: "v0.0.0" });
// CPython calls C functions by way of WebAssembly's garbage collection where an engine has it, and keeps the way's address
// in its memory. Node.js 24 has it and 20 has not, nor have all browsers, in which nothing is at that address. Pyodide never
// takes that way on an iPhone, so Node.js says that it is one.
Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Node.js, as on an iPhone" } });
let milliseconds = 0;
performance.now = () => (milliseconds += 0.01);
Date.now = () => 1_000_000_000_000;
crypto.randomFillSync = (view) => {
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength).fill(1);
  return view;
};

const { loadPyodide } = await import(pathToFileURL(path.join(pyodideFolder, "pyodide.mjs")).href);
const lock = fs.readFileSync(lockFile, "utf8");
const pyodide = await loadPyodide({
  _makeSnapshot: true,
  indexURL: pyodideFolder,
  lockFileContents: lock,
  env: { PYTHONHASHSEED: "0" },
});
// Not `loadPackage`: it leaves JavaScript objects in Python's hands, which no snapshot can hold.
const { file_name: wheel, sha256 } = JSON.parse(lock).packages["sitegen-runtime"];
const content = new Uint8Array(fs.readFileSync(path.join(wheelFolder, wheel)));
const digest = crypto.createHash("sha256").update(content).digest("hex");
if (digest !== sha256) throw new Error(`${wheel} is not the wheel of the lock: its SHA-256 is ${digest}`);
pyodide.unpackArchive(content, "wheel");
pyodide.runPython(`
import gc, sys
import sitegen_runtime.browser
import traceback  # what is imported on failures must be there before the first one

sys.path_importer_cache.clear()
gc.collect()
# Freed memory still holds what was in it: overwrite it with zeros, which compress to nothing.
blocks = [bytes(65536) for _ in range(32)] + [bytearray(4096) for _ in range(200)]
del blocks
gc.collect()
`);
const LARGEST = 30 * 1024 * 1024; // past this, the page's fresh heap is too small to hold the snapshot
const snapshot = pyodide.makeMemorySnapshot();
if (pyodide._module.HEAP8.length > LARGEST) {
  throw new Error(`Pyodide's heap grew to ${pyodide._module.HEAP8.length} bytes; a snapshot can be loaded up to ${LARGEST}`);
}
fs.writeFileSync(output, snapshot);
process.exit(0); // Pyodide leaves handles open
