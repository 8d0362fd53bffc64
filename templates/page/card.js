// One image on the page: from the moment it is chosen to its result, whatever that is.
const isOneOfSeveral = SITE.bundles.length > 1; // then each card says which model judged its image

class Card {
  static count = 0;
  static analyses = 0;

  // `bundle` is the one that judges this image, now and whenever it is asked again.
  /** @param {HTMLElement} list @param {Blob} blob @param {string} name @param {BundleEntry} bundle */
  constructor(list, blob, name, bundle) {
    this.blob = blob;
    this.name = name;
    this.bundle = bundle;
    /** @type {AnalyseOptions} */
    this.options = {};
    /** @type {JobResults["analyse"] | null} */
    this.result = null;
    /** @type {Explanations | null} */
    this.explanations = null;
    /** @type {HTMLElement | null} */
    this.opener = null;
    const id = (this.id = `card-${Card.count++}`);
    this.title = element("h3", { textContent: name, className: "card-name", id: `${id}-name` });
    const model = isOneOfSeveral ? [element("p", { className: "card-model", textContent: `Model: ${bundle.title}` })] : [];
    this.status = element("p", { className: "card-status", textContent: "Waiting", id: `${id}-status` });
    this.bar = element("progress", { max: 1, "aria-label": `Progress of ${name}` });
    this.body = element("div", { className: "card-body" });
    this.actions = element("div", { className: "card-actions" });
    this.node = element("article", { className: "card", tabIndex: -1, "aria-busy": "true", "aria-labelledby": `${id}-name ${id}-status` }, element("header", {}, this.title, ...model), this.status, this.bar, this.body, this.actions);
    list.prepend(this.node);
  }

  // `options` are those of sitegen.analyse: force, correction.
  /** @param {AnalyseOptions} options */
  async analyse(options = {}) {
    const controller = new AbortController();
    const cancel = element("button", { type: "button", textContent: "Cancel" });
    cancel.onclick = () => controller.abort();
    this.options = { ...options, bundle: this.bundle.name };
    this.closeExplanations();
    this.body.inert = true; // it stays in sight until the new result is there
    this.actions.replaceChildren(cancel);
    this.node.setAttribute("aria-busy", "true");
    this.bar.hidden = false;
    /** @type {ProgressListener} */
    const onProgress = ({ stage, done }) => this.progress(stage, done);
    this.keep = `${this.id}-${++Card.analyses}`; // what the worker keeps for maps of this very analysis
    const { signal } = controller;
    const result = await analyseForPage(this.blob, { ...this.options, keep: this.keep, name: this.name, signal, onProgress });
    this.result?.preview?.close();
    this.result = result;
    this.show(result);
    return result;
  }

  // Asked for on the card itself, by a button that is gone by now: the result gets the focus that the button had.
  /** @param {AnalyseOptions} options */
  async analyseAgain(options) {
    this.node.focus();
    await this.analyse(options);
    if (this.node.contains(document.activeElement) || document.activeElement === document.body) this.node.focus();
  }

  /** @param {string} stage @param {number} done */
  progress(stage, done) {
    showStage(SITE.words.stages, stage, done, this.status, this.bar);
  }

  /** @param {JobResults["analyse"]} result */
  show(result) {
    const { wording } = result;
    this.node.dataset.outcome = wording.outcome;
    this.node.classList.toggle("forced", wording.badge !== null);
    this.node.setAttribute("aria-busy", "false");
    this.bar.hidden = true;
    this.body.inert = false;
    this.status.textContent = wording.headline;
    this.body.replaceChildren(...this.pictures(result), this.words(result), ...this.judgement(result));
    this.actions.replaceChildren(...this.buttons(result));
  }

  /** @param {JobResults["analyse"]} result */
  pictures(result) {
    if (!result.preview) return [];
    if (isGated(result) && !result.wording.gate?.accepted) return [picturePair(result)];
    return [element("div", { className: "pictures" }, imageFigure(result, false))];
  }

  /** @param {JobResults["analyse"]} result */
  judgement(result) {
    return result.preview && isGated(result) && result.wording.gate?.accepted ? [gateDetails(result, result.wording.gate)] : [];
  }

  /** @param {JobResults["analyse"]} result */
  words(result) {
    const { gate, findings, badge, details, times } = result.wording;
    const maps = result.preview ? result.wording.explanations : null;
    const bars = findings.map((finding) => findingBar(finding, badge, this.openerOf(finding.label, maps)));
    const words = element("div", { className: "words" }, ...this.offers(gate?.offers ?? []), ...bars, ...this.openerOfAll(maps));
    words.append(...details.map((text) => element("p", { textContent: text })), ...refusedMeasures(gate));
    if (times) {
      const rows = times.rows.map(({ stage, text }) => element("tr", {}, element("th", { scope: "row", textContent: stage }), element("td", { textContent: text })));
      words.append(element("details", {}, element("summary", { textContent: times.name }), element("table", {}, element("tbody", {}, ...rows))));
    }
    return words;
  }

