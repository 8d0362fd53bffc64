// Over http a service worker keeps the site and isolates the page (see service_worker.js). It has to be there before
// anything large is loaded, or that would be loaded twice. Without it, as on file://, everything else works.
const CONTROL_MS = 5_000; // then the page goes on without
const HOUR_MS = 3_600_000;
const QUIET_MS = 1_000;
const RELOADED = `sitegen reloaded ${location.pathname}`;

// Browsers have none on plain http away from this machine, and in some private windows.
const serviceWorkers = SITE.offline && location.protocol.startsWith("http") ? navigator.serviceWorker : undefined;

// Resolves when assets can be loaded; never rejects.
async function prepareSite() {
  if (!serviceWorkers) return;
  try {
    await holdingLoadEvent(controlAndIsolation());
  } catch (error) {
    console.info(`This page works without its service worker: ${error.message}`);
  }
}

async function controlAndIsolation() {
  await controlOfPage();
  if (!needsReload()) return;
  location.reload();
  await new Promise(() => {}); // this page is over
}

function controlOfPage() {
  return new Promise((resolve, reject) => {
    const giveUp = (reason) => reject(new Error(reason));
    setTimeout(giveUp, CONTROL_MS, "it takes too long to start.");
    serviceWorkers.addEventListener("controllerchange", resolve, { once: true });
    if (serviceWorkers.controller) return resolve();
    const registered = serviceWorkers.register("service_worker.js", { updateViaCache: "none" });
    registered.then(({ installing, active }) => {
      installing?.addEventListener("statechange", () => {
        if (installing.state === "redundant") giveUp("it could not be installed.");
      });
      active?.postMessage({ kind: "claim" }); // after a forced reload it is there, but has no part in this page
    }, reject);
  });
}

// The page counts as loaded once it is known that it will not be reloaded: an empty frame that stays open puts that off.
async function holdingLoadEvent(promise) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  frame.contentDocument.open();
  try {
    await promise;
  } finally {
    frame.contentDocument.close();
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
function whenQuiet(engine, then) {
  setTimeout(() => (engine.isBusy ? whenQuiet(engine, then) : then()), QUIET_MS);
}

// When the page is ready: the rest of the site is fetched, and news of it is shown.
function keepSite(engine) {
  const { controller } = serviceWorkers ?? {};
  if (!controller) return;
  serviceWorkers.addEventListener("message", ({ data }) => {
    if (data.kind === "whole") document.getElementById("offline").textContent = "This site now works without a network.";
    if (data.kind === "update") document.getElementById("update").hidden = false;
  });
  serviceWorkers.startMessages();
  whenQuiet(engine, () => controller.postMessage({ kind: "ready", mayLoad: !navigator.connection?.saveData }));
  setInterval(() => serviceWorkers.controller?.postMessage({ kind: "check" }), HOUR_MS);
  document.getElementById("update-now").addEventListener("click", () => location.reload());
  const link = document.createElement("link");
  link.rel = "manifest"; // not in the page's source: on file:// browsers complain about it
  link.href = "manifest.webmanifest";
  document.head.append(link);
}

const siteReady = prepareSite();
