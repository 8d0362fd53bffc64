// The picture of a card, to be looked into: one lens and one window for all that is shown of it, the image or its maps. Nothing here
// reaches the model.
const WHOLE_MS = 150; // of rest, before the image is decoded in full

class Viewer {
  // Where two images are compared, whether the other one follows.
  static isLinked = true;

  /** @param {Card} card @param {DrawnAnalysis} result */
  constructor(card, result) {
    this.card = card;
    this.result = result;
    this.size = analysedSize(result);
    this.square = seenPart(result, this.size);
    this.keysId = `${card.id}-keys`;
    /** @type {Set<Stage>} */
    this.stages = new Set();
    this.lens = WHOLE;
    this.tone = PLAIN_TONE;
    this.preset = "0";
    /** @type {DragTool} */
    this.tool = "move";
    this.showsUnseen = this.square !== null;
    this.isFilling = false;
    this.isClosed = false;
    /** @type {WhatIf | null} while regions are tried */
    this.whatIf = null;
    /** @type {ImageBitmap | null} all of the image's pixels, while it is looked into */
    this.whole = null;
    this.isAsking = false;
    this.timer = 0;
    this.stage = new Stage(this, `Picture of ${card.name}`);
    this.stage.canvas.setAttribute("aria-label", result.wording.pictures.plain);
    this.bar = new ViewerBar(this);
    this.layers = this.gateLayers();
    const { seen } = result.wording;
    const unseen = seen ? [element("p", { className: "seen", textContent: seen.text })] : [];
    this.maps = element("div", { className: "viewer-maps" });
    const looking = element("p", { className: "hint looking-only", textContent: LOOKING_ONLY });
    this.main = element("div", { className: "viewer-main" }, this.stage.node);
    this.node = element("div", { className: "viewer" }, this.bar.node, ...unseen, this.main, this.maps, ...(this.layers ? [this.layers.node] : []), looking, this.bar.more, ...askOthers(card));
    this.onFullscreen = () => this.noteFilling(document.fullscreenElement === this.node);
    this.node.addEventListener("fullscreenchange", this.onFullscreen);
    this.node.addEventListener("keydown", (event) => this.press(event));
  }

  gateLayers() {
    const { result } = this;
    const { gate } = result.wording;
    return gate && isGated(result) ? new GateLayers(this, result, gate) : null;
  }

  // The bitmap to draw from: no larger than what is looked at needs.
  get source() {
    return this.whole ?? this.result.preview;
  }

  /** @type {[low: number, high: number] | null} */
  known = null;

  get range() {
    return (this.known ??= commonGreys(this.result.preview));
  }

  // The stage that buttons are about.
  get shownStage() {
    return [...this.stages].find(({ isInSight }) => isInSight) ?? this.stage;
  }

  // Canvas pixels for one of the image's.
  get zoomInWords() {
    const { canvas } = this.shownStage;
    return canvas.width > 1 ? [Math.round(100 * this.lens.zoom * fittingScale(this.size, canvas)), "%"].join(" ") : "";
  }

  // The zoom at which one pixel of the image is one of the screen.
  actualZoom(stage = this.shownStage) {
    return 1 / fittingScale(this.size, stage.canvas);
  }

  /** @param {Lens} lens */
  look(lens, stage = this.shownStage, isLeading = true) {
    this.lens = keptInside(lens, this.size, stage.canvas);
    this.node.classList.toggle("zoomed", this.lens.zoom > 1);
    this.show();
    this.wantWhole();
    if (!isLeading || !Viewer.isLinked) return;
    for (const other of this.others()) other.look(this.lens, undefined, false);
  }

  // The viewers of other images that are in sight.
  others() {
    return [...this.card.desk.cards.values()].flatMap(({ picture, node }) => (picture && picture !== this && node.isConnected ? [picture] : []));
  }

  /** @param {number} zoom @param {{ x: number, y: number }} [point] */
  zoomTo(zoom, stage = this.shownStage, point = { x: stage.canvas.width / 2, y: stage.canvas.height / 2 }) {
    const { zoom: kept } = keptInside({ ...stage.lens, zoom }, this.size, stage.canvas);
    this.look(zoomedAt(stage.lens, kept, this.size, stage.canvas, point), stage);
  }

  // Never to less than the whole picture.
  /** @param {number} factor @param {{ x: number, y: number }} [point] */
  zoomBy(factor, stage = this.shownStage, point) {
    const { zoom } = this.lens;
    this.zoomTo(factor < 1 ? Math.max(zoom * factor, Math.min(zoom, 1)) : zoom * factor, stage, point);
  }

  // By canvas pixels.
  /** @param {number} right @param {number} down */
  moveBy(right, down, stage = this.shownStage) {
    const { width, height } = stage.place;
    const { zoom, x, y } = stage.lens;
    this.look({ zoom, x: x - right / width, y: y - down / height }, stage);
  }

  // By a part of what is in sight: 1 to the right or down, -1 to the left or up.
  /** @param {number} right @param {number} down */
  step(right, down, stage = this.shownStage) {
    this.moveBy(-right * PAN_STEP * stage.canvas.width, -down * PAN_STEP * stage.canvas.height, stage);
  }

  /** @param {Tone} tone @param {string} preset its number, "" for none */
  useTone(tone, preset = "") {
    this.tone = keptTone(tone);
    this.preset = preset;
    this.show();
  }

