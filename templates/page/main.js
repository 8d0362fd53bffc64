// Images come in by the file dialogue, by drag and drop and from the clipboard, and each gets a card.
const STARTING = { assets: "Loading the program", python: "Starting Python", networks: "Loading the networks" };

const list = document.getElementById("results");
const status = document.getElementById("status");
const startBar = document.getElementById("start-progress");
const failure = document.getElementById("failure");
const input = document.getElementById("files");
const dropZone = document.getElementById("drop");
const sideBySide = document.getElementById("side-by-side");

function announce(text) {
  status.textContent = text;
}

booting.listeners.push((stage, detail) => {
  if (stage === "failed") return showStartFailure(detail);
  if (stage === "assets" && !failure.hidden) return; // other files still arrive after one was found missing
  if (stage === "ready") failure.hidden = true;
  if (stage === "ready") {
    startBar.hidden = true;
    return announce("Ready. Nothing you open leaves this machine.");
  }
  startBar.value = stage === "assets" ? 0.8 * detail : stage === "python" ? 0.8 : 0.9;
  announce(`${STARTING[stage]}…`);
});

function showStartFailure(error) {
  startBar.hidden = true;
  failure.textContent = error.message;
  failure.hidden = false;
  announce("This page could not start.");
}

engineReady.catch(showStartFailure);

async function take(files) {
  const cards = Array.from(files, (file) => new Card(list, file, file.name || "pasted image"));
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
  take(input.files);
  input.value = ""; // so that the same file can be chosen again
});

for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    dropZone.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) addEventListener(kind, () => dropZone.classList.remove("over"));

addEventListener("drop", (event) => {
  event.preventDefault();
  take(event.dataTransfer.files);
});

addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) take(event.clipboardData.files);
});

document.getElementById("example")?.addEventListener("click", async () => {
  const engine = await engineReady;
  const packed = engine.assets[SITE.example];
  const bytes = await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  take([new File([bytes], SITE.example.split("/").pop())]);
});

announce("Loading the program…");
