// One job: Python says what it needs next, and is given it (see sitegen_runtime/requests.py).
// What a message from Python asks for.
/** @param {PythonMessage} message */
function take(message) {
  const kind = message.get(0);
  const fields = JSON.parse(message.get(1));
  const content = message.get(2);
  /** @type {Uint8Array<ArrayBuffer> | null} */
  let bytes = null;
  if (content) {
    const buffer = content.getBuffer("u8");
    bytes = new Uint8Array(buffer.data);
    buffer.release();
    content.destroy();
  }
  message.destroy();
  return /** @type {PythonRequest} */ ({ kind, fields, bytes });
}

/** @param {PythonSession} session @param {unknown} value */
function give(session, value) {
  const proxy = value !== null && typeof value === "object" ? pyodide.toPy(value) : value;
  try {
    return session.answer(proxy);
  } finally {
    proxy?.destroy?.();
  }
}

class Work {
  /** @param {number} id of the job @param {ArrayBuffer} [bytes] of its file */
  constructor(id, bytes) {
    this.id = id;
    this.bytes = bytes;
    /** @type {DecodedImage | null} */
    this.opened = null;
    /** @type {ShadedImage | null} */
    this.shaded = null;
    this.isPaired = false; // whether the picture lies in the red of what is open alone: see `PLATFORM` of formats/inspected.py
  }

  // Gives Python what it asks for.
  /** @param {PythonRequest} request */
  async meet({ kind, fields, bytes }) {
    switch (kind) {
      case "progress":
        return this.progress(fields);
      case "open":
        return this.open(fields.type, bytes);
      case "rows":
        return this.opened?.rows(fields);
      case "pixels":
        return this.opened?.pixels(fields);
      case "sums":
        return this.sums(fields);
      case "decode":
        return decodeFrame(fields, bytes);
      case "shade":
        return (this.shaded = shaded(fields, /** @type {Uint8Array<ArrayBuffer>} */ (bytes))).luma;
      case "load":
        return loadGraph(fields).then(() => null);
      case "file":
        return readFile(fields);
      case "sketch":
        return this.sketch(fields, /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
      case "run":
        return runGraph(fields, /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
      default:
        throw new Error(`Python asks for ${kind}.`);
    }
  }

  /** @param {{ stage: string, done: number }} fields @returns {Promise<null>} */
  async progress(fields) {
    tellPage({ kind: "progress", id: this.id, ...fields });
    await nextTask(); // lets a cancel message in
    if (cancelled.has(this.id)) throw coded("cancelled", "cancelled");
    return null;
  }

  // What was asked for, as far as it has come.
  /** @param {Omit<MapResult, "bytes"> | Omit<ProjectionSketch, "bytes">} fields @param {Uint8Array<ArrayBuffer>} bytes @returns {null} */
  sketch(fields, bytes) {
    tellPage({ kind: "sketch", id: this.id, ...fields, bytes }, [bytes.buffer]);
    return null;
  }

  /** @param {string} type @param {Uint8Array<ArrayBuffer> | null} payload */
  async open(type, payload) {
    this.opened = await DecodedImage.decode(payload ?? new Uint8Array(), type);
    return JSON.stringify([this.opened.bitmap.width, this.opened.bitmap.height]);
  }

  /** @param {{ grids: CellGrid[] }} fields */
  sums({ grids }) {
    const opened = /** @type {DecodedImage} */ (this.opened);
    this.isPaired = grids.some(({ samples }) => samples === "pair");
    return cellSums(grids, (place) => opened.rows(place));
  }

  /** @param {PythonSession} session @returns {Promise<JobEnd>} */
  async follow(session) {
    let message = session.begin();
    for (;;) {
      const request = take(message);
      if (request.kind === "end") return { ...request.fields, bytes: request.bytes };
      let answer;
      try {
        answer = await this.meet(request);
      } catch (caught) {
        const error = /** @type {CodedError} */ (caught);
        if (error.code === "no-webgpu") throw error; // another worker will do it all again
        message = session.fail(error.code ?? "engine-failed", String(error.message ?? error));
        continue;
      }
      message = give(session, answer);
    }
  }

  // What is drawn from here on.
  /** @param {ImageBitmap} bitmap */
  draw(bitmap) {
    this.opened?.close();
    this.opened = new DecodedImage(bitmap);
    this.shaded = null;
    this.isPaired = false;
  }

  /** @param {Partial<PictureDetails>} details */
  async preview({ orientation = 1, inverted = false, side = PREVIEW_SIDE }) {
    try {
      if (this.shaded) this.draw(await bitmapOfShaded(this.shaded, side));
      this.opened ??= new DecodedImage(await bitmapOf(this.bytes ?? new Uint8Array(), ""));
      return previewOf(this.opened.bitmap, { orientation, inverted, side, isPaired: this.isPaired });
    } catch {
      return null; // the result stands without its picture
    }
  }
}

// A network that is compared with itself on the golden image, for as long as that takes.
class Comparing extends Work {
  /** @param {PythonRequest} request */
  async meet(request) {
    if (request.kind !== "file") return super.meet(request);
    const content = await readFile(request.fields);
    await completeFor(pyodide, wheel, content.slice(0, BEGINNING).buffer); // the golden image may be DICOM
    return content;
  }

  async progress() {
    tellPage({ kind: "progress", id: this.id, stage: "compare", done: 0 });
    await nextTask();
    return null;
  }
}
