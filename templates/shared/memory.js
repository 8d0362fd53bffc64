// For page and worker. Browsers give memory back when they collect what nobody refers to any more, which can take minutes; what
// is sent to a closed port is gone at once. (`ArrayBuffer.transfer` frees only what JavaScript made itself, in Chromium.)
const { port1: drain, port2: closedEnd } = new MessageChannel();
closedEnd.close();

/** @param {ArrayBuffer | Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>} bytes */
function freed(bytes) {
  drain.postMessage(null, ["buffer" in bytes ? bytes.buffer : bytes]);
}
