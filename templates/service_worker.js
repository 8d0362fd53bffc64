// Keeps the whole site in the browser, so that it works when the server is gone, and adds the headers without which
// browsers give no shared memory, which threads need. It asks the server for files of this site and for nothing else.
//
// A version of the site is its manifest.json, by that file's SHA-256. Every file is checked against the manifest before
// it is kept. A new version is fetched whole beside the one in use, and a person's button begins it; one whose index has
// not the policy of a site is not taken.
const PREFIX = `sitegen 1 ${registration.scope} `; // other sites of the same host have caches of their own
const STATE = "state";
const MOST_SEEN = 100;
const MANIFEST = "manifest.json";
const INDEX = "index.html";
const OWN = "service_worker.js";
const GRAPHICS = "assets/webgpu/"; // megabytes that most machines never load: kept where the page has used them
const CHECK_MS = 4_000;
const HERE = ["localhost", "127.0.0.1", "[::1]"]; // where `sitegen serve` shows what was just built
// A page begins like this or has no policy that counts: nothing may stand before it.
const POLICY = /^<!doctype html>\s*<html lang="[^"<>]*">\s*<head>\s*<meta charset="utf-8">\s*<meta http-equiv="Content-Security-Policy" content="([^"<>]*)">/i;
const DEMANDED = ["default-src", "form-action", "base-uri"]; // of which nothing is allowed: so `connect-src` is 'none', too
/** @type {Record<string, RegExp>} */
const ALLOWED = {
  "script-src": /^('self'|'wasm-unsafe-eval'|'sha256-[\w+/=]+')$/,
  "style-src": /^'sha256-[\w+/=]+'$/,
  "img-src": /^data:$/,
  "worker-src": /^('self'|blob:)$/,
  "manifest-src": /^'self'$/,
};
const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};
/** @type {Record<string, string>} */
const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  mjs: "text/javascript; charset=utf-8",
  png: "image/png",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
};

/** @param {string} file */
function address(file) {
  return new URL(file.split("/").map(encodeURIComponent).join("/"), registration.scope).href;
}

// The name in the manifest of what a request is for; null where it is for no file below the site's folder.
/** @param {Request} request */
function fileOf(request) {
  const scope = new URL(registration.scope);
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== scope.origin || !pathname.startsWith(scope.pathname)) return null;
  try {
    const name = decodeURIComponent(pathname.slice(scope.pathname.length));
    return name === "" || name.endsWith("/") ? `${name}${INDEX}` : name;
  } catch {
    return null; // a stray "%"
  }
}

/** @param {BufferSource} bytes */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Whether a page has the policy of a site's pages, or a stricter one.
/** @param {string} html */
function hasPolicy(html) {
  const text = POLICY.exec(html)?.[1].replaceAll("&#39;", "'") ?? "";
  const directives = text.split(";").map((part) => part.trim().split(/\s+/));
  const names = directives.map(([name]) => name);
  const isStrict = directives.every(([name, ...sources]) =>
    sources.every((source) => source === "'none'" || ALLOWED[name]?.test(source)),
  );
  return isStrict && new Set(names).size === names.length && DEMANDED.every((name) => names.includes(name));
}

// Below 0 where a version's name, such as "1.10.0", comes before another, by its numbers.
/** @param {string} [one] @param {string} [other] */
function order(one = "", other = "") {
  const [ours, theirs] = [one, other].map((text) => (text.match(/\d+/g) ?? []).map(Number));
  const place = ours.findIndex((number, index) => number !== (theirs[index] ?? 0));
  return place < 0 ? 0 : ours[place] - (theirs[place] ?? 0);
}

/** @param {Response} response @param {string} file @param {BodyInit} body */
function isolated(response, file, body) {
  const headers = new Headers(response.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name); // the body is unpacked by now
  const type = TYPES[file.split(".").at(-1) ?? ""];
  if (type) headers.set("Content-Type", type);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}

class Version {
  /** @param {string} name @param {string} text */
  constructor(name, text) {
    this.name = name;
    this.text = text;
    /** @type {Manifest} */
    const { files, sitegen, bundles = [] } = JSON.parse(text);
    this.files = files;
    /** @type {Record<string, string>} */
    this.parts = Object.fromEntries([["", sitegen ?? ""], ...bundles.map(({ name, version }) => [name, version])]);
    /** @type {Map<string, Promise<Fetched>>} */
    this.loading = new Map(); // file -> promise, so that nobody asks for a file that is on its way
  }

