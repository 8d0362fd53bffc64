// Hands the images that wait to the engine: few at a time, so that the list can be paused, changed and emptied; what a person
// looks at or asks for goes first.
const AHEAD = 2; // one is being analysed, the next is read meanwhile

class WorkQueue {
  static analyses = 0;

  /** @param {WorkList} list @param {KeptResults} kept */
  constructor(list, kept) {
    this.list = list;
    this.kept = kept;
    /** @type {Map<WorkItem, AbortController>} */
    this.running = new Map();
    list.listen(({ kind }) => {
      if (kind === "items") this.dropRemoved();
      if (kind !== "item") this.pump();
    });
  }

  pump() {
    for (let item = this.next(); item; item = this.next()) this.run(item);
  }

  next() {
    const { items, selected, isPaused } = this.list;
    const asked = items.find(({ state, isAsked }) => isAsked && state === "waiting");
    if (asked) return asked;
    if (isPaused || this.running.size >= AHEAD) return null;
    return selected?.state === "waiting" ? selected : (items.find(({ state }) => state === "waiting") ?? null);
  }

  /** @param {WorkItem} item */
  async run(item) {
    const controller = new AbortController();
    const isCurrent = () => this.running.get(item) === controller;
    this.running.set(item, controller);
    const keep = `${item.number}-${++WorkQueue.analyses}`; // what the worker keeps for maps of this very analysis
    this.list.change(item, { state: "working", stage: null, share: 0, keep });
    /** @type {ProgressListener} */
    const onProgress = ({ stage, done }) => isCurrent() && this.list.change(item, stageOf(SITE.words.stages, stage, done));
    const { name, options, isAsked } = item;
    const isUrgent = isAsked || item === this.list.selected;
    const result = await analyseForPage(item.blob, { ...options, keep, name, isUrgent, signal: controller.signal, onProgress });
    if (!isCurrent()) return result.preview?.close(); // it was removed meanwhile
    this.running.delete(item);
    this.list.change(item, { ...this.kept.put(item, result), state: stateOf(result), stage: null, share: 1, isAsked: false, isSaved: false });
    this.pump();
  }

  // The same image once more, with other options of sitegen.analyse.
  /** @param {WorkItem} item @param {AnalyseOptions} options */
  again(item, options) {
    if (item.away !== null) return; // its image is not here
    this.list.change(item, { options: { ...options, bundle: item.bundle.name }, state: "waiting", stage: null, share: 0, isAsked: true, tries: [], projection: null });
    this.pump();
  }

  /** @param {WorkItem[]} items */
  retry(items) {
    for (const item of items.filter(({ away }) => away === null)) this.list.change(item, { state: "waiting", stage: null, share: 0, summary: null, document: null });
    this.list.tell({ kind: "view" }); // which pumps
  }

  /** @param {WorkItem} item */
  cancel(item) {
    const controller = this.running.get(item);
    if (controller) return controller.abort();
    if (item.state !== "waiting") return;
    const result = cancelledResult({ kind: "analyse", name: item.name, bundle: item.bundle });
    this.list.change(item, { ...this.kept.put(item, result), state: "cancelled", isAsked: false });
  }

  // Those that wait, and those that are being analysed.
  cancelRest() {
    for (const item of this.list.items) if (PENDING.has(item.state)) this.cancel(item);
    this.list.tell({ kind: "view" });
  }

  dropRemoved() {
    const left = new Set(this.list.items);
    for (const [item, controller] of this.running) {
      if (left.has(item)) continue;
      this.running.delete(item);
      controller.abort();
    }
    for (const item of [...this.kept.held.keys()]) if (!left.has(item)) this.kept.release(item);
  }
}

/** @param {AnalysisResult} result @returns {WorkItem["state"]} */
function stateOf({ wording, document }) {
  if (wording.outcome !== "failed") return wording.outcome === "refused" ? "refused" : "done";
  return "error" in document && document.error.code === "cancelled" ? "cancelled" : "failed";
}

// What is being done, in words and as a share of the whole.
/** @param {StageWords[]} stages @param {string} stage @param {number} done */
function stageOf(stages, stage, done) {
  const { name, begins, ends } = stages.find((each) => each.stage === stage) ?? { name: stage, begins: 0, ends: 1 };
  return { stage: name, share: begins + (ends - begins) * Math.min(done, 1) };
}

// The same on a bar.
/** @param {StageWords[]} stages @param {string} stage @param {number} done @param {HTMLElement} text @param {HTMLProgressElement} bar */
function showStage(stages, stage, done, text, bar) {
  const { stage: name, share } = stageOf(stages, stage, done);
  text.textContent = name;
  bar.value = share;
}
