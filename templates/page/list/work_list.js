// The images of this page, and what became of each: this is the one place where that stands. Whoever shows it listens;
// whoever changes it calls a method below, and every listener is told. Nothing of it outlives the page.
const PENDING = new Set(["waiting", "working"]);

class WorkList {
  static items = 0;

  constructor() {
    /** @type {WorkItem[]} in the order in which they came */
    this.items = [];
    /** @type {WorkItem | null} the one that viewer and findings show */
    this.selected = null;
    /** @type {WorkItem | null} shown beside it, where two are compared */
    this.beside = null;
    /** @type {WorkOrder} */
    this.order = "added";
    /** @type {WorkFilter} */
    this.filter = "all";
    this.isPaused = false;
    /** @type {WorkItem[] | null} the list as it was before the last removal, which can be taken back */
    this.before = null;
    /** @type {((event: WorkEvent) => void)[]} */
    this.listeners = [];
  }

  /** @param {(event: WorkEvent) => void} listener */
  listen(listener) {
    this.listeners.push(listener);
  }

  /** @param {WorkEvent} event */
  tell(event) {
    for (const listener of this.listeners) listener(event);
  }

  // Adds images; the first of them is selected. `fields` are those of images that are known already.
  /** @param {{ blob: Blob, name: string, fields?: Partial<WorkItem> }[]} images @param {BundleEntry} bundle the model that judges them, now and later */
  add(images, bundle) {
    const added = images.map(({ blob, name, fields }) => Object.assign(newItem(++WorkList.items, blob, name, bundle), fields));
    if (!added.length) return added;
    this.items = [...this.items, ...added];
    this.before = null;
    if (!this.visible().includes(added[0])) this.filter = "all"; // what was just opened is seen
    this.tell({ kind: "items" });
    this.select(added[0]);
    return added;
  }

  // The one way to change an image's state.
  /** @param {WorkItem} item @param {Partial<WorkItem>} fields */
  change(item, fields) {
    Object.assign(item, fields);
    this.tell({ kind: "item", item, fields });
  }

  /** @param {WorkItem | null} item */
  select(item) {
    if (item === this.selected) return;
    const last = this.selected;
    this.selected = item;
    if (this.beside && (this.beside === item || this.isBesideFree)) this.beside = last && this.items.includes(last) ? last : null;
    this.tell({ kind: "selected" });
  }

  // While two are shown, the one that was looked at before stays beside the one that is chosen.
  isBesideFree = true;

  /** @param {boolean} isOn */
  compare(isOn) {
    const others = this.items.filter((item) => item !== this.selected);
    const next = this.items[this.items.indexOf(/** @type {WorkItem} */ (this.selected)) - 1] ?? others[0] ?? null;
    this.beside = isOn ? next : null;
    this.tell({ kind: "selected" });
  }

  // Shows an image beside the selected one.
  /** @param {WorkItem} item */
  compareWith(item) {
    this.beside = item === this.selected ? null : item;
    this.tell({ kind: "selected" });
  }

  // `view` is order, filter or pause.
  /** @param {{ order?: WorkOrder, filter?: WorkFilter, isPaused?: boolean }} view */
  show(view) {
    Object.assign(this, view);
    this.tell({ kind: "view" });
  }

  // What was removed can be brought back until something else is added or removed.
  /** @param {WorkItem[]} items */
  remove(items) {
    const gone = new Set(items);
    const shown = this.visible();
    const place = this.selected ? shown.indexOf(this.selected) : -1;
    this.before = this.items;
    this.items = this.items.filter((item) => !gone.has(item));
    for (const item of items) if (PENDING.has(item.state)) Object.assign(item, { state: "waiting", stage: null, share: 0 });
    this.tell({ kind: "items" });
    if (this.beside && gone.has(this.beside)) this.beside = null;
    if (this.selected && !gone.has(this.selected)) return;
    const left = shown.filter((item) => !gone.has(item));
    const next = shown.slice(place).find((item) => !gone.has(item));
    this.select(next ?? left.at(-1) ?? this.items[0] ?? null);
  }

  undoRemoval() {
    if (!this.before) return;
    this.items = this.before;
    this.before = null;
    this.tell({ kind: "items" });
    if (!this.selected) this.select(this.items[0]);
  }

  // The images that the list shows, in its order.
  visible() {
    const shown = this.items.filter((item) => FILTERS[this.filter].holds(item));
    const { key } = ORDERS[this.order];
    return key ? shown.map((item) => ({ item, key: key(item) })).sort((one, other) => compared(one.key, other.key) || one.item.number - other.item.number).map(({ item }) => item) : shown;
  }
}

/** @param {string | number} one @param {string | number} other */
function compared(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
}

const SEVERITY = { done: 0, refused: 1, failed: 2, cancelled: 3, working: 4, waiting: 5 };

/** @type {Record<WorkOrder, { name: string, key: ((item: WorkItem) => string | number) | null }>} */
const ORDERS = {
  added: { name: "as added", key: null },
  name: { name: "by name", key: ({ name }) => name },
  strongest: { name: SITE.words.work_list.by_strongest, key: ({ summary }) => -(summary?.strength ?? -1) },
  state: { name: "by state", key: ({ state, summary }) => SEVERITY[state] - (summary?.isAbove ? 0.5 : 0) },
};

/** @type {Record<WorkFilter, { name: string, holds: (item: WorkItem) => boolean }>} */
const FILTERS = {
  all: { name: "All", holds: () => true },
  above: { name: "Above a threshold", holds: ({ summary }) => summary?.isAbove ?? false },
  refused: { name: "Refused", holds: ({ state }) => state === "refused" },
  failed: { name: "Failed or cancelled", holds: ({ state }) => state === "failed" || state === "cancelled" },
  pending: { name: SITE.words.work_list.pending, holds: ({ state }) => PENDING.has(state) },
};

/** @param {number} number @param {Blob} blob @param {string} name @param {BundleEntry} bundle @returns {WorkItem} */
function newItem(number, blob, name, bundle) {
  return {
    number, blob, name, bundle,
    options: { bundle: bundle.name },
    state: "waiting", stage: null, share: 0, isAsked: false,
    keep: "", document: null, summary: null, stored: null, thumbnail: null, isSaved: false,
    note: "", time: null, away: null, bytes: 0, lesson: null, maps: null, tries: [], isTrying: false, projection: null,
  };
}
