// One image with its result: the verdict, then the picture in the viewer's pane, and findings in theirs. What is shown comes from
// the item; the card is thrown away when other images are looked at, and made again.
const isOneOfSeveral = SITE.bundles.length > 1; // then each card says which model judged its image

class Card {
  /** @param {WorkItem} item @param {Desk} desk */
  constructor(item, desk) {
    this.item = item;
    this.desk = desk;
    /** @type {AnalysisResult | null} */
    this.result = null;
    /** @type {Viewer | null} */
    this.picture = null;
    /** @type {Explanations | null} */
    this.explanations = null;
    /** @type {HTMLElement | null} */
    this.opener = null;
    /** @type {AbortController | null} */
    this.opening = null;
    const id = (this.id = `card-${item.number}`);
    this.title = element("h3", { textContent: captionOf(item), className: "card-name", id: `${id}-name` });
    const model = isOneOfSeveral ? [element("p", { className: "card-model", textContent: `Model: ${item.bundle.title}` })] : [];
    this.status = element("p", { className: "card-status", id: `${id}-status` });
    this.bar = element("progress", { max: 1, "aria-label": `Progress of ${captionOf(item)}` });
    this.cancel = element("button", { type: "button", className: "small", textContent: "Cancel", "data-action": "cancel", onclick: () => desk.queue.cancel(item) });
    const work = (this.work = element("div", { className: "card-work" }, this.bar, this.cancel));
    const named = `image ${item.number}, ${captionOf(item)}`; // the same file may be there twice
    this.viewer = element("section", { className: "viewer-pane", "aria-label": `Picture of ${named}` });
    this.findings = element("section", { className: "findings-pane", "aria-label": SITE.words.work_list.findings.replace("{name}", () => named) });
    const head = element("header", { className: "card-head" }, this.title, ...model, this.status, work);
    this.node = element("article", { className: "card", tabIndex: -1, "aria-labelledby": `${id}-name ${id}-status` }, head, this.findings, this.viewer); // keys lead from findings to their maps
    this.node.addEventListener("keydown", (event) => this.press(event));
    this.update();
  }

