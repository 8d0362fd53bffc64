// The heavy parts of results: pictures, the gate's bytes, all words. They are held for the images that are shown and a few
// looked at before; of all others they lie in Blobs, which browsers keep outside of this page's memory, and the picture is
// made again from the file.
const HELD = 2; // images, the shown ones included: as many as can be shown
const THUMBNAIL_SIDE = 96; // CSS pixels are half of that

class KeptResults {
  /** @param {WorkList} list */
  constructor(list) {
    this.list = list;
    /** @type {Map<WorkItem, AnalysisResult>} the one looked at last is the last */
    this.held = new Map();
    /** @type {(item: WorkItem) => void} told before the pictures of an image are closed */
    this.onRelease = () => {};
  }

  /** @param {WorkItem} item */
  isShown(item) {
    return item === this.list.selected || item === this.list.beside;
  }

  // Takes what an analysis ended with; returns what the list keeps of it.
  /** @param {WorkItem} item @param {AnalysisResult} result @returns {Partial<WorkItem>} */
  put(item, result) {
    const { document, wording, preview, bytes } = result;
    const thumbnail = preview ? thumbnailOf(preview) : item.thumbnail;
    const stored = { fields: new Blob([JSON.stringify({ ...result, preview: null, bytes: null })]), bytes: bytes && new Blob([bytes]) };
    this.release(item);
    if (this.isShown(item)) this.hold(item, result);
    else preview?.close();
    return { document, thumbnail, stored, summary: isVeiled(item) && wording.outcome !== "failed" ? veiledSummary() : summaryOf(wording) };
  }

  /** @param {WorkItem} item @param {AnalysisResult} result */
  hold(item, result) {
    this.held.delete(item);
    this.held.set(item, result);
    for (const other of [...this.held.keys()]) {
      if (this.held.size <= HELD) break;
      if (!this.isShown(other)) this.release(other);
    }
  }

  /** @param {WorkItem} item */
  release(item) {
    const result = this.held.get(item);
    if (!result) return;
    this.onRelease(item);
    this.held.delete(item);
    result.preview?.close();
  }

  // What is there without waiting for the worker.
  /** @param {WorkItem} item */
  get(item) {
    const result = this.held.get(item);
    if (result) this.hold(item, result);
    return result ?? null;
  }

  // The result without its picture, as it was stored; null where there is none.
  /** @param {WorkItem} item @returns {Promise<AnalysisResult | null>} */
  async read(item) {
    if (!item.stored) return null;
    const { fields, bytes } = item.stored;
    return { ...JSON.parse(await fields.text()), bytes: bytes && new Uint8Array(await bytes.arrayBuffer()) };
  }

  // The result with its picture, made again; held from then on.
  /** @param {WorkItem} item @param {AnalysisResult} result @param {AbortSignal} signal @returns {Promise<AnalysisResult | null>} */
  async complete(item, result, signal) {
    if (!hasPicture(result)) return result;
    const { orientation, inverted, document } = result;
    const details = { orientation, inverted, type: document.image.type };
    const { preview } = await runForPage("picture", item.blob, { name: item.name, isUrgent: true, signal }, details);
    if (signal.aborted || item.state === "working") {
      preview?.close();
      return null;
    }
    const whole = /** @type {AnalysisResult} */ ({ ...result, preview });
    this.hold(item, whole);
    return whole;
  }
}

// Whether a result is told with a picture. Of a damaged file there is none, though some browsers would show one.
/** @param {AnalysisResult} result @returns {result is DrawnAnalysis | UndrawnAnalysis} */
function hasPicture(result) {
  return "orientation" in result && result.wording.pictures !== null;
}

/** @param {AnalysisResult} result @returns {result is DrawnAnalysis} */
function isDrawn(result) {
  return hasPicture(result) && result.preview !== null;
}

// What the list shows of a result.
/** @param {ResultWords} wording */
function summaryOf({ outcome, verdict, row, strongest, findings, badge }) {
  const first = findings.find(({ label }) => label === strongest) ?? findings[0];
  const strength = first ? (first.above ? 1 : 0) + first.share : -1;
  return { outcome, verdict, row, isAbove: first?.above ?? false, isForced: badge !== null, strength };
}

// A small picture as a data: address, the only kind that the page's policy lets in.
/** @param {ImageBitmap} preview */
function thumbnailOf(preview) {
  const canvas = document.createElement("canvas");
  const scale = THUMBNAIL_SIDE / Math.max(preview.width, preview.height);
  canvas.width = Math.max(1, Math.round(preview.width * scale));
  canvas.height = Math.max(1, Math.round(preview.height * scale));
  const context = penOf(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(preview, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.8);
}
