// How the networks run: what a person chose, what the machine offers, and, in words, what came of it.
const ENGINE_KEY = "sitegen engine";
/** @type {Record<keyof EngineChoice, Record<string, string>>} */
const CHOICES = {
  provider: { title: "Networks run on", auto: "Automatic", wasm: "The processor (WebAssembly)", webgpu: "The graphics card (WebGPU)" },
  threads: { title: "Threads of the processor", auto: "As many as help", one: "One" },
  memory: { title: "Memory", auto: "Automatic", low: "As little as possible, more slowly", full: "As much as helps" },
};
const SMALL_MACHINE_GIB = 2; // of memory, as browsers tell it

/** @type {EngineChoice} */
const engineChoice = { provider: "auto", threads: "auto", memory: "auto" };

/** @param {string} key @returns {key is keyof EngineChoice} */
function isSetting(key) {
  return Object.hasOwn(CHOICES, key);
}

// Takes the parts of a choice that mean something. Throws RangeError for any other, unless it only was kept from before.
/** @param {object} changes */
function chooseEngine(changes, isKept = false) {
  for (const [key, value] of Object.entries(changes)) {
    if (isSetting(key) && value !== "title" && Object.hasOwn(CHOICES[key], value)) engineChoice[key] = value;
    else if (!isKept) throw new RangeError(`The engine has no setting ${key}: ${value}.`);
  }
}

function keepEngineChoice() {
  try {
    localStorage.setItem(ENGINE_KEY, JSON.stringify(engineChoice));
  } catch {
    // Some browsers keep nothing for pages from a disk: then it counts for this visit.
  }
}

try {
  chooseEngine(JSON.parse(localStorage.getItem(ENGINE_KEY) ?? "{}"), true);
} catch {
  // nothing was kept, or nothing that can be read
}

/** @param {boolean} isLow @param {string | null} note @returns {Plan} */
function processorPlan(isLow, note = null) {
  return { provider: "wasm", threads: availableThreads(), isLow, note };
}

// What the next worker is to run with.
/** @returns {Promise<Plan>} */
async function planEngine() {
  const { provider, memory } = engineChoice;
  const isLow = memory === "low" || (memory === "auto" && (navigator.deviceMemory ?? Infinity) <= SMALL_MACHINE_GIB);
  const isAsked = provider === "webgpu";
  if (provider === "wasm" || (isLow && !isAsked)) return processorPlan(isLow);
  if (!SITE.bundles.every(({ example }) => example)) {
    return processorPlan(isLow, isAsked ? "WebGPU is not used: without a golden image in its bundle a model cannot be checked there." : null);
  }
  const card = await graphicsCard();
  if (!card) return processorPlan(isLow, isAsked ? "WebGPU is not used: this browser offers no graphics card to this page." : null);
  if (card.isSoftware && !isAsked) return processorPlan(isLow);
  return { provider: "webgpu", threads: 1, isLow, note: null, card };
}

// The plan after a failure: the next that may work, or null where there is none.
/** @param {Plan} plan @param {{ code?: string, message: string }} failure @returns {Plan | null} */
function lesserPlan(plan, { code, message }) {
  if (code === "no-webgpu" && plan.provider === "webgpu") {
    return processorPlan(plan.isLow, `WebGPU is not used (${message}). WebAssembly does the work.`);
  }
  if (code === "no-threads" && plan.threads > 1) return { ...plan, threads: 1 };
  if (code === "out-of-memory" && !plan.isLow && engineChoice.memory === "auto") return { ...plan, isLow: true };
  return null;
}

/** @param {Plan} plan */
function engineInWords({ threads, isLow, card }) {
  const way = card ? `WebGPU on ${card.name}` : `WebAssembly, ${threads === 1 ? "one thread" : `${threads} threads`}`;
  return `${way}${isLow ? ", with little memory" : ""}`;
}

// The part of the page in which a person chooses. `apply` is called after each choice.
class EngineSettings {
  /** @param {(choice: Partial<EngineChoice>) => void} apply */
  constructor(apply) {
    this.apply = apply;
    this.running = element("p", { id: "engine-running", role: "status" });
    this.controls = Object.keys(CHOICES).filter(isSetting).map((key) => this.control(key));
    const fields = element("div", { className: "choices" }, ...this.controls.map(({ label }) => label));
    this.node = element("details", { id: "engine-settings" }, element("summary", { textContent: "Speed and memory" }), fields, this.running);
  }

  /** @param {keyof EngineChoice} key */
  control(key) {
    const { title, ...choices } = CHOICES[key];
    const options = Object.entries(choices).map(([value, textContent]) => element("option", { value, textContent }));
    const select = element("select", { name: `engine-${key}`, autocomplete: "off" }, ...options);
    select.onchange = () => this.apply({ [key]: select.value });
    return { key, select, label: element("label", {}, `${title} `, select) };
  }

  /** @param {Plan | null} plan */
  show(plan) {
    for (const { key, select } of this.controls) select.value = engineChoice[key];
    this.running.textContent = plan ? `In use: ${engineInWords(plan)}.` : "Starting…";
  }
}
