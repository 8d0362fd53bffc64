// What both workers share: answering calls, one after another, and loading files.
let last = Promise.resolve();

function answerCalls(methods) {
  self.onmessage = ({ data: { method, parameters } }) => {
    last = last.then(async () => {
      try {
        self.postMessage({ value: await methods[method](parameters) });
      } catch (error) {
        self.postMessage({ error: String(error?.stack ?? error) });
      }
    });
  };
}

async function load(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.arrayBuffer();
}
