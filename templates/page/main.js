// The page: what it says while it starts, how images come in, and who shows them.
const STARTING = { assets: "Loading the program", python: "Starting Python", networks: "Loading the networks" };

const statusLine = part("status", HTMLElement);
const startBar = part("start-progress", HTMLProgressElement);
const failure = part("failure", HTMLElement);
const input = part("files", HTMLInputElement);
const folderInput = part("folder", HTMLInputElement);
const dropZone = part("drop", HTMLElement);
const example = document.getElementById("example");
/** @type {NodeListOf<HTMLInputElement>} */
const radios = document.querySelectorAll("input[name=model]");
const models = Array.from(radios);
const CHOICE_MS = 400; // arrow keys pass over models that nobody wants loaded
const READY = "Ready. Nothing you open leaves this machine.";
const engineNote = part("engine-note", HTMLElement);
const sideBySide = part("side-by-side", HTMLElement);

/** @param {string} text */
function announce(text) {
  statusLine.textContent = text;
}

booting.listeners.push((event) => {
  const { stage } = event;
  if (stage === "failed") return showStartFailure(event.error);
  if (stage === "bundle") return showLoading(event);
  if (stage === "running") return showRunning(event.plan);
  if (stage === "one-thread") return noteEngine("Several threads could not be started in this browser. One does the work, more slowly.");
  if (stage === "assets" && !failure.hidden) return; // other files still arrive after one was found missing
  if (stage === "ready") {
    failure.hidden = true;
    startBar.hidden = true;
    return announce(READY);
  }
  startBar.value = stage === "assets" ? 0.8 * event.done : stage === "python" ? 0.8 : 0.9;
  announce(`${STARTING[stage]}…`);
});

// What runs, and where that is less than was chosen, why.
const engineSettings = new EngineSettings((choice) => {
  engineSettings.show(null);
  configureEngine(choice).catch(showStartFailure);
});
part("notes", HTMLElement).append(engineSettings.node);
engineSettings.show(null);

/** @param {Plan} plan */
function showRunning(plan) {
  engineSettings.show(plan);
  if (plan.note) noteEngine(plan.note);
}

/** @param {string} text */
function noteEngine(text) {
  engineNote.textContent = text;
  engineNote.hidden = false;
}

/** @param {Error} error */
function showStartFailure(error) {
  showFailure(error);
  announce("This page could not start.");
}

/** @param {Error} error */
function showFailure(error) {
  startBar.hidden = true;
  failure.textContent = error.message;
  failure.hidden = false;
}

// Nothing is said of files that still arrive after one was found missing; all of them are there at the end.
/** @param {{ bundle: BundleEntry, done: number }} loading */
function showLoading({ bundle, done }) {
  if (done === 1) failure.hidden = true;
  if (!failure.hidden) return;
  startBar.hidden = done === 1;
  startBar.value = done;
  announce(done === 1 ? READY : `Loading ${bundle.title}…`);
}

function chosenBundle() {
  return bundleNamed(models.find(({ checked }) => checked)?.value);
}

// Cards keep the model that they were made with; this is about the next images.
async function chooseBundle() {
  const bundle = chosenBundle();
  if (example) example.hidden = bundle.example === null;
  await new Promise((resolve) => setTimeout(resolve, CHOICE_MS));
  if (chosenBundle() !== bundle) return;
  failure.hidden = true;
  try {
    await loadBundle(bundle);
  } catch (error) {
    showFailure(/** @type {Error} */ (error));
    announce(`${bundle.title} could not be loaded.`);
  }
}

for (const model of models) model.addEventListener("change", chooseBundle);
if (example) example.hidden = chosenBundle().example === null;

engineReady.then(keepSite, showStartFailure);

