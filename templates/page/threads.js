// Several threads of WebAssembly share memory, which browsers give to isolated pages only: those whose server, or service
// worker, sends the headers that docs/hosting.md lists. Half of the processors, which are often two to a core, and not
// more than four: networks of this size gain little from more.
const MOST_THREADS = 4;
const ONE_THREAD = "sitegen one thread"; // the key of a person's choice

function prefersOneThread() {
  try {
    return localStorage.getItem(ONE_THREAD) === "yes";
  } catch {
    return false; // some browsers keep nothing for pages from a disk
  }
}

// For the page's settings. It counts from the next worker on.
function preferOneThread(wanted) {
  try {
    if (wanted) localStorage.setItem(ONE_THREAD, "yes");
    else localStorage.removeItem(ONE_THREAD);
    return true;
  } catch {
    return false;
  }
}

// How many threads this machine is good for, whether or not the page is isolated.
function usefulThreads() {
  if (prefersOneThread()) return 1;
  return Math.min(MOST_THREADS, Math.max(1, Math.ceil((navigator.hardwareConcurrency ?? 1) / 2)));
}

function availableThreads() {
  return globalThis.crossOriginIsolated && globalThis.SharedArrayBuffer ? usefulThreads() : 1;
}