  /** @param {number} wider @param {number} higher in greys */
  changeWindow(wider, higher) {
    const { level, width, isInverted } = this.tone;
    this.useTone({ level: level + higher, width: width + wider, isInverted });
  }

  invert() {
    this.useTone({ ...this.tone, isInverted: !this.tone.isInverted }, this.preset);
  }

  /** @param {DragTool} tool */
  useTool(tool) {
    this.tool = tool;
    this.node.dataset.tool = tool;
    this.whatIf?.showTool();
    this.show();
  }

  /** @param {boolean} isShown */
  showUnseen(isShown) {
    this.showsUnseen = isShown && this.square !== null;
    this.show();
  }

  link() {
    Viewer.isLinked = !Viewer.isLinked;
    this.look(this.lens);
    for (const other of this.others()) other.bar.update();
  }

  reset() {
    this.showsUnseen = this.square !== null;
    this.useTool(this.whatIf?.tool ?? "move");
    this.useTone(PLAIN_TONE, "0");
    this.look(WHOLE);
  }

  show() {
    for (const stage of this.stages) stage.repaint();
    this.bar.update();
  }

  /** @param {Stage} stage */
  stageChanged(stage) {
    this.lens = keptInside(this.lens, this.size, stage.canvas);
    this.bar.update();
  }

  // Full screen; where browsers have none for parts of a page, the window.
  async fill() {
    const { node } = this;
    if (this.isFilling) {
      if (document.fullscreenElement === node) return document.exitFullscreen();
      return this.noteFilling(false);
    }
    try {
      await node.requestFullscreen();
    } catch {
      this.noteFilling(true);
    }
  }

  /** @param {boolean} isFilling */
  noteFilling(isFilling) {
    this.isFilling = isFilling;
    this.node.classList.toggle("filling", isFilling);
    this.bar.update();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.key === "z" && (event.ctrlKey || event.metaKey) && this.whatIf) {
      event.preventDefault();
      this.whatIf.editor.undo();
    }
    if (event.key !== "Escape" || !(this.isFilling || this.whatIf)) return;
    event.stopPropagation();
    if (!this.isFilling) this.leaveWhatIf();
    else if (!document.fullscreenElement) this.noteFilling(false);
  }

  // What a region changes that is filled otherwise; only findings can change.
  tryRegions() {
    const { what_if_choices: choices } = this.result.wording;
    const square = this.result.squares.classifier;
    if (this.whatIf || !choices || !square) return;
    this.card.closeExplanations();
    this.whatIf = new WhatIf(this, choices, visiblePart(square, this.size));
    this.main.after(this.whatIf.node);
    this.node.classList.add("trying");
    this.card.item.isTrying = true;
    this.useTool("rectangle");
  }

  leaveWhatIf() {
    if (!this.whatIf) return;
    this.card.item.isTrying = false;
    const hadFocus = this.whatIf.node.contains(document.activeElement) || this.stage.node.contains(document.activeElement);
    this.whatIf.close();
    this.whatIf = null;
    this.node.classList.remove("trying");
    this.useTool("move");
    if (hadFocus) this.bar.whatIf.focus();
  }

  // All of the image's pixels, once the preview's no longer do.
  wantWhole() {
    clearTimeout(this.timer);
    const { preview } = this.result;
    if (this.lens.zoom <= 1) {
      this.giveWholeBack();
      return;
    }
    if (this.whole || this.isAsking || preview.width >= this.size.width || preview.width >= this.shownStage.place.width) return;
    this.timer = setTimeout(() => this.fetchWhole(), WHOLE_MS);
  }

  async fetchWhole() {
    this.isAsking = true;
    const whole = await wholeImage(this.card, this.result);
    this.isAsking = false;
    if (this.isClosed || this.lens.zoom <= 1) return whole?.close();
    this.whole = whole;
    for (const stage of this.stages) stage.repaint();
  }

  giveWholeBack() {
    this.whole?.close();
    this.whole = null;
  }

  // Maps take the place of the plain picture, through the same lens and window.
  /** @param {HTMLElement | null} node */
  showMaps(node) {
    if (node) this.leaveWhatIf();
    this.maps.replaceChildren(...(node ? [node] : []));
    this.main.hidden = node !== null;
    if (this.layers) this.layers.node.hidden = node !== null;
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.whatIf?.close();
    for (const stage of [...this.stages]) stage.close();
    this.giveWholeBack();
    if (document.fullscreenElement === this.node) document.exitFullscreen();
    this.node.remove();
  }
}

// The part that was seen, of the picture as it was analysed; null where all was. Of a refused image it is the gate's.
/** @param {DrawnAnalysis} result @param {Extent} size @returns {PictureLayer["square"] | null} */
function seenPart({ squares, wording }, size) {
  if (!wording.seen) return null;
  const { gate, ...others } = squares;
  const found = (wording.outcome === "refused" ? gate : Object.values(others)[0]) ?? gate ?? null;
  return found && visiblePart(found, size);
}

// The image in all its pixels, as it was analysed; null where it cannot be had. Whoever asks for it closes it.
/** @param {Card} card @param {DrawnAnalysis} result */
async function wholeImage({ blob, name }, { orientation, inverted, document }) {
  const details = { orientation, inverted, type: document.image.type, side: FULL_SIDE };
  const { preview } = await runForPage("picture", blob, { name, isUrgent: true }, details);
  return preview;
}
