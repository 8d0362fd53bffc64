// Each compressed frame of a DICOM file is decoded in a worker of its own, by a codec that is loaded with the first file that
// needs it. The worker ends with its frame, and gives all its memory back.

// Never rejects. When `signal` is aborted, the worker ends at once.
/** @param {FrameMessage} message @param {AbortSignal} signal @returns {Promise<FrameAnswer>} */
async function decodeFrame({ codec, frame, wanted }, signal) {
  const entry = SITE.codecs[codec];
  if (!entry) return undecoded(`This page has no codec ${codec}.`);
  let script, program;
  try {
    await assets.load(entry.assets);
    const [text, ...programs] = await Promise.all(entry.assets.map((name) => assets.blobs[name]).map(unpackBytes));
    [script, program] = [new Blob([text], { type: "text/javascript" }), programs[0]];
  } catch (error) {
    return undecoded(`What decodes ${entry.title} could not be loaded. ${/** @type {Error} */ (error).message}`);
  }
  const answer = await answerOf(script, { codec, frame, wanted, program }, signal);
  if (answer.cells || answer.code !== "engine-failed") return answer;
  return undecoded(`What decodes ${entry.title} did not start: ${answer.message}`);
}

/** @param {string} message @returns {FrameAnswer} */
function undecoded(message) {
  return { cells: null, code: "engine-failed", message };
}

/** @param {Blob} script @param {FrameMessage} message @param {AbortSignal} signal @returns {Promise<FrameAnswer>} */
async function answerOf(script, message, signal) {
  const address = URL.createObjectURL(script);
  const worker = await startedWorker(address);
  try {
    return await new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => resolve(undecoded(event.message ?? "unknown reason"));
      const cancelled = () => resolve({ cells: null, code: "cancelled", message: "cancelled" });
      signal.addEventListener("abort", cancelled, { once: true });
      if (signal.aborted) cancelled();
      worker.postMessage(message, [message.frame, ...(message.program ? [message.program] : [])]);
    });
  } finally {
    worker.terminate();
    URL.revokeObjectURL(address);
  }
}
