// One map of one image: which finding, which method, the picture, and what can be done with it. The map's values stay here,
// so that another look is drawn without the network, and so that a map can never reach another image.
class MapView {
  /** @param {Explanations} explanations @param {number} number @param {string} finding @param {string} method */
  constructor(explanations, number, finding, method) {
    const { words } = explanations;
    this.explanations = explanations;
    this.number = number;
    this.isClosed = false;
    this.controller = new AbortController();
    /** @type {AbortController | null} */
    this.drawing = null;
    /** @type {MapPlace | null} */
    this.place = null;
    this.findingLabel = element("label", {}, "Finding ");
    this.methodLabel = element("label", {}, "Method ");
    this.finding = this.select(this.findingLabel, words.findings.map(({ finding, name }) => ({ value: finding, name })), finding);
    this.method = this.select(this.methodLabel, words.methods.map(({ method, choice, reason }) => ({ value: method, name: choice, disabled: reason !== null })), method);
    this.sentence = element("p", { className: "hint" });
    this.warning = element("p", { className: "warning", role: "note", hidden: true });
    this.stage = new Stage(explanations.viewer, `Picture of ${explanations.card.name} with its map`);
        this.colours = element("canvas", { className: "legend-colours", "aria-hidden": "true" });
    this.legend = element("div", { className: "legend", hidden: true }, this.colours, element("div", { className: "scale-ends" }, element("span", { textContent: words.legend.least }), element("span", { textContent: words.legend.most })));
    this.caption = element("figcaption");
    this.doing = element("p", { className: "map-stage" });
    this.bar = element("progress", { max: 1 });
    this.cancel = element("button", { type: "button", textContent: "Cancel", onclick: () => this.stop(words.stopped) });
    this.work = element("div", { className: "map-work", hidden: true }, this.doing, this.bar, this.cancel);
    this.problem = element("p", { className: "failure", hidden: true });
    this.save = element("button", { type: "button", textContent: "Save as PNG", onclick: () => this.savePicture() });
    this.actions = element("div", { className: "card-actions" }, this.save);
    const frame = element("div", { className: "map-picture" }, this.stage.node, this.work);
    const figure = element("figure", { className: "picture" }, frame, this.legend, this.caption);
    this.node = element("div", { className: "map-view", role: "group" }, this.problem, figure, element("div", { className: "choices" }, this.findingLabel, this.methodLabel), this.sentence, this.warning, this.actions);
    /** @type {ShownMap | null} */
    this.shown = null;
    /** @type {MapResult | null} */
    this.sketched = null; // the map as far as it has come
    this.forget();
  }

  /** @param {HTMLElement} label @param {{ value: string, name: string, disabled?: boolean }[]} options @param {string} value */
  select(label, options, value) {
    const select = element("select", {}, ...options.map(({ value, name, disabled = false }) => element("option", { value, textContent: name, disabled })));
    select.value = value;
    select.onchange = () => this.explain();
    label.append(select);
    return select;
  }

  // What this view is called among those of its card.
  /** @param {number} count */
  rename(count) {
    const { card } = this.explanations;
    this.node.setAttribute("aria-label", `${count > 1 ? `Map ${this.number}` : "Map"} of ${card.name}`);
    this.bar.setAttribute("aria-label", `Progress of map ${this.number} of ${card.name}`);
  }

  forget() {
    this.shown = this.sketched = null;
    this.legend.hidden = true;
    this.save.disabled = true;
    this.caption.replaceChildren();
    this.paint();
  }

  // A newer question takes the place of one that waits, and stops one that is being answered.
  begin() {
    this.controller.abort();
    this.drawing?.abort();
    this.controller = new AbortController();
    return this.controller;
  }

  async explain() {
    const controller = this.begin();
    const answered = this.ask(controller); // the worker is at it while this side draws
    this.describeMethod();
    this.forget();
    this.problem.hidden = true;
    this.progress("waiting", 0);
    this.work.hidden = false;
    this.node.setAttribute("aria-busy", "true");
    const result = await answered;
    if (this.controller !== controller) return;
    this.finish();
    this.sketched = null;
    if ("map" in result && result.map) this.show(result);
    else this.fail(result.wording);
  }

  /** @param {AbortController} controller */
  ask(controller) {
    const { explanations } = this;
    const { blob, name, options } = explanations.card;
    const details = { ...this.chosen(), look: explanations.chosenLook(), keep: explanations.keep };
    /** @type {ProgressListener} */
    const onProgress = ({ stage, done }) => this.controller === controller && this.progress(stage, done);
    /** @type {SketchListener} */
    const onSketch = (sketch) => this.controller === controller && "map" in sketch && this.sketch(sketch);
    return runForPage("explain", blob, { ...options, name, isUrgent: true, signal: controller.signal, onProgress, onSketch }, details);
  }

  chosen() {
    return { finding: this.finding.value, method: this.method.value };
  }

