// The what-if tool of a viewer: regions are marked on its picture, and each is answered at once. What was tried stands with the image in
// the list, so that it is there again when its card is, and goes into the saved result, the report and the session.
const KEYS_REST_MS = 350; // keys follow each other

class WhatIf {
  /** @param {Viewer} viewer @param {WhatIfChoices} choices @param {PictureLayer["square"]} square */
  constructor(viewer, choices, square) {
    this.viewer = viewer;
    this.choices = choices;
    this.item = viewer.card.item;
    /** @type {Try | null} what was answered of the region that is marked now */
    this.current = null;
    this.asking = new AbortController();
    this.timer = 0;
    this.editor = new RegionEditor(viewer, square, (isSettled) => this.changed(isSettled), (cell, isMarked) => this.tellCell(cell, isMarked));
    this.isNoise = false; // adversarial noise in place of regions
    this.tools = /** @type {const} */ (["rectangle", "brush", "erase"]).map((name) => this.button(name, () => viewer.useTool(name)));
    this.kinds = /** @type {const} */ (["part", "noise"]).map((name) => this.button(name, () => this.useKind(name === "noise")));
    this.undo = this.button("undo", () => this.editor.undo());
    this.clear = this.button("clear", () => this.editor.clear());
    this.next = this.button("next", () => this.begin());
    this.filling = this.select(WHAT_IF.filling, "filling", choices.fillings.map(({ value, name, reason }) => ({ value, name, disabled: reason !== null })), choices.filling);
    this.grid = this.select(WHAT_IF.grid, "grid", choices.grids.map(({ cells, name }) => ({ value: String(cells), name, disabled: false })), String(this.editor.cells));
    this.filling.onchange = () => this.changed(true);
    this.grid.onchange = () => this.editor.useGrid(Number(this.grid.value));
    this.noise = new NoiseControls(this, choices.noise);
    this.sentence = element("p", { className: "hint", id: `${viewer.card.id}-filling` });
    for (const select of [this.filling, this.noise.kind]) select.setAttribute("aria-describedby", this.sentence.id);
    this.cellStatus = element("p", { className: "hint", role: "status" });
    this.answer = element("div", { className: "changes" });
    this.table = element("div", { className: "tries", role: "region", tabIndex: 0, "aria-label": WHAT_IF.compared, hidden: true });
    const said = [WHAT_IF.hint, WHAT_IF.noise_hint, WHAT_IF.tells, WHAT_IF.keys].map((textContent) => element("p", { className: "hint", textContent }));
    const keysId = `${viewer.card.id}-what-if-keys`;
    said[3].id = keysId;
    viewer.stage.node.setAttribute("aria-describedby", `${keysId} ${viewer.keysId}`);
    const more = element("details", {}, element("summary", { textContent: WHAT_IF.more }), this.sentence, ...said);
    const head = element("div", { className: "what-if-head" }, element("h4", { textContent: WHAT_IF.title }), element("span", { className: "button-group", role: "group", "aria-label": WHAT_IF.kinds }, ...this.kinds), this.button("close", () => viewer.leaveWhatIf()));
    this.marking = this.toolbar();
    const after = element("div", { className: "what-if-tools" }, this.next);
    this.node = element("section", { className: "what-if", tabIndex: -1, "aria-label": WHAT_IF.title }, head, this.marking, this.noise.node, this.cellStatus, this.answer, after, this.table, more);
    this.show();
  }

  // What dragging on the picture does at first.
  get tool() {
    return this.isNoise ? "move" : "rectangle";
  }

  // A part that is replaced, or noise over all of the picture.
  /** @param {boolean} isNoise @param {Try | null} tried what is shown of it */
  useKind(isNoise, tried = null) {
    this.stopAsking();
    this.isNoise = isNoise;
    this.current = tried;
    this.editor.load(tried ? this.placesOf(tried) : NOTHING_MARKED);
    this.viewer.useTool(this.tool);
    this.show();
  }

