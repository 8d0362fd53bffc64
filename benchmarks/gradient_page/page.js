// Starts workers and passes calls on to them; what is timed is timed inside the worker.
const workers = new Map();

function startWorker(name, script) {
  const worker = new Worker(script, { name });
  const waiting = [];
  worker.onmessage = ({ data }) => waiting.shift()(data);
  worker.onerror = (event) => waiting.shift()?.({ error: event.message ?? `${script} did not start` });
  workers.set(name, { worker, waiting });
}

// Resolves to { value } or { error }. Calls to one worker are answered in their order.
window.callWorker = ({ name, script, method, parameters }) => {
  if (!workers.has(name)) startWorker(name, script);
  const { worker, waiting } = workers.get(name);
  return new Promise((resolve) => {
    waiting.push(resolve);
    worker.postMessage({ method, parameters });
  });
};