  /** @param {string} text */
  static async of(text) {
    const version = new Version(await sha256(new TextEncoder().encode(text)), text);
    if (!version.files?.[INDEX]) throw new Error(`The server's ${MANIFEST} is not that of a site.`);
    return version;
  }

  /** @param {string} name */
  static async kept(name) {
    const found = await (await caches.open(PREFIX + name)).match(address(MANIFEST));
    return found ? new Version(name, await found.text()) : null;
  }

  /** @param {string} file */
  has(file) {
    return file === MANIFEST || Object.hasOwn(this.files, file);
  }

  /** @param {string} file */
  async match(file) {
    return (await caches.open(PREFIX + this.name)).match(address(file));
  }

  /** @param {string} file @param {Response} response */
  async put(file, response) {
    await (await caches.open(PREFIX + this.name)).put(address(file), response);
  }

  async keepManifest() {
    await this.put(MANIFEST, isolated(new Response(), MANIFEST, this.text));
  }

  // What the manifest lists is good and kept, and no page waits for that.
  /** @param {string} file */
  load(file) {
    const begun = this.loading.get(file);
    if (begun) return begun;
    const loading = this.fetch(file);
    this.loading.set(file, loading);
    loading.then(({ keeping }) => keeping).catch(() => {}).then(() => this.loading.delete(file));
    return loading;
  }

  /** @param {string} file @returns {Promise<Fetched>} */
  async fetch(file) {
    const response = await fetch(address(file), { cache: "no-store" }); // one copy on the disk is enough
    const bytes = await response.arrayBuffer();
    const isGood = response.ok && (await sha256(bytes)) === this.files[file].sha256;
    const keeping = isGood ? this.put(file, isolated(response, file, bytes)) : Promise.resolve();
    return { response, bytes, isGood, keeping };
  }

  // What is not as the manifest says goes to the page all the same, which checks its parts itself and says what is wrong.
  /** @param {string} file @param {ExtendableEvent} event */
  async answer(file, event) {
    const kept = await this.match(file);
    if (kept) return kept;
    const { response, bytes, isGood, keeping } = await this.load(file);
    event.waitUntil(keeping.catch(({ message }) => console.warn(`${file} could not be kept: ${message}`)));
    if (!isGood) console.warn(`${file} is not as ${MANIFEST} says: this site is not kept for use without a network.`);
    return isolated(response, file, bytes);
  }

  // Whether any part that both have is of an earlier version here.
  /** @param {Version | null} other */
  isOlderThan(other) {
    return Object.entries(this.parts).some(([name, version]) => order(version, other?.parts[name] ?? version) < 0);
  }

  async usesGraphics() {
    const requests = await (await caches.open(PREFIX + this.name)).keys();
    return requests.some((request) => fileOf(request)?.startsWith(GRAPHICS));
  }

  // Fetches what is missing; what another version has, by its SHA-256, is copied. Throws where a file is not as it should be.
  /** @param {Version | null} [other] */
  async complete(other) {
    const theirs = new Map(Object.entries(other?.files ?? {}).map(([file, entry]) => [entry.sha256, file]));
    const withGraphics = await other?.usesGraphics();
    for (const [file, { sha256: wanted }] of Object.entries(this.files)) {
      if ((file.startsWith(GRAPHICS) && !withGraphics) || (await this.match(file))) continue;
      const theirName = theirs.get(wanted);
      const copy = theirName && (await other?.match(theirName));
      const copying = copy ? { isGood: true, keeping: this.put(file, isolated(copy, file, await copy.arrayBuffer())) } : null;
      const { isGood, keeping } = copying ?? (await this.load(file));
      await keeping;
      if (!isGood) throw new Error(`The server's ${file} is not that of its ${MANIFEST}.`);
    }
  }

