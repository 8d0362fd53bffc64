// Images come in by the file dialogue, by drag and drop and from the clipboard, and each gets a card.
const STARTING = { assets: "Loading the program", python: "Starting Python", networks: "Loading the networks" };

const list = part("results", HTMLElement);
const statusLine = part("status", HTMLElement);
const startBar = part("start-progress", HTMLProgressElement);
const failure = part("failure", HTMLElement);
const input = part("files", HTMLInputElement);
const folderInput = part("folder", HTMLInputElement);
const folderWords = part("folder-words", HTMLElement);
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
engineNote.after(engineSettings.node);
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

/** @param {Chosen} chosen */
async function take({ images, words }) {
  const bundle = chosenBundle();
  folderWords.textContent = words;
  folderWords.hidden = !words;
  const cards = images.map(({ file, name }) => new Card(list, file, name, bundle));
  const finished = cards.map((card) => card.analyse().then(({ wording }) => announce(`${card.name}: ${wording.headline}.`)));
  await Promise.allSettled(finished);
}

// Two images, and the maps on their cards, beside each other; worth a button from the second image on.
sideBySide.addEventListener("click", () => {
  const isOn = document.body.classList.toggle("side-by-side");
  sideBySide.setAttribute("aria-pressed", String(isOn));
});
new MutationObserver(() => {
  sideBySide.hidden = list.childElementCount < 2 && !document.body.classList.contains("side-by-side");
}).observe(list, { childList: true });

input.addEventListener("change", () => {
  take(chosenOneByOne(input.files ?? []));
  input.value = ""; // so that the same file can be chosen again
});

folderInput.addEventListener("change", async () => {
  const chosen = chosenByFolder(folderInput.files ?? []);
  folderInput.value = "";
  take(await chosen);
});

for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    dropZone.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) addEventListener(kind, () => dropZone.classList.remove("over"));

addEventListener("drop", async (event) => {
  event.preventDefault();
  take(await chosenByDrop(event.dataTransfer));
});

addEventListener("paste", (event) => {
  if (event.clipboardData?.files.length) take(chosenOneByOne(event.clipboardData.files));
});

/** @param {ExampleEntry | null} example */
async function tryExample(example) {
  if (!example) return;
  const { asset, name } = example;
  try {
    const packed = await assets.loadOne(asset);
    const bytes = await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
    take(chosenOneByOne([new File([bytes], name)]));
  } catch (error) {
    showFailure(/** @type {Error} */ (error));
  }
}

example?.addEventListener("click", () => tryExample(chosenBundle().example));
document.querySelectorAll(".example").forEach((button, index) => {
  button.addEventListener("click", () => tryExample(SITE.examples[index]));
});

announce("Loading the program…");
