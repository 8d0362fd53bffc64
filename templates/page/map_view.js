// One map of one image: which finding, which method, the picture, and what can be done with it. The map's values stay here,
// so that another look is drawn without the network, and so that a map can never reach another image.
class MapView {
  constructor(explanations, number, finding, method) {
    const { words } = explanations;
    this.explanations = explanations;
    this.number = number;
    this.finding = this.select("Finding", words.findings.map(({ finding, name }) => ({ value: finding, name })), finding);
    this.method = this.select("Method", words.methods.map(({ method, choice, reason }) => ({ value: method, name: choice, disabled: reason !== null })), method);
    this.sentence = element("p", { className: "hint" });
    this.warning = element("p", { className: "warning", role: "note", hidden: true });
    this.canvas = element("canvas", { role: "img" });
    this.scroller = element("div", { className: "map-picture" }, this.canvas);
    this.colours = element("canvas", { className: "legend-colours", "aria-hidden": "true" });
    this.legend = element("div", { className: "legend", hidden: true }, this.colours, element("div", { className: "scale-ends" }, element("span", { textContent: words.legend.least }), element("span", { textContent: words.legend.most })));
    this.caption = element("figcaption");
    this.stage = element("p", { className: "map-stage" });
    this.bar = element("progress", { max: 1 });
    this.cancel = element("button", { type: "button", textContent: "Cancel", onclick: () => this.stop("Cancelled") });
    this.work = element("div", { className: "map-work", hidden: true }, this.stage, this.bar, this.cancel);
    this.problem = element("p", { className: "failure", hidden: true });
    this.save = element("button", { type: "button", textContent: "Save as PNG", onclick: () => this.savePicture() });
    this.full = element("button", { type: "button", textContent: "Full size", "aria-pressed": "false", onclick: () => this.toggleFull() });
    this.actions = element("div", { className: "card-actions" }, this.save, this.full);
    const figure = element("figure", { className: "picture" }, this.scroller, this.legend, this.caption);
    this.node = element("div", { className: "map-view", role: "group" }, element("div", { className: "choices" }, this.finding.parentNode, this.method.parentNode), this.sentence, this.warning, this.work, this.problem, figure, this.actions);
    this.forget();
  }

  select(name, options, value) {
    const select = element("select", {}, ...options.map(({ value, name, disabled = false }) => element("option", { value, textContent: name, disabled })));
    select.value = value;
    select.onchange = () => this.explain();
    element("label", {}, `${name} `, select);
    return select;
  }

  // What this view is called among those of its card.
  rename(count) {
    const { card } = this.explanations;
    this.node.setAttribute("aria-label", `${count > 1 ? `Map ${this.number}` : "Map"} of ${card.name}`);
    this.bar.setAttribute("aria-label", `Progress of map ${this.number} of ${card.name}`);
  }

  forget() {
    this.values = this.drawn = this.wording = this.entry = null;
    this.legend.hidden = true;
    this.save.disabled = true;
    this.caption.replaceChildren();
    this.paint();
  }

  // A newer question takes the place of one that waits, and stops one that is being answered.
  begin() {
    this.controller?.abort();
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
    if (result.map) this.show(result);
    else this.fail(result.wording);
  }

  ask(controller) {
    const { explanations } = this;
    const { blob, name, options } = explanations.card;
    const details = { ...this.chosen(), look: explanations.chosenLook(), keep: explanations.result.keep };
    const onProgress = ({ stage, done }) => this.controller === controller && this.progress(stage, done);
    return runForPage("explain", blob, { ...options, name, isUrgent: true, signal: controller.signal, onProgress }, details);
  }

  chosen() {
    return { finding: this.finding.value, method: this.method.value };
  }

  describeMethod() {
    const { sentence, warning } = this.explanations.words.methods.find(({ method }) => method === this.method.value);
    this.sentence.textContent = sentence;
    this.warning.textContent = warning ?? "";
    this.warning.hidden = !warning;
  }

  progress(stage, done) {
    const { name, begins, ends } = this.explanations.words.stages.find((each) => each.stage === stage) ?? { name: stage, begins: 0, ends: 1 };
    this.stage.textContent = name;
    this.bar.value = begins + (ends - begins) * Math.min(done, 1);
  }

