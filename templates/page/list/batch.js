// Images that are analysed in one go: how many are done, how long the rest takes, and what is said of it aloud. A batch begins
// when there is work and ends when there is none.
class Batch {
  /** @param {WorkList} list @param {(text: string) => void} announce */
  constructor(list, announce) {
    this.list = list;
    this.announce = announce;
    /** @type {Set<WorkItem>} */
    this.items = new Set();
    this.done = 0;
    this.quarters = 0;
    this.seconds = 0; // of work, pauses apart
    this.since = 0;
    list.listen((event) => this.hear(event));
  }

  /** @param {WorkEvent} event */
  hear(event) {
    if (event.kind === "items") return this.gather();
    if (event.kind === "view") return this.keepTime();
    if (event.kind !== "item" || event.fields.state === undefined) return;
    const { item } = event;
    if (PENDING.has(item.state)) this.include(item);
    else if (this.items.has(item)) this.count(item);
  }

  // Whatever came or went.
  gather() {
    const left = new Set(this.list.items);
    for (const item of this.items) if (!left.has(item)) this.items.delete(item);
    const before = this.items.size;
    for (const item of this.list.items) if (PENDING.has(item.state)) this.include(item);
    if (this.items.size > 1 && this.items.size > before && this.rest > 0) this.announce(SITE.words.work_list.begun.replace("{count}", String(this.items.size)));
    if (this.items.size && this.rest === 0) this.end();
  }

  /** @param {WorkItem} item */
  include(item) {
    if (!this.items.size) this.since = performance.now();
    this.items.add(item);
  }

  get rest() {
    let rest = 0;
    for (const { state } of this.items) if (PENDING.has(state)) rest += 1;
    return rest;
  }

  /** @param {WorkItem} item */
  count(item) {
    this.done += 1;
    const { rest } = this;
    const quarters = Math.floor((4 * (this.items.size - rest)) / this.items.size);
    if (rest === 0) return this.end(item);
    if (this.items.size > 3 && quarters > this.quarters) this.announce(`${this.items.size - rest} of ${this.items.size} images done.`);
    this.quarters = quarters;
  }

  /** @param {WorkItem} [last] */
  end(last) {
    const items = [...this.items];
    this.items.clear();
    this.done = this.quarters = this.seconds = 0;
    if (items.length === 1 && last) this.announce(`${last.name}: ${last.summary?.verdict ?? "done"}.`.replace(/([.!?])\.$/, "$1"));
    else if (last) this.announce(`${items.length} images done: ${countsInWords(items)}.`);
    this.list.tell({ kind: "view" });
  }

  keepTime() {
    const now = performance.now();
    if (this.wasPaused) this.since = now;
    else if (this.list.isPaused) this.seconds += (now - this.since) / 1000;
    this.wasPaused = this.list.isPaused;
  }

  wasPaused = false;

  // Seconds until all are done, by how long those before took; null while nobody can tell.
  timeLeft() {
    const { rest } = this;
    if (this.done < 2 || !rest || this.list.isPaused) return null;
    const spent = this.seconds + (performance.now() - this.since) / 1000;
    return (spent / this.done) * rest;
  }
}

/** @param {WorkItem[]} items */
function countsInWords(items) {
  const count = (/** @type {(item: WorkItem) => boolean} */ holds) => items.filter(holds).length;
  const parts = [
    [count(({ summary }) => summary?.isAbove ?? false), "above a threshold"],
    [count((item) => item.state === "done" && isVeiled(item)), SITE.words.teaching.counted],
    [count((item) => item.state === "done" && !isVeiled(item) && !item.summary?.isAbove), SITE.words.work_list.none_above],
    [count(({ state }) => state === "refused"), "refused"],
    [count(({ state }) => state === "failed"), "failed"],
    [count(({ state }) => state === "cancelled"), "cancelled"],
  ];
  return parts.filter(([number]) => number).map(([number, words]) => `${number} ${words}`).join(", ");
}

/** @param {number} seconds */
function timeInWords(seconds) {
  if (seconds < 50) return `about ${Math.max(5, 5 * Math.round(seconds / 5))} seconds left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} ${minutes === 1 ? "minute" : "minutes"} left` : `about ${Math.round(minutes / 60)} hours left`;
}