  describeMethod() {
    const { sentence = "", warning = null } = this.explanations.words.methods.find(({ method }) => method === this.method.value) ?? {};
    this.sentence.textContent = sentence;
    this.warning.textContent = warning ?? "";
    this.warning.hidden = !warning;
  }

  /** @param {string} stage @param {number} done */
  progress(stage, done) {
    showStage(this.explanations.words.stages, stage, done, this.doing, this.bar);
  }

  finish() {
    this.work.hidden = true;
    this.node.setAttribute("aria-busy", "false");
  }

  /** @param {FailureWords} reason */
  stop(reason) {
    const hadFocus = this.work.contains(document.activeElement);
    const { sketched } = this;
    this.begin();
    this.finish();
    if (sketched) this.show(sketched); // what there is stays, and says of how many runs it is
    else this.fail(reason);
    if (hadFocus) this.method.focus();
  }

  /** @param {FailureWords} words */
  fail({ headline, details }) {
    const text = [`${headline}.`, ...details].join(" ");
    this.problem.textContent = text;
    this.problem.hidden = false;
    announce(`${this.explanations.card.name}: ${text}`);
  }

  /** @param {MapResult} result */
  sketch(result) {
    this.sketched = result;
    this.present(result);
  }

  /** @param {MapResult} result */
  show(result) {
    this.present(result);
    this.save.disabled = false;
    announce(result.wording.alternative);
  }

  // `bytes` holds the map's values, and after them what was drawn.
  /** @param {MapResult} result */
  present({ map, bytes, wording, square, document, picture }) {
    const { image, explanations } = document;
    const length = 4 * map.shape[0] * map.shape[1];
    /** @type {MapPlace} */
    const place = { square, size: [image.width ?? 0, image.height ?? 0], badge: wording.badge };
    this.place = place;
    const drawn = drawnMap(picture, bytes.subarray(length));
    this.shown = { values: new Blob([bytes.subarray(0, length)]), shape: map.shape, entry: explanations ?? [], wording, drawn };
    this.showDrawn(drawn);
    const marks = wording.badge ? [badgeMark(wording.badge)] : [];
    const further = [wording.made, wording.worth].flatMap((text) => text === null ? [] : [element("p", { textContent: text })]);
    this.caption.replaceChildren(element("p", {}, element("strong", { textContent: wording.title }), ...marks), element("p", { textContent: wording.place }), ...further);
  }

  /** @param {DrawnMap} drawn */
  showDrawn(drawn) {
    legendFigure(this.colours, drawn);
    this.legend.hidden = false;
    this.paint();
  }

  paint() {
    const { place, shown } = this;
    const cells = shown && rgbaCanvas(shown.drawn.pixels, shown.drawn.width, shown.drawn.height);
    this.stage.layer = cells && place ? { cells, square: place.square, opacity: 1 } : null;
    this.stage.repaint();
    this.stage.canvas.setAttribute("aria-label", this.shown?.wording.alternative ?? this.explanations.result.wording.pictures.unmapped);
  }

  // The same map in another look. Where the pointer is faster than the drawing, what waits is replaced.
  async redraw() {
    const { shown } = this;
    if (!shown) return;
    this.drawing?.abort();
    const drawing = (this.drawing = new AbortController());
    const details = { ...this.chosen(), shape: shown.shape, look: this.explanations.chosenLook() };
    const { name, options } = this.explanations.card;
    const result = await runForPage("draw", shown.values, { name, bundle: options.bundle, isUrgent: true, signal: drawing.signal }, details);
    if (this.drawing !== drawing || drawing.signal.aborted || !("picture" in result)) return;
    shown.drawn = drawnMap(result.picture, result.bytes);
    this.showDrawn(shown.drawn);
  }

  async savePicture() {
    const { shown, place, controller } = this;
    if (!shown || !place) return;
    const { wording } = shown;
    this.save.disabled = true;
    const whole = await wholeImage(this.explanations.card, this.explanations.result);
    const image = whole ?? this.explanations.result.preview;
    if (!this.isClosed && this.controller === controller) {
      const isSaved = await saveCanvas(wording.file, savedPicture(image, place, shown.drawn, wording.saved));
      announce(isSaved ? `Saved ${wording.file}.` : "The picture is too large to be saved in this browser.");
    }
    whole?.close();
    this.save.disabled = this.shown === null;
  }

  close() {
    this.isClosed = true;
    this.begin().abort();
    this.stage.close();
    this.node.remove();
  }
}

// What was drawn of a map, with its legend after it.
/** @param {MapPicture} size @param {Uint8Array<ArrayBuffer>} bytes @returns {DrawnMap} */
function drawnMap({ width, height }, bytes) {
  const length = 4 * width * height;
  return { width, height, pixels: bytes.subarray(0, length), legend: bytes.subarray(length) };
}
