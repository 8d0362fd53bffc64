// What a student is asked of a case: which findings are there, and where.
class Question {
  /** @param {Card} card @param {AnalysisResult} result */
  constructor(card, result) {
    const { item } = card;
    this.card = card;
    this.result = result;
    this.lesson = /** @type {Lesson} */ (item.lesson);
    this.picture = result.preview ? new PlacedPicture(/** @type {DrawnAnalysis} */ (result), captionOf(item)) : null;
    this.current = "";
    this.rows = item.bundle.labels.map((label) => this.row(label));
    const send = element("button", { type: "button", className: "button", textContent: LESSONS.answer, "data-action": "answer", onclick: () => this.answer() });
    const legend = element("legend", { textContent: LESSONS.answer_first });
    this.node = element("fieldset", { className: "lesson" }, legend, element("p", { textContent: LESSONS.question }), ...this.rows.map(({ node }) => node), send);
    this.picture?.listen((place) => this.put(place), () => this.lesson.places[this.current] ?? null);
    this.draw();
  }

  pictures() {
    return this.picture ? [element("div", { className: "pictures" }, this.picture.node)] : [];
  }

  /** @param {string} label */
  row(label) {
    const box = element("input", { type: "checkbox", checked: label in this.lesson.places, autocomplete: "off", "data-action": `see ${label}` });
    const place = element("button", { type: "button", className: "small", hidden: true, "data-action": `place ${label}`, onclick: () => this.ask(label, true) });
    box.onchange = () => (box.checked ? this.ask(label) : this.forget(label));
    return { label, box, place, node: element("div", { className: "lesson-row" }, element("label", { className: "tick" }, box, ` ${label}`), place) };
  }

  // The next click is about this finding.
  /** @param {string} label */
  ask(label, isMoving = false) {
    this.current = label;
    this.draw();
    if (!isMoving) return;
    panes.show("image");
    this.picture?.surface.focus();
  }

  /** @param {string} label */
  forget(label) {
    delete this.lesson.places[label];
    if (this.current === label) this.current = "";
    this.draw();
  }

  /** @param {Place} place */
  put(place) {
    if (!this.current) return;
    this.lesson.places[this.current] = place;
    this.draw();
  }

  draw() {
    for (const { label, box, place } of this.rows) {
      place.hidden = !box.checked;
      const state = label in this.lesson.places ? LESSONS.placed : LESSONS.not_placed;
      place.textContent = filledIn(LESSONS.place, { finding: label, state });
      place.setAttribute("aria-pressed", String(label === this.current));
    }
    this.picture?.surface.setAttribute("aria-label", this.current ? filledIn(LESSONS.picture, { finding: this.current }) : LESSONS.question);
    this.picture?.show(this.lesson.places);
  }

  answer() {
    const said = Object.fromEntries(this.rows.map(({ label, box }) => [label, box.checked]));
    answered(this.card.item, this.result.wording, said);
    this.card.node.focus();
    this.card.show(this.result);
    announce(scoreInWords());
  }
}
