// The list, kept in this browser where somebody asks for it: images, results and notes are there again when the page is opened
// again. On served sites only: of pages from a disk some browsers make one place, which all of them could read.
const LIST_NAME = `sitegen list ${location.pathname.replace(/[^/]*$/, "")}`; // a server may have several sites
const LIST_STORES = ["entries", "files"]; // a file is written once, its entry whenever something changes
const FLUSH_MS = 300;
const KEPT_FIELDS = new Set(["state", "note", "stored", "isSaved", "blob", "away", "tries", "projection"]);
const LIST_WORDS = SITE.words.work_list;
const siteIdentity = sha256(JSON.stringify(SITE.assets)); // what one program said of a result, another may not understand

class KeptList {
  /** @param {WorkList} list @param {(text: string) => void} announce */
  constructor(list, announce) {
    this.list = list;
    this.announce = announce;
    /** @type {IDBDatabase | null} */
    this.database = null;
    /** @type {Map<WorkItem, string>} what is kept of an image is found by */
    this.keys = new Map();
    /** @type {Set<WorkItem>} */
    this.changed = new Set();
    /** @type {Set<WorkItem>} */
    this.moved = new Set(); // their files are new
    /** @type {Set<string>} */
    this.gone = new Set();
    this.writing = Promise.resolve();
    this.isAwaited = false;
    this.box = element("input", { type: "checkbox", id: "keep-list", autocomplete: "off", "aria-describedby": "keep-list-hint" });
    this.box.onchange = () => (this.box.checked ? this.begin() : this.forget());
    const hint = element("p", { className: "hint", id: "keep-list-hint", textContent: LIST_WORDS.keep_hint });
    this.node = element("div", { className: "keep-list" }, element("label", { className: "tick" }, this.box, ` ${LIST_WORDS.keep}`), hint);
    list.listen((event) => this.database && this.hear(event));
  }

  // Whether all that is in the list would be there again.
  get isWhole() {
    return this.database !== null && !this.changed.size && !this.gone.size && !this.isWriting;
  }

  isWriting = false;

  /** @param {WorkEvent} event */
  hear(event) {
    if (event.kind === "items") this.compare();
    if (event.kind !== "item" || !this.keys.has(event.item)) return;
    const names = Object.keys(event.fields);
    if (!names.some((name) => KEPT_FIELDS.has(name)) || event.fields.state === "working") return;
    this.changed.add(event.item);
    if (names.includes("blob")) this.moved.add(event.item);
    this.later();
  }

  // What came and what went. Cases that a site teaches with come from the site.
  compare() {
    const { items } = this.list;
    const there = new Set(items);
    for (const [item, key] of this.keys) {
      if (there.has(item)) continue;
      this.gone.add(key);
      for (const place of [this.keys, this.changed, this.moved]) place.delete(item);
    }
    for (const item of items) {
      if (this.keys.has(item) || item.lesson) continue;
      this.keys.set(item, newKey(item));
      this.changed.add(item);
      this.moved.add(item);
    }
    this.later();
  }

  later() {
    if (this.isAwaited) return;
    this.isAwaited = true;
    setTimeout(() => {
      this.isAwaited = false;
      this.writing = this.writing.then(() => this.write());
    }, FLUSH_MS);
  }

  async write() {
    const { database } = this;
    if (!database) return;
    const work = [...this.gone].map((key) => ({ key, entry: null, file: null }));
    const items = [...this.changed].map((item) => ({ key: this.keys.get(item) ?? "", entry: entryOf(item), file: this.moved.has(item) ? item.blob : null }));
    for (const place of [this.gone, this.changed, this.moved]) place.clear();
    this.isWriting = true;
    try {
      const transaction = database.transaction(LIST_STORES, "readwrite");
      const [entries, files] = LIST_STORES.map((name) => transaction.objectStore(name));
      for (const { key, entry, file } of [...work, ...items]) {
        if (entry) entries.put(entry, key);
        else for (const store of [entries, files]) store.delete(key);
        if (file) files.put(file, key);
      }
      await endOf(transaction);
    } catch (error) {
      this.giveUp(error);
    }
    this.isWriting = false;
  }

  // Somebody asked for it, now.
  async begin() {
    try {
      this.database = await openListStore();
      localStorage.setItem(LIST_NAME, "kept");
    } catch (error) {
      return this.giveUp(error);
    }
    this.announce(LIST_WORDS.keep_begun);
    this.compare();
  }