const panes = new Panes(part("work", HTMLElement), part("tabs", HTMLElement));
const workList = new WorkList();
// What is added or removed changes the page as a whole, before its parts are drawn.
workList.listen(({ kind }) => {
  const count = workList.items.length;
  if (kind === "items") {
    panes.begin(count > 0 || workList.before !== null);
    document.body.classList.toggle("has-images", count > 0);
    part("nothing", HTMLElement).hidden = count > 0;
  }
  if (kind === "items" || kind === "selected") {
    sideBySide.hidden = count < 2;
    sideBySide.setAttribute("aria-pressed", String(workList.beside !== null));
    document.body.classList.toggle("side-by-side", workList.beside !== null);
  }
});

const keptResults = new KeptResults(workList);
const workQueue = new WorkQueue(workList, keptResults);
const batch = new Batch(workList, announce);
const desk = new Desk(part("results", HTMLElement), workList, workQueue, keptResults, removeItems);
const listView = new ListView(workList, part("rows", HTMLElement), removeItems);
const keptList = new KeptList(workList, announce);
if (SITE.keeps_list && location.protocol.startsWith("http")) {
  part("notes", HTMLElement).append(keptList.node);
  keptList.restore();
}
const listHead = new ListHead(workList, batch, workQueue, part("list-head", HTMLElement), removeItems);

// Two images, and the maps on their cards, beside each other.
sideBySide.addEventListener("click", () => workList.compare(workList.beside === null));

// Removes images; the focus goes to what is left.
/** @param {WorkItem[]} items */
function removeItems(items) {
  const wasInside = document.activeElement;
  workList.remove(items);
  announce(items.length === 1 ? `${captionOf(items[0])} was removed.` : `${items.length} images were removed.`);
  if (wasInside?.isConnected && wasInside !== document.body && wasInside.checkVisibility?.()) return;
  if (panes.isPhone) panes.show("list");
  if (workList.items.length) listView.node.focus();
  else listHead.undo.focus();
}

/** @param {Intake} intake */
async function take(intake) {
  const said = intakeInWords(intake);
  const files = await withoutSessions(intake.images);
  const images = files.map(asLesson);
  workList.add(images, chosenBundle());
  if (said) announce(said);
  if (images.length && panes.isPhone) panes.show("image");
}

/** @param {Iterable<File>} files */
function takeFiles(files) {
  take({ images: [...files], others: 0, isFolder: false, isLink: false });
}

input.addEventListener("change", () => {
  takeFiles(input.files ?? []);
  input.value = ""; // so that the same file can be chosen again
});

folderInput.addEventListener("change", async () => {
  const files = Array.from(folderInput.files ?? [], (file) => called(file, file.webkitRelativePath || file.name));
  folderInput.value = "";
  files.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  take({ ...(await imagesAmong(files)), isFolder: true, isLink: false });
});
if (!("webkitdirectory" in folderInput)) part("folder-label", HTMLElement).hidden = true;

for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.add("over");
    dropZone.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  addEventListener(kind, () => {
    document.body.classList.remove("over");
    dropZone.classList.remove("over");
  });
}

addEventListener("drop", async (event) => {
  event.preventDefault();
  if (event.dataTransfer) take(await takenFrom(event.dataTransfer));
});

addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) takeFiles(event.clipboardData.files);
});

// Results that were not saved, and images that are not yet analysed, would be lost. Browsers ask only where somebody has
// done something in the page.
addEventListener("beforeunload", (event) => {
  if (navigator.userActivation?.hasBeenActive === false) return;
  if (!keptList.isWhole && workList.items.some(({ isSaved, state }) => !isSaved && state !== "failed" && state !== "cancelled")) event.preventDefault();
});

/** @param {ExampleEntry | null} example */
async function tryExample(example) {
  if (!example) return;
  const { asset, name } = example;
  try {
    const packed = await assets.loadOne(asset);
    const bytes = await unpacked(packed).blob();
    takeFiles([new File([bytes], name)]);
  } catch (error) {
    showFailure(/** @type {Error} */ (error));
  }
}

example?.addEventListener("click", () => tryExample(chosenBundle().example));
document.querySelectorAll(".example").forEach((button, index) => {
  button.addEventListener("click", () => tryExample(SITE.examples[index]));
});

announce("Loading the program…");