  // The button that shows where the model looked for a finding; null where it can give no maps.
  /** @param {string} finding @param {MethodsWords | null} explanations @param {string} [name] */
  openerOf(finding, explanations, name = finding) {
    if (!explanations) return null;
    const opener = element("button", { type: "button", className: "finding-open", "aria-expanded": "false", "aria-controls": `${this.id}-explanations` }, name, element("span", { className: "finding-hint", textContent: explanations.open }));
    opener.dataset.finding = finding;
    opener.onclick = () => this.explain(finding, opener);
    return opener;
  }

  /** @param {MethodsWords | null} explanations */
  openerOfAll(explanations) {
    const all = explanations?.findings.find(({ isAll }) => isAll);
    const opener = all ? this.openerOf(all.finding, explanations, all.name) : null;
    return opener ? [element("p", {}, opener)] : [];
  }

  /** @param {string} finding @param {HTMLElement} opener */
  explain(finding, opener) {
    if (!this.explanations) {
      if (!this.result?.preview || !this.result.wording.explanations) return;
      this.explanations = new Explanations(this, this.result, this.result.wording.explanations);
      this.body.after(this.explanations.node);
    }
    this.opener = opener;
    this.markOpener(opener);
    this.explanations.open(finding);
  }

  /** @param {HTMLElement | null} opener */
  markOpener(opener) {
    for (const each of this.body.querySelectorAll(".finding-open")) each.setAttribute("aria-expanded", String(each === opener));
  }

  closeExplanations() {
    this.explanations?.close();
    this.explanations = null;
    this.markOpener(null);
  }

  remove() {
    this.closeExplanations();
    this.result?.preview?.close();
    this.node.remove();
  }

  /** @param {OfferWords[]} offers */
  offers(offers) {
    return offers.map(({ correction, message, button }) => {
      const apply = element("button", { type: "button", textContent: button });
      apply.onclick = () => this.analyseAgain({ correction });
      return element("div", { className: "offer" }, element("p", { textContent: message }), apply);
    });
  }

  /** @param {JobResults["analyse"]} result */
  buttons({ wording, document }) {
    const save = element("button", { type: "button", textContent: "Save result (JSON)" });
    const file = [this.name, ...(isOneOfSeveral ? [this.bundle.name] : []), ...wording.marks, "sitegen", "json"].join(".");
    save.onclick = () => saveText(file, JSON.stringify({ ...document, ...this.explanations?.entries() }, null, 2));
    const remove = element("button", { type: "button", textContent: "Remove" });
    remove.onclick = () => this.remove();
    const back = wording.correction ? [this.wayBack(wording.correction)] : [];
    const anyway = wording.force ? [this.forcing(wording.force)] : [];
    return [...back, ...anyway, save, remove];
  }

  /** @param {{ undo: string }} correction */
  wayBack({ undo }) {
    const back = element("button", { type: "button", textContent: undo });
    back.onclick = () => this.analyseAgain({});
    return back;
  }

  // The button that asks once more before it does what it says.
  /** @param {ForceWords} words */
  forcing({ button, question, confirm }) {
    const anyway = element("button", { type: "button", textContent: button });
    anyway.onclick = () => {
      const yes = element("button", { type: "button", textContent: confirm });
      yes.onclick = () => this.analyseAgain({ ...this.options, force: true });
      anyway.replaceWith(element("span", { textContent: question }), yes);
      yes.focus();
    };
    return anyway;
  }
}

/** @param {FindingWords} finding @param {Badge | null} badge @param {HTMLElement | null} opener */
function findingBar({ label, share, mark, value, text, spoken, above, weak }, badge, opener) {
  const fill = element("span", { className: "bar-fill" });
  fill.style.width = `${100 * share}%`;
  const tick = element("span", { className: "bar-mark" });
  tick.style.left = `${100 * mark}%`;
  const bar = element("div", { className: "bar", role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": value, "aria-valuetext": spoken }, fill, tick);
  const badges = badge ? [badgeMark(badge)] : [];
  const head = element("div", { className: "finding-head" }, element("strong", {}, opener ?? label, ...badges), element("span", { textContent: text }));
  const caution = weak ? [element("p", { className: "hint", textContent: weak })] : [];
  const node = element("div", { className: "finding" }, head, bar, ...caution);
  node.classList.toggle("above", above);
  if (opener) bar.onclick = () => opener.click(); // for the pointer: the button is there for all
  return node;
}

/** @param {Badge} badge */
function badgeMark({ short, long }) {
  return element("span", { className: "badge", textContent: short, title: long });
}

// What is being done, in words and on a bar.
/** @param {StageWords[]} stages @param {string} stage @param {number} done @param {HTMLElement} text @param {HTMLProgressElement} bar */
function showStage(stages, stage, done, text, bar) {
  const { name, begins, ends } = stages.find((each) => each.stage === stage) ?? { name: stage, begins: 0, ends: 1 };
  text.textContent = name;
  bar.value = begins + (ends - begins) * Math.min(done, 1);
}

/** @param {string} name @param {string} text */
function saveText(name, text) {
  saveBlob(name, new Blob([text], { type: "application/json" }));
}

/** @param {string} name @param {Blob} blob */
function saveBlob(name, blob) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