  // Whether every page has the policy of a site's pages, and nothing else is among the files that browsers show as a page.
  async keepsPolicy() {
    const endings = new Set(Object.keys(this.files).map((file) => file.split(".").at(-1) ?? ""));
    if (![...endings].every((ending) => ending in TYPES)) return false;
    const pages = Object.keys(this.files).filter((file) => file.endsWith(".html"));
    const texts = await Promise.all(pages.map(async (file) => (await this.match(file))?.text()));
    return texts.every((text) => hasPolicy(text ?? ""));
  }
}

// Which version is in use, and whether all of it is kept; `next` is whole and waits; `others` may still be shown in a tab.
class Site {
  /** @type {Version | null} */
  current = null;
  /** @type {Version | null} */
  next = null;
  /** @type {Version[]} */
  others = [];
  /** @type {string[]} */
  seen = []; // names of versions that were in use before
  isWhole = false;
  isPreview = false;
  isPinned = false; // somebody asked to stay with the version in use: no other is looked for

  static async kept() {
    const found = await (await caches.open(PREFIX + STATE)).match(address(STATE));
    /** @type {KeptState} */
    const { current, next, others = [], seen = [], isWhole = false, isPreview = false, isPinned = false } = found ? await found.json() : {};
    const site = Object.assign(new Site(), { seen, isWhole, isPreview, isPinned });
    site.current = current ? await Version.kept(current) : null;
    site.next = next ? await Version.kept(next) : null;
    site.others = (await Promise.all(others.map(Version.kept))).filter((version) => version !== null);
    return site;
  }

  async save() {
    const { seen, isWhole, isPreview, isPinned } = this;
    const names = { current: this.current?.name, next: this.next?.name, others: this.others.map(({ name }) => name) };
    const text = JSON.stringify({ ...names, seen, isWhole, isPreview, isPinned });
    await (await caches.open(PREFIX + STATE)).put(address(STATE), new Response(text));
  }

  /** @param {Version} version @param {boolean} isWhole */
  async use(version, isWhole) {
    if (this.current) {
      this.others.unshift(this.current);
      this.seen = [...this.seen, this.current.name].slice(-MOST_SEEN);
    }
    Object.assign(this, { current: version, next: null, isWhole });
    await this.save();
  }

  // News of the version that waits. A step back nobody shall take for progress: to one that was in use before, or of which
  // any part is older.
  news() {
    const { next, current, seen } = this;
    if (!next || !(seen.includes(next.name) || next.isOlderThan(current))) return { kind: "update", stepBack: null };
    return { kind: "update", stepBack: seen.includes(next.name) ? "seen" : "older" };
  }

  // Names of assets carry their hash: those of an older version, shown in another tab, are no one else's.
  /** @param {string} file */
  versionWith(file) {
    return [this.current, ...this.others].find((version) => version?.has(file));
  }
}

/** @type {Promise<Site> | null} */
let kept = null;
/** @type {Promise<void> | null} */
let checking = null;
/** @type {string | null} */
let preparing = null;
let isJustInstalled = false;

function theSite() {
  return (kept ??= Site.kept());
}

async function serversVersion() {
  const response = await fetch(address(MANIFEST), { cache: "no-store", signal: AbortSignal.timeout(CHECK_MS) });
  if (!response.ok) throw new Error(`The server has no ${MANIFEST} (${response.status}).`);
  const isPreview = HERE.includes(new URL(registration.scope).hostname) && response.headers.get("Sitegen-Updates") === "at-once";
  return { version: await Version.of(await response.text()), isPreview };
}

// Looks whether the server has another version. Whatever goes wrong, the one in use stays.
function check() {
  const looked = async () => {
    try {
      await lookForUpdate(await theSite());
    } catch (error) {
      console.warn(`No new version was taken: ${/** @type {Error} */ (error).message}`);
    }
    checking = preparing = null;
  };
  return (checking ??= looked());
}

