// Adversarial noise in the what-if tool: what is chosen of it, what it makes of the picture, and that it can be stopped.

class NoiseControls {
  /** @param {WhatIf} whatIf @param {NoiseChoices} choices */
  constructor(whatIf, choices) {
    this.whatIf = whatIf;
    this.choices = choices;
    this.isShown = true; // the picture with the noise, in place of the picture
    const { kinds, sizes, steps, findings } = choices;
    const named = (/** @type {{ value: string | number | null, name: string }[]} */ all) => all.map(({ value, name }) => ({ value: String(value ?? ""), name, disabled: false }));
    this.kind = whatIf.select(WHAT_IF.kind, "noise-kind", named(kinds), kinds[0].value);
    this.size = whatIf.select(WHAT_IF.size, "noise-size", named(sizes), String(sizes[0].value));
    this.finding = whatIf.select(WHAT_IF.against, "noise-finding", named(findings), "");
    this.steps = element("input", { type: "number", min: steps.least, max: steps.most, step: 1, value: steps.value, inputMode: "numeric", "aria-label": WHAT_IF.steps, "data-action": "noise-steps", autocomplete: "off" });
    this.kind.onchange = () => whatIf.show();
    this.add = whatIf.button("add", () => whatIf.addNoise());
    this.cancel = whatIf.button("cancel", () => this.stop());
    this.shown = whatIf.button("shown", () => this.toggle());
    this.progress = element("progress", { max: 1, "aria-label": WHAT_IF.asking });
    const labelled = (/** @type {string} */ text, /** @type {HTMLElement} */ control) => element("label", {}, element("span", { className: "label", textContent: text }), " ", control);
    this.stepsLabel = element("label", {}, `${WHAT_IF.steps} `, this.steps);
    const tools = [labelled(WHAT_IF.kind, this.kind), labelled(WHAT_IF.size, this.size), this.stepsLabel, labelled(WHAT_IF.against, this.finding), this.add, this.shown, this.progress, this.cancel];
    const offered = choices.reason === null ? [element("div", { className: "what-if-tools" }, ...tools)] : [element("p", { className: "hint", "data-reason": "noise", textContent: choices.reason })];
    this.node = element("div", { className: "what-if-noise", hidden: true }, ...offered);
  }

  get isAsking() {
    return this.whatIf.isNoise && this.whatIf.node?.getAttribute("aria-busy") === "true";
  }

  get hint() {
    if (!this.whatIf.isNoise) return WHAT_IF.hint;
    return this.choices.reason === null ? [this.sentence, WHAT_IF.noise_hint].join(" ") : "";
  }

  // About the kind that is chosen.
  get sentence() {
    return this.choices.kinds.find(({ value }) => value === this.kind.value)?.sentence ?? "";
  }

  // As the document has it.
  get wish() {
    const { least, most, value } = this.choices.steps;
    const steps = Math.min(Math.max(Math.round(Number(this.steps.value)) || value, least), most);
    return { method: this.kind.value, strength: Number(this.size.value), steps, finding: this.finding.value || null, seed: 0 };
  }

  stop() {
    this.whatIf.stopAsking();
    this.whatIf.show();
    this.add.focus();
  }

  toggle() {
    this.isShown = !this.isShown;
    this.whatIf.show();
  }

  show() {
    const { isNoise, current } = this.whatIf;
    const kind = this.choices.kinds.find(({ value }) => value === this.kind.value);
    this.node.hidden = !isNoise;
    this.stepsLabel.hidden = !kind?.several;
    this.progress.hidden = this.cancel.hidden = !this.isAsking;
    this.add.disabled = this.isAsking;
    this.shown.hidden = !current?.picture || this.isAsking;
    this.shown.setAttribute("aria-pressed", String(this.isShown));
  }
}

// The picture with noise of an answer; null where it has none.
/** @param {WhatIfResult} answer */
function noisePicture({ bytes, size: [rows, columns] }) {
  return bytes ? new ImageData(new Uint8ClampedArray(bytes.buffer, bytes.byteOffset, 4 * rows * columns), columns, rows) : null;
}

/** @type {WeakMap<ImageData, HTMLCanvasElement>} */
const noiseCanvases = new WeakMap();

// To draw from, in any size.
/** @param {ImageData} picture */
function noiseCanvas(picture) {
  const known = noiseCanvases.get(picture);
  if (known) return known;
  const { width, height } = picture;
  const canvas = element("canvas", { width, height });
  penOf(canvas).putImageData(picture, 0, 0);
  noiseCanvases.set(picture, canvas);
  return canvas;
}
