// Compressed frames of DICOM files are decoded in workers of their own, which the page starts: nothing of a codec is here.
/** @type {(answer: FrameAnswer) => void} */
let cellsFromPage = () => {};

// Cells as `DecodeFrame` of sitegen_runtime/requests.py describes them.
/** @param {FrameRequest} request @param {Uint8Array<ArrayBuffer> | null} frame @returns {Promise<Uint8Array>} */
function decodeFrame({ codec, ...wanted }, frame) {
  return new Promise((resolve, reject) => {
    cellsFromPage = (answer) => (answer.cells ? resolve(new Uint8Array(answer.cells)) : reject(coded(answer.code, answer.message)));
    const { buffer } = frame ?? new Uint8Array();
    tellPage({ kind: "frame", codec, frame: buffer, wanted }, [buffer]);
  });
}