  finish() {
    this.work.hidden = true;
    this.node.setAttribute("aria-busy", "false");
  }

  stop(reason) {
    const hadFocus = this.work.contains(document.activeElement);
    this.begin();
    this.finish();
    this.fail({ headline: reason, details: [] });
    if (hadFocus) this.method.focus();
  }

  fail({ headline, details }) {
    this.problem.textContent = [`${headline}.`, ...details].join(" ");
    this.problem.hidden = false;
    announce(`${this.explanations.card.name}: ${this.problem.textContent}`);
  }

  // `bytes` holds the map's values, and after them what was drawn.
  show(result) {
    const { map, bytes, wording, square, document } = result;
    const length = 4 * map.shape[0] * map.shape[1];
    this.values = new Blob([bytes.subarray(0, length)]);
    this.shape = map.shape;
    this.entry = document.explanations;
    this.wording = wording;
    this.place = { square, size: [document.image.width, document.image.height], badge: wording.badge };
    this.take(result.picture, bytes.subarray(length));
    const marks = wording.badge ? [element("span", { className: "badge", textContent: wording.badge.short, title: wording.badge.long })] : [];
    this.caption.replaceChildren(element("p", {}, element("strong", { textContent: wording.title }), ...marks), element("p", { textContent: wording.place }));
    this.save.disabled = false;
    announce(wording.alternative);
  }

  take({ width, height }, bytes) {
    const length = 4 * width * height;
    this.drawn = { width, height, pixels: bytes.subarray(0, length), legend: bytes.subarray(length) };
    legendFigure(this.colours, this.drawn);
    this.legend.hidden = false;
    this.paint();
  }

  paint() {
    const image = this.fullImage ?? this.explanations.result.preview;
    drawMap(this.canvas, image, this.place ?? {}, this.drawn);
    this.canvas.setAttribute("aria-label", this.wording?.alternative ?? `The image ${this.explanations.card.name}, without a map yet`);
  }

  // The same map in another look. Where the pointer is faster than the drawing, what waits is replaced.
  async redraw() {
    if (!this.values) return;
    this.drawing?.abort();
    const drawing = (this.drawing = new AbortController());
    const details = { ...this.chosen(), shape: this.shape, look: this.explanations.chosenLook() };
    const { name, options } = this.explanations.card;
    const result = await runForPage("draw", this.values, { name, bundle: options.bundle, isUrgent: true, signal: drawing.signal }, details);
    if (this.drawing === drawing && !drawing.signal.aborted && result.picture) this.take(result.picture, result.bytes);
  }

  async toggleFull() {
    const isFull = this.full.getAttribute("aria-pressed") === "true";
    this.full.setAttribute("aria-pressed", String(!isFull));
    this.scroller.classList.toggle("full-size", !isFull);
    if (isFull) {
      this.scroller.removeAttribute("tabindex");
      this.leaveFull();
      return;
    }
    this.scroller.tabIndex = 0; // so that the keyboard can scroll it
    const image = await this.explanations.wholeImage();
    if (this.isClosed || this.full.getAttribute("aria-pressed") === "false") return image?.close();
    this.fullImage?.close();
    this.fullImage = image;
    this.paint();
  }

  leaveFull() {
    this.fullImage?.close();
    this.fullImage = null;
    this.paint();
  }

  async savePicture() {
    const { wording, drawn, place, controller } = this;
    this.save.disabled = true;
    const whole = this.fullImage ?? (await this.explanations.wholeImage());
    const image = whole ?? this.explanations.result.preview;
    if (!this.isClosed && this.controller === controller) {
      const isSaved = await saveCanvas(wording.file, savedPicture(image, place, this.drawn ?? drawn, wording.saved));
      announce(isSaved ? `Saved ${wording.file}.` : "The picture is too large to be saved in this browser.");
    }
    if (whole !== this.fullImage) whole?.close();
    this.save.disabled = this.values === null;
  }

  close() {
    this.isClosed = true;
    this.begin().abort();
    this.fullImage?.close();
    this.fullImage = null;
    this.canvas.width = this.canvas.height = 0; // gives its memory back at once
    this.node.remove();
  }
}
