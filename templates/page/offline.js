// Over http a service worker keeps the site and isolates the page (see service_worker.js). It has to be there before
// anything large is loaded, or that would be loaded twice. Without it, as on file://, everything else works.
const CONTROL_MS = 5_000; // then the page goes on without
const HOUR_MS = 3_600_000;
/** @type {Record<string, string>} */
const STEP_BACK = {
  seen: "The server has gone back to a version of this site that was in use here before: an older one, as far as this browser knows. ",
  older: "The server offers an older version of this site: its program, or a model in it, has a lower number than the one in use. ",
};
const REFUSED = "The server has another version of this site, whose page lacks the security policy of this one. It was not taken. ";
const QUIET_MS = 1_000;
const RELOADED = `sitegen reloaded ${location.pathname}`;

// Browsers have none on plain http away from this machine, and in some private windows; in sandboxed frames asking throws.
const serviceWorkers = SITE.offline && location.protocol.startsWith("http") ? offered(() => navigator.serviceWorker) : undefined;

// Resolves when assets can be loaded; never rejects.
async function prepareSite() {
  if (!serviceWorkers) return;
  try {
    await holdingLoadEvent(controlAndIsolation(serviceWorkers));
  } catch (error) {
    console.info(`This page works without its service worker: ${/** @type {Error} */ (error).message}`);
  }
}

/** @param {ServiceWorkerContainer} workers */
async function controlAndIsolation(workers) {
  await controlOfPage(workers);
  if (!needsReload()) return;
  location.reload();
  await new Promise(() => {}); // this page is over
}

/** @param {ServiceWorkerContainer} workers @returns {Promise<void>} */
function controlOfPage(workers) {
  return new Promise((resolve, reject) => {
    const giveUp = (/** @type {string} */ reason) => reject(new Error(reason));
    setTimeout(giveUp, CONTROL_MS, "it takes too long to start.");
    workers.addEventListener("controllerchange", () => resolve(), { once: true });
    if (workers.controller) return resolve();
    const registered = workers.register("service_worker.js", { updateViaCache: "none" });
    registered.then(({ installing, active }) => {
      installing?.addEventListener("statechange", () => {
        if (installing.state === "redundant") giveUp("it could not be installed.");
      });
      active?.postMessage({ kind: "claim" }); // after a forced reload it is there, but has no part in this page
    }, reject);
  });
}

// The page counts as loaded once it is known that it will not be reloaded: an empty frame that stays open puts that off.
/** @param {Promise<void>} promise */
async function holdingLoadEvent(promise) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  frame.contentDocument?.open();
  try {
    await promise;
  } finally {
    frame.contentDocument?.close();
    frame.remove();
  }
}

// Isolation begins with a page that came through the service worker. Once only: where a browser knows no isolation, or a
// frame around this page has none, a reload does not help.
function needsReload() {
  try {
    if (globalThis.crossOriginIsolated) {
      sessionStorage.removeItem(RELOADED);
      return false;
    }
    if (usefulThreads() === 1 || window !== top || sessionStorage.getItem(RELOADED)) return false;
    sessionStorage.setItem(RELOADED, "yes");
    return true;
  } catch {
    return false; // nothing would end the reloads
  }
}

// What people wait for comes first: `then` is called when nothing has been under way for a moment.
/** @param {Engine} engine @param {() => void} then */
function whenQuiet(engine, then) {
  setTimeout(() => (engine.isBusy ? whenQuiet(engine, then) : then()), QUIET_MS);
}

/** @param {string | null} stepBack */
function showUpdate(stepBack) {
  const notice = part("update", HTMLElement);
  if (stepBack && notice.firstChild) notice.firstChild.textContent = STEP_BACK[stepBack];
  notice.hidden = false;
}

// Whether this browser was asked to stay with the version in use.
/** @param {boolean} isPinned */
function showPinned(isPinned) {
  part("pinned", HTMLElement).hidden = !isPinned;
  if (isPinned) part("update", HTMLElement).hidden = true;
}

// When the page is ready: the rest of the site is fetched, and news of it is shown.
/** @param {Engine} engine */
function keepSite(engine) {
  const workers = serviceWorkers;
  const controller = workers?.controller;
  if (!workers || !controller) return;
  workers.addEventListener("message", ({ data }) => {
    if (data.kind === "whole") part("offline", HTMLElement).textContent = "This site now works without a network.";
    if (data.kind === "update") showUpdate(data.stepBack);
    if (data.kind === "refused") part("offline", HTMLElement).textContent = REFUSED;
    if (data.kind === "pinned" || data.kind === "unpinned") showPinned(data.kind === "pinned");
    if (data.kind === "taken") location.reload();
  });
  workers.startMessages();
  whenQuiet(engine, () => controller.postMessage({ kind: "ready", mayLoad: !navigator.connection?.saveData }));
  setInterval(() => workers.controller?.postMessage({ kind: "check" }), HOUR_MS);
  part("update-now", HTMLElement).addEventListener("click", () => workers.controller?.postMessage({ kind: "take" }));
  for (const [name, isPinned] of Object.entries({ "update-never": true, "unpin": false })) {
    part(name, HTMLElement).addEventListener("click", () => workers.controller?.postMessage({ kind: "pin", isPinned }));
  }
  const link = document.createElement("link");
  link.rel = "manifest"; // not in the page's source: on file:// browsers complain about it
  link.href = "manifest.webmanifest";
  document.head.append(link);
}

const siteReady = prepareSite();
