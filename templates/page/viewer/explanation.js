// The part of a card that shows where the model looked: one map, or two side by side, in one look.
class Explanations {
  /** @param {Card} card @param {Viewer} viewer @param {DrawnAnalysis} result @param {MethodsWords} words */
  constructor(card, viewer, result, words) {
    this.card = card;
    this.viewer = viewer;
    this.result = result; // of the analysis that the maps explain: a later one has maps of its own
    this.keep = card.keep;
    this.words = words;
    /** @type {MapView[]} */
    this.views = [];
    /** @type {Map<string, () => void>} each slider's, which says its value */
    this.tellers = new Map();
    this.maps = element("div", { className: "maps" });
    this.look = element("fieldset", { className: "look" }, element("legend", { textContent: this.words.look.name }), ...this.words.look.controls.map((control) => this.control(control)));
    this.compare = element("button", { type: "button", textContent: "Compare with another map", onclick: () => this.addSecond() });
    const close = element("button", { type: "button", textContent: "Close the maps", onclick: () => this.leave() });
    this.node = element("section", { className: "explanations", id: `${card.id}-explanations`, "aria-label": `${this.words.name}: ${card.name}` }, this.maps, this.look, ...this.reasons(), element("div", { className: "card-actions" }, this.compare, close));
  }

  // Why some methods cannot be chosen.
  reasons() {
    const missing = this.words.methods.filter(({ reason }) => reason !== null);
    if (!missing.length) return [];
    const items = missing.map(({ name, reason }) => element("li", {}, element("strong", { textContent: `${name}: ` }), reason ?? ""));
    return [element("details", { className: "reasons" }, element("summary", { textContent: this.words.missing }), element("ul", {}, ...items))];
  }

  /** @param {LookControl} control */
  control(control) {
    return control.choices ? this.choice(control) : this.range(control);
  }

  /** @param {ChoiceControl} control */
  choice({ key, name, value, choices }) {
    const select = element("select", { name: key }, ...choices.map((choice) => element("option", { value: choice.value, textContent: choice.name })));
    select.value = value;
    select.onchange = () => this.redraw();
    return element("label", {}, `${name} `, select);
  }

  /** @param {RangeControl} control */
  range({ key, name, value, least, most, step, unit }) {
    const shown = element("output");
    const id = `${this.card.id}-${key}`; // a label around both would be that of the output
    const range = element("input", { type: "range", id, name: key, min: least, max: most, step });
    range.value = String(value);
    const tell = () => range.setAttribute("aria-valuetext", (shown.textContent = `${range.value} ${unit}`));
    tell();
    this.tellers.set(key, tell);
    range.oninput = () => {
      tell();
      this.redraw();
    };
    return element("div", {}, element("label", { htmlFor: id }, `${name}: `, shown), range);
  }

  /** @returns {Look} */
  chosenLook() {
    /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */
    const controls = this.look.querySelectorAll("[name]");
    return Object.fromEntries(Array.from(controls, ({ name, type, value }) => [name, type === "range" ? Number(value) : value]));
  }

  redraw() {
    for (const view of this.views) view.redraw();
  }

  // The finding's button was pressed.
  /** @param {string} finding */
  open(finding) {
    const [view] = this.views;
    if (!view) this.add(finding, this.words.method);
    else {
      view.finding.value = finding;
      view.explain();
    }
    this.card.viewer.scrollTop = 0; // the picture, below its buttons
  }

  /** @param {string} finding @param {string} method */
  add(finding, method) {
    const view = new MapView(this, this.views.length + 1, finding, method);
    this.views.push(view);
    this.maps.append(view.node);
    this.nameViews();
    view.explain();
    return view;
  }

  nameViews() {
    for (const view of this.views) view.rename(this.views.length);
    this.compare.hidden = this.views.length > 1;
  }

  // What a card that is thrown away needs to show the same maps when it is made again. The values are computed again:
  // they would be most of what an image holds.
  /** @returns {OpenMaps} */
  remembered() {
    return { views: this.views.map((view) => view.chosen()), look: this.chosenLook() };
  }

  /** @param {OpenMaps} maps */
  restore({ views, look }) {
    for (const [name, value] of Object.entries(look)) this.setLook(name, value);
    for (const [index, { finding, method }] of views.entries()) {
      if (index === 0) this.add(finding, method);
      else this.makeSecond(finding, method);
    }
  }

  /** @param {string} name @param {string | number} value */
  setLook(name, value) {
    const control = /** @type {HTMLInputElement | HTMLSelectElement} */ (this.look.querySelector(`[name=${name}]`));
    control.value = String(value);
    this.tellers.get(name)?.();
  }

  // What differs at once: the next finding where there are several, otherwise the next method.
  addSecond() {
    const { finding, method } = this.views[0].chosen();
    const others = this.words.findings.filter((other) => other.finding !== finding && !other.isAll);
    const methods = this.words.methods.filter((other) => other.reason === null && other.method !== method);
    const view = others.length ? this.makeSecond(others[0].finding, method) : this.makeSecond(finding, methods[0]?.method ?? method);
    view.finding.focus();
  }

  /** @param {string} finding @param {string} method */
  makeSecond(finding, method) {
    const view = this.add(finding, method);
    const close = element("button", { type: "button", textContent: "Close this map", onclick: () => this.closeSecond() });
    view.actions.append(close);
    return view;
  }

  closeSecond() {
    this.views.pop()?.close();
    this.nameViews();
    this.compare.focus();
  }

  // What the document of the card's result says more where maps are shown.
  entries() {
    const entries = this.views.flatMap(({ shown }) => shown?.entry ?? []);
    return entries.length ? { explanations: entries } : {};
  }

  leave() {
    const { opener } = this.card;
    this.card.closeExplanations();
    (opener?.isConnected ? opener : this.card.node).focus();
  }

  close() {
    for (const view of this.views) view.close();
    this.views = [];
    this.node.remove();
  }
}