  /** @param {string} text @param {string} action @param {{ value: string, name: string, disabled: boolean }[]} options @param {string} value */
  select(text, action, options, value) {
    const select = element("select", { "aria-label": text, "data-action": action, autocomplete: "off" }, ...options.map(({ value, name, disabled }) => element("option", { value, textContent: name, disabled })));
    select.value = value;
    return select;
  }

  toolbar() {
    const labelled = (/** @type {string} */ text, /** @type {HTMLElement} */ select) => element("label", {}, element("span", { className: "label", textContent: text }), " ", select);
    return element("div", { className: "what-if-tools" }, element("span", { className: "button-group", role: "group", "aria-label": WHAT_IF.tools }, ...this.tools), element("span", { className: "button-group" }, this.undo, this.clear), labelled(WHAT_IF.filling, this.filling), labelled(WHAT_IF.grid, this.grid));
  }

  /** @param {string} name @param {() => void} act */
  button(name, act) {
    const title = WHAT_IF[`${name}_title`];
    return element("button", { type: "button", className: "small", textContent: WHAT_IF[name], title, "aria-label": `${WHAT_IF[name]}: ${title.charAt(0).toLowerCase()}${title.slice(1)}`, "data-action": `what-if-${name}`, onclick: act });
  }

  get tries() {
    return this.item.tries;
  }

  // The region has changed, or what stands in it.
  /** @param {boolean} isSettled */
  changed(isSettled) {
    clearTimeout(this.timer);
    this.asking.abort();
    this.show();
    if (!this.editor.regions.length) return this.replace(null);
    this.node.setAttribute("aria-busy", "true");
    this.timer = setTimeout(() => this.ask(), isSettled ? 0 : KEYS_REST_MS);
  }

  ask() {
    const { size, result } = this.viewer;
    const { correction } = result.document;
    const regions = this.editor.regions.map((region) => regionInFile(region, size, correction));
    return this.request({ regions, filling: this.filling.value });
  }

  // The same noise once more takes the place of what was answered of it.
  addNoise() {
    const { wish } = this.noise;
    const isSame = (/** @type {Try} */ { entry }) => JSON.stringify(entry.attack) === JSON.stringify(wish);
    this.stopAsking();
    this.current = this.tries.find(isSame) ?? null;
    this.node.setAttribute("aria-busy", "true");
    this.noise.progress.value = 0;
    const asked = this.request({ attack: wish });
    this.show();
    return asked;
  }

  /** @param {WhatIfEntry} wanted */
  async request(wanted) {
    const asking = (this.asking = new AbortController());
    const { blob, name, options, keep } = this.viewer.card;
    const onProgress = (/** @type {{ stage: string, done: number }} */ { stage, done }) => {
      if (stage === "attack") this.noise.progress.value = done;
    };
    const answered = await runForPage("what-if", blob, { ...options, name, isUrgent: true, signal: asking.signal, onProgress }, { what_if: [wanted], keep });
    if (this.asking !== asking || asking.signal.aborted) return;
    this.node.setAttribute("aria-busy", "false");
    const [entry] = ("what_if" in answered.document && answered.document.what_if) || [];
    if (!("tries" in answered) || !entry) return this.fail([`${answered.wording.headline}.`, ...answered.wording.details].join(" "));
    const [wording] = answered.tries;
    if (wording.problem === null) this.replace({ entry, wording, picture: noisePicture(answered) });
    else this.fail(wording.problem);
  }

  /** @param {string} text */
  fail(text) {
    if (this.isNoise) this.current = null; // what was answered before stays
    this.replace(null);
    this.answer.replaceChildren(element("p", { className: "failure", textContent: text }));
    announce(text);
  }

  // What is answered takes the place of what was answered of the same region.
  /** @param {Try | null} tried */
  replace(tried) {
    const { current, tries } = this;
    this.node.setAttribute("aria-busy", "false");
    const kept = tries.filter((each) => each !== current || tried !== null).map((each) => (each === current && tried ? tried : each));
    if (tried && !kept.includes(tried)) kept.push(tried);
    this.current = tried;
    if (tried || current) this.keep(kept);
    this.show();
    if (tried) announce(tried.wording.summary);
  }