  // Somebody wants nothing kept any more.
  async forget() {
    await this.end();
    this.announce(LIST_WORDS.keep_ended);
  }

  /** @param {unknown} error */
  async giveUp(error) {
    await this.end();
    this.announce(LIST_WORDS.keep_failed.replace("{reason}", reasonOf(error)));
  }

  async end() {
    this.database?.close();
    this.database = null;
    this.box.checked = false;
    for (const place of [this.keys, this.changed, this.moved, this.gone]) place.clear();
    try {
      localStorage.removeItem(LIST_NAME);
      await resultOf(indexedDB.deleteDatabase(LIST_NAME));
    } catch {
      // nothing could be kept either
    }
  }

  // When the page is opened: the list as it was, where it was kept.
  async restore() {
    if (!wasKept()) return;
    this.box.checked = true;
    try {
      const database = await openListStore();
      const transaction = database.transaction(LIST_STORES);
      const [entries, files] = LIST_STORES.map((name) => transaction.objectStore(name));
      const [keys, kept, fileKeys, blobs] = await Promise.all([resultOf(entries.getAllKeys()), resultOf(entries.getAll()), resultOf(files.getAllKeys()), resultOf(files.getAll())]);
      const blobOf = new Map(fileKeys.map((key, index) => [key, blobs[index]]));
      const images = keys.map((key, index) => itemOf(kept[index], blobOf.get(key) ?? new Blob()));
      const added = this.list.add(images, SITE.bundles[0]);
      added.forEach((item, index) => this.keys.set(item, String(keys[index])));
      this.database = database;
      this.compare();
      const tell = () => added.length && this.announce(LIST_WORDS.keep_restored.replace("{count}", String(added.length)));
      engineReady.then(tell, () => {}); // until then the page tells how it starts
    } catch (error) {
      this.box.checked = false; // what is there stays: another visit may be able to read it
      this.announce(LIST_WORDS.keep_unread.replace("{reason}", reasonOf(error)));
    }
  }
}

/** @param {unknown} error */
function reasonOf(error) {
  return () => (error instanceof Error || error instanceof DOMException ? error.message || error.name : String(error));
}

function wasKept() {
  try {
    return localStorage.getItem(LIST_NAME) !== null;
  } catch {
    return false;
  }
}

// Keys sort as the images came, from visit to visit.
/** @param {WorkItem} item */
function newKey({ number }) {
  return `${String(Date.now()).padStart(15, "0")} ${String(number).padStart(8, "0")} ${Math.random()}`;
}

/** @param {WorkItem} item @returns {KeptEntry} */
function entryOf(item) {
  const { name, bundle, options, state, document, summary, stored, thumbnail, isSaved, note, time, away, bytes, tries, projection } = item;
  const { force = false, correction = null } = options;
  const isDone = !PENDING.has(state);
  const fields = { state: isDone ? state : "waiting", thumbnail, isSaved, note, time, away, bytes, ...(isDone ? { document, summary, stored, tries, projection, share: 1 } : {}) };
  return { name, site: siteIdentity, bundle: bundle.name, sha256: bundle.sha256, options: { force, correction }, fields };
}

// What another version of the site or of the model said of an image does not count: it is analysed again.
/** @param {KeptEntry} entry @param {Blob} blob */
function itemOf({ name, site, bundle: bundleName, sha256, options, fields }, blob) {
  const bundle = SITE.bundles.find((each) => each.name === bundleName) ?? SITE.bundles[0];
  const isSame = site === siteIdentity && sha256 === bundle.sha256;
  const { note, thumbnail, away, bytes } = fields;
  const kept = isSame ? fields : { note, thumbnail, away, bytes };
  return { blob: asFile(blob, name), name, fields: { ...kept, bundle, options: { bundle: bundle.name, ...options } } };
}

/** @param {Blob} blob @param {string} name */
function asFile(blob, name) {
  return blob instanceof File ? blob : new File([blob], name);
}

/** @returns {Promise<IDBDatabase>} */
function openListStore() {
  const request = indexedDB.open(LIST_NAME, 1);
  request.onupgradeneeded = () => {
    for (const name of LIST_STORES) request.result.createObjectStore(name);
  };
  return resultOf(request);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function endOf(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
