// Several threads of WebAssembly share memory, which browsers give to isolated pages only: those whose server, or service
// worker, sends the headers that docs/hosting.md lists. Half of the processors, which are often two to a core, and not
// more than four: networks of this size gain little from more.
const MOST_THREADS = 4;

// How many threads are wanted and this machine is good for, whether or not the page is isolated.
function usefulThreads() {
  if (engineChoice.threads === "one") return 1;
  return Math.min(MOST_THREADS, Math.max(1, Math.ceil((navigator.hardwareConcurrency ?? 1) / 2)));
}

function availableThreads() {
  return globalThis.crossOriginIsolated && globalThis.SharedArrayBuffer ? usefulThreads() : 1;
}