  /** @param {Try[]} tries */
  keep(tries) {
    this.viewer.card.desk.list.change(this.item, { tries, isSaved: false });
  }

  // Another region; the last one stays in the table.
  begin() {
    this.useKind(false);
    this.viewer.stage.node.focus();
  }

  /** @param {Try} tried */
  reopen(tried) {
    const { attack, filling } = tried.entry;
    if (filling) this.filling.value = filling;
    this.useKind(attack !== undefined, tried);
  }

  /** @param {Try} tried */
  remove(tried) {
    this.keep(this.tries.filter((each) => each !== tried));
    if (tried === this.current) {
      this.current = null;
      this.editor.load(NOTHING_MARKED);
    }
    this.show();
  }

  /** @param {CanvasRenderingContext2D} context @param {PicturePlace} place @param {boolean} isFocused */
  paint(context, place, isFocused) {
    const { current, isNoise, noise } = this;
    if (isNoise && current?.picture && noise.isShown) {
      context.save();
      context.beginPath();
      context.rect(place.left, place.top, place.width, place.height); // of a padded image, what lies on it
      context.clip();
      context.drawImage(noiseCanvas(current.picture), ...onCanvas(this.viewer.result.squares.classifier ?? this.editor.square, place));
      context.restore();
    }
    if (isNoise) return;
    for (const [index, tried] of this.tries.entries()) {
      if (tried === current || tried.entry.attack) continue;
      context.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      paintTried(context, place, this.placesOf(tried), index + 1, devicePixelRatio);
    }
    this.editor.paint(context, place, isFocused);
  }

  // The regions of an answer, on the picture as it was analysed.
  /** @param {Try} tried */
  placesOf({ entry }) {
    const { size, result } = this.viewer;
    return (entry.regions ?? []).map((region) => regionInPicture(/** @type {Region} */ (region), size, result.document.correction));
  }

  show() {
    const { editor, current, tries, viewer } = this;
    const held = document.activeElement;
    keepingFocus(this.node, () => {
      this.sentence.textContent = this.isNoise ? this.noise.sentence : (this.choices.fillings.find(({ value }) => value === this.filling.value)?.sentence ?? "");
      this.marking.hidden = this.cellStatus.hidden = this.next.hidden = this.isNoise;
      this.noise.show();
      this.undo.disabled = !editor.history.length;
      this.clear.disabled = !editor.regions.length;
      this.next.disabled = current === null;
      const waiting = editor.regions.length || this.noise.isAsking ? WHAT_IF.asking : this.noise.hint;
      this.answer.replaceChildren(...(current ? changesOf(current) : [element("p", { className: "hint", textContent: waiting })]));
      const table = tries.length > (current ? 1 : 0) ? triesTable(tries, current, { show: (tried) => this.reopen(tried), remove: (tried) => this.remove(tried) }) : null;
      this.table.replaceChildren(...(table ? [table] : []));
      this.table.hidden = table === null;
    });
    if (held instanceof HTMLButtonElement && held.disabled) viewer.stage.node.focus(); // before browsers take the focus away
    this.showTool();
    viewer.stage.repaint();
  }

  showTool() {
    for (const [index, button] of this.kinds.entries()) button.setAttribute("aria-pressed", String(this.isNoise === (index === 1)));
    for (const button of this.tools) button.setAttribute("aria-pressed", String(button.dataset.action === `what-if-${this.viewer.tool}`));
  }

  /** @param {Cell} cell @param {boolean} isMarked */
  tellCell({ column, row }, isMarked) {
    this.cellStatus.textContent = filledIn(WHAT_IF.cell, { row: row + 1, column: column + 1, cells: this.editor.cells, state: isMarked ? WHAT_IF.marked : WHAT_IF.unmarked });
  }

  stopAsking() {
    clearTimeout(this.timer);
    this.asking.abort();
    this.node.setAttribute("aria-busy", "false");
  }

  close() {
    this.stopAsking();
    this.viewer.stage.node.setAttribute("aria-describedby", this.viewer.keysId);
    this.node.remove();
  }
}