/** @param {Site} site */
async function lookForUpdate(site) {
  if (site.isPinned) return;
  const { version, isPreview } = await serversVersion();
  site.isPreview = isPreview;
  if (version.name === site.next?.name) return;
  if (version.name === site.current?.name) {
    site.next = null; // the server went back to the version before
    return site.save();
  }
  // Nothing is lost with a version that is not whole, which one without a service worker may take the place of.
  if (!version.has(OWN) && (isPreview || !site.isWhole)) return retire();
  await version.keepManifest();
  // A preview (`sitegen serve`) is for seeing what was just built.
  if (isPreview || !site.isWhole) return site.use(version, false);
  preparing = version.name;
  await version.complete(site.current);
  if (!(await version.keepsPolicy())) {
    await tellAll({ kind: "refused" });
    throw new Error("a page of it lacks the policy of a site's pages.");
  }
  site.next = version;
  await site.save();
  await tellAll(site.news());
}

async function retire() {
  const own = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(own.map((name) => caches.delete(name)));
  kept = null;
  await registration.unregister();
}

/** @param {object} news */
async function tellAll(news) {
  for (const client of await clients.matchAll({ type: "window" })) client.postMessage(news);
}

// Before the index page is answered: which version the whole of that visit will be of.
/** @param {Site} site @param {ExtendableEvent} event */
async function chooseVersion(site, event) {
  const isFresh = isJustInstalled; // its manifest was fetched a moment ago
  isJustInstalled = false;
  if (site.isWhole && !site.isPreview) event.waitUntil(check());
  else if (!isFresh) await check();
}

/** @param {FetchEvent} event @param {string} file */
async function answer(event, file) {
  const site = await theSite();
  if (event.request.mode === "navigate" && file === INDEX) await chooseVersion(site, event);
  const version = (await theSite()).versionWith(file);
  return version ? version.answer(file, event) : fetch(event.request);
}

// The page runs: what it did not load is fetched now, and what no tab can be showing goes.
/** @param {ExtendableMessageEvent["source"]} client @param {boolean} mayLoad */
async function settle(client, mayLoad) {
  const site = await theSite();
  const { current } = site;
  isJustInstalled = false;
  if (!current) return;
  await clear(site);
  if (site.next) client?.postMessage(site.news());
  if (site.isPinned) client?.postMessage({ kind: "pinned" });
  if (!site.isWhole && mayLoad) {
    await current.complete();
    if (site.current === current) site.isWhole = true;
    await site.save();
  }
  if (site.isWhole) client?.postMessage({ kind: "whole" });
}

/** @param {Site} site */
async function clear(site) {
  if ((await clients.matchAll({ type: "window" })).length > 1) return;
  site.others = [];
  await site.save();
  const used = [STATE, site.current?.name, site.next?.name, preparing].map((name) => PREFIX + name);
  const own = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(own.filter((name) => !used.includes(name)).map((name) => caches.delete(name)));
}

// Somebody pressed the button: the next start of any page is of the version that waited. Nothing else begins it.
/** @param {ExtendableMessageEvent["source"]} client */
async function take(client) {
  const site = await theSite();
  if (site.next?.has(OWN)) await site.use(site.next, true);
  else if (site.next) await retire(); // built without a service worker
  client?.postMessage({ kind: "taken" });
}

// Somebody wants to stay with the version in use, or no longer.
/** @param {boolean} isPinned */
async function pin(isPinned) {
  const site = await theSite();
  site.isPinned = isPinned;
  if (isPinned) site.next = null;
  await site.save();
  await tellAll({ kind: isPinned ? "pinned" : "unpinned" });
  if (!isPinned) await check();
}

async function install() {
  const site = await theSite();
  if (!site.current) {
    const { version, isPreview } = await serversVersion();
    await version.keepManifest();
    site.isPreview = isPreview;
    await site.use(version, false);
    isJustInstalled = true;
  }
  await skipWaiting();
}

async function activate() {
  kept = null; // the worker before this one may have changed it since
  await clients.claim();
}

/** @param {ExtendableMessageEvent} event */
function obey({ source, data }) {
  /** @type {FromPage} */
  const message = data;
  if (message.kind === "claim") return clients.claim();
  if (message.kind === "check") return check();
  if (message.kind === "take") return take(source);
  if (message.kind === "pin") return pin(message.isPinned);
  return settle(source, message.mayLoad).catch(({ message }) => console.warn(message));
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(activate()));
addEventListener("message", (event) => event.waitUntil(obey(event)));
addEventListener("fetch", (event) => {
  const file = fileOf(event.request);
  if (file !== null) event.respondWith(answer(event, file));
});