  // What maps are made of.
  get blob() { return this.item.blob; }
  get name() { return this.item.name; }
  get bundle() { return this.item.bundle; }
  get options() { return this.item.options; }
  get keep() { return this.item.keep; }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.key !== "Escape" || !this.explanations) return;
    event.preventDefault();
    this.explanations.leave();
  }

  // The item's state has changed, or the card is new.
  update() {
    const { item } = this;
    if (PENDING.has(item.state)) return this.showWork();
    const result = this.desk.kept.get(item);
    if (result) this.show(result);
    else this.open();
  }

  showWork() {
    const { item } = this;
    const isFirst = !this.work.isConnected || this.node.getAttribute("aria-busy") !== "true";
    this.status.textContent = item.stage ?? "Waiting";
    this.bar.value = item.share;
    this.node.setAttribute("aria-busy", "true");
    if (!isFirst) return;
    this.opening?.abort();
    this.closeExplanations();
    if (item.maps) this.desk.list.change(item, { maps: null }); // they were of the result before
    this.holdFocus();
    this.viewer.inert = this.findings.inert = true; // they stay in sight until the new result is there
    this.work.hidden = false;
  }

  // Of a result that is no longer held: its words at once, the picture when it is made again.
  async open() {
    this.opening?.abort();
    const opening = (this.opening = new AbortController());
    const { kept } = this.desk;
    this.node.setAttribute("aria-busy", "true");
    this.status.textContent = this.item.summary?.verdict ?? "";
    this.work.hidden = true;
    const stored = await kept.read(this.item);
    if (!stored || opening.signal.aborted) return;
    const isComplete = !hasPicture(stored);
    this.show(stored, isComplete);
    if (isComplete) return;
    const whole = await kept.complete(this.item, stored, opening.signal);
    if (whole && !opening.signal.aborted) this.show(whole);
  }

  /** @param {AnalysisResult} result */
  show(result, isComplete = true) {
    const { wording } = result;
    this.result = result;
    if (isVeiled(this.item) && wording.outcome !== "failed") return this.ask(result, isComplete);
    this.node.dataset.outcome = wording.outcome;
    this.node.classList.toggle("forced", wording.badge !== null);
    this.node.classList.toggle("is-above", summaryOf(wording).isAbove);
    keepingFocus(this.node, () => {
      this.work.hidden = true;
      this.viewer.inert = this.findings.inert = false;
      this.status.textContent = wording.verdict;
      this.picture?.close();
      this.picture = isDrawn(result) ? new Viewer(this, result) : null;
      this.viewer.replaceChildren(...(this.picture ? [this.picture.node] : this.placeholder(result)));
      this.findings.replaceChildren(...revealedAnswer(this, result), ...this.words(result), noteOf(this.item), element("div", { className: "card-actions" }, ...actionsOf(this, result)));
    });
    this.reopenMaps();
    if (this.item.isTrying && isComplete) this.picture?.tryRegions();
    this.node.setAttribute("aria-busy", String(!isComplete));
    panes.reachable(this.viewer, this.findings);
  }

  // Teaching: the findings are told once the student has answered.
  /** @param {AnalysisResult} result */
  ask(result, isComplete = true) {
    this.node.dataset.outcome = "veiled";
    keepingFocus(this.node, () => {
      this.work.hidden = true;
      this.viewer.inert = this.findings.inert = false;
      this.status.textContent = SITE.words.teaching.answer_first;
      this.picture?.close();
      this.picture = null;
      const question = new Question(this, result);
      this.viewer.replaceChildren(...question.pictures());
      this.findings.replaceChildren(question.node, element("div", { className: "card-actions" }, removing(this)));
    });
    this.node.setAttribute("aria-busy", String(!isComplete));
    panes.reachable(this.viewer, this.findings);
  }

  // Until the picture is made again.
  /** @param {AnalysisResult} result */
  placeholder({ wording }) {
    const { thumbnail, away } = this.item;
    if (away !== null) return [awayNotice(this.item), ...reopenedTries(this.item)];
    return thumbnail && wording.outcome !== "failed" ? [element("img", { className: "thumbnail", alt: "", src: thumbnail })] : [];
  }

  /** @param {AnalysisResult} result */
  words(result) {
    const { gate, findings, details, times, headline, correction, badge } = result.wording;
    const words = element("div", { className: "words" });
    if (findings.length && (correction || badge)) words.append(element("p", { className: "headline", textContent: `${headline}.` }));
    if (this.item.away === null) words.append(...offersOf(this, gate?.offers ?? []));
    this.table = findings.length ? new FindingsTable(this, result) : null;
    if (this.table) words.append(this.table.node);
    const said = details.map((text) => element("p", { textContent: text }));
    if (gate?.plain) words.append(element("p", { textContent: gate.plain }), ...judgementOf(gate, said)); // figures are folded away
    else words.append(...said, ...judgementOf(gate));
    this.closer?.close();
    this.closer = closerOf(this, result);
    if (this.closer) words.append(this.closer.node);
    if (times) words.append(timesTable(times));
    return [words];
  }

  /** @type {FindingsTable | null} */
  table = null;
  /** @type {Closer | null} */
  closer = null;

  /** @param {string} finding @param {HTMLElement} opener */
  explain(finding, opener) {
    const explanations = this.explanations ?? this.startExplanations();
    if (!explanations) return;
    this.opener = opener;
    this.markOpener(opener);
    panes.show("image");
    explanations.open(finding);
  }

  startExplanations() {
    const { picture, result } = this;
    if (!picture || !result?.preview || !result.wording.explanations) return null;
    this.explanations = new Explanations(this, picture, result, result.wording.explanations);
    picture.showMaps(this.explanations.node);
    return this.explanations;
  }

  // The maps that were open when the card was thrown away.
  reopenMaps() {
    const { maps } = this.item;
    const explanations = maps && this.startExplanations();
    if (!explanations) return;
    this.desk.list.change(this.item, { maps: null });
    explanations.restore(maps);
    this.opener = this.findings.querySelector(`.finding-open[data-finding="${CSS.escape(maps.views[0].finding)}"]`);
    this.markOpener(this.opener);
  }

  /** @param {HTMLElement | null} opener */
  markOpener(opener) {
    for (const each of this.findings.querySelectorAll(".finding-open")) each.setAttribute("aria-expanded", String(each === opener));
  }

  closeExplanations() {
    this.explanations?.close();
    this.explanations = null;
    this.picture?.showMaps(null);
    this.markOpener(null);
  }

  // Asked for on the card itself, by a button that is gone by then: the card gets the focus that the button had.
  /** @param {AnalyseOptions} options */
  analyseAgain(options) {
    this.node.focus();
    this.desk.queue.again(this.item, options);
  }

  // What is about to be taken away or made inert gives the focus to the card.
  holdFocus() {
    if (this.viewer.contains(document.activeElement) || this.findings.contains(document.activeElement)) this.node.focus();
  }

  close() {
    this.opening?.abort();
    this.closer?.close();
    if (this.explanations) this.desk.list.change(this.item, { maps: this.explanations.remembered() });
    this.closeExplanations();
    this.picture?.close();
    this.picture = null;
    this.node.remove();
  }
}

/** @param {TimeWords} times */
function timesTable({ name, rows }) {
  const lines = rows.map(({ stage, text }) => element("tr", {}, element("th", { scope: "row", textContent: stage }), element("td", { textContent: text })));
  return element("details", {}, element("summary", { textContent: name }), element("table", {}, element("tbody", {}, ...lines)));
}
