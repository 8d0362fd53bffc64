// One image on the page: from the moment it is chosen to its result, whatever that is.
const STAGE_NAMES = { start: "Waiting for the model", compare: "Checking the graphics card", bundle: "Loading the model", check: "Checking the file", pixels: "Scaling", gate: "Is it like the training images?", classifier: "Classifying", done: "Done" };
const isOneOfSeveral = SITE.bundles.length > 1; // then each card says which model judged its image

class Card {
  // `bundle` is the one that judges this image, now and whenever it is asked again.
  constructor(list, blob, name, bundle) {
    this.blob = blob;
    this.name = name;
    this.bundle = bundle;
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
    const onProgress = ({ stage, done }) => this.progress(stage, done);
    const keep = `${this.id}-${++Card.analyses}`; // what the worker keeps for maps of this very analysis
    const result = await analyseForPage(this.blob, { ...this.options, keep, name: this.name, signal: controller.signal, onProgress });
    this.result?.preview?.close();
    this.result = { ...result, keep };
    this.show(this.result);
    return result;
  }

  // Asked for on the card itself, by a button that is gone by now: the result gets the focus that the button had.
  async analyseAgain(options) {
    this.node.focus();
    await this.analyse(options);
    if (this.node.contains(document.activeElement) || document.activeElement === document.body) this.node.focus();
  }

  progress(stage, done) {
    const stages = Object.keys(STAGE_NAMES);
    this.status.textContent = STAGE_NAMES[stage] ?? stage;
    this.bar.value = (stages.indexOf(stage) + Math.min(done, 1)) / stages.length;
  }

  show(result) {
    const { wording, document } = result;
    this.node.dataset.outcome = wording.outcome;
    this.node.classList.toggle("forced", wording.badge !== null);
    this.node.setAttribute("aria-busy", "false");
    this.bar.hidden = true;
    this.body.inert = false;
    this.status.textContent = wording.headline;
    this.body.replaceChildren(...this.pictures(result), this.words(wording, document), ...this.judgement(result));
    this.actions.replaceChildren(...this.buttons(wording, document));
  }

  pictures(result) {
    if (!result.preview) return [];
    if (result.bytes && !result.wording.gate.accepted) return [picturePair(this.name, result)];
    return [element("div", { className: "pictures" }, imageFigure(this.name, result, false))];
  }

  judgement(result) {
    return result.preview && result.bytes && result.wording.gate.accepted ? [gateDetails(this.name, result)] : [];
  }

  words(wording, document) {
    const { gate, findings, badge, details } = wording;
    const words = element("div", { className: "words" }, ...this.offers(gate?.offers ?? []), ...findings.map((finding) => findingBar(finding, badge, this.openerOf(finding.label, wording.explanations))));
    if (findings.length > 1) words.append(...this.openerOfAll(wording.explanations));
    words.append(...details.map((text) => element("p", { textContent: text })), ...refusedMeasures(gate));
    const times = Object.entries(document.timings);
    if (times.length) {
      const rows = times.map(([stage, time]) => element("tr", {}, element("th", { scope: "row", textContent: stage }), element("td", { textContent: `${time.toFixed(0)} ms` })));
      words.append(element("details", {}, element("summary", { textContent: "Time for each stage" }), element("table", {}, element("tbody", {}, ...rows))));
    }
    return words;
  }

  // The button that shows where the model looked for a finding; null where it can give no maps.
  openerOf(finding, explanations) {
    if (!explanations || !this.result.preview) return null;
    const opener = element("button", { type: "button", className: "finding-open", "aria-expanded": "false", "aria-controls": `${this.id}-explanations` }, finding, element("span", { className: "finding-hint", textContent: explanations.open }));
    opener.dataset.finding = finding;
    opener.onclick = () => this.explain(finding, opener);
    return opener;
  }

  openerOfAll(explanations) {
    const all = explanations?.findings.find(({ isAll }) => isAll);
    const opener = all ? this.openerOf(all.finding, explanations) : null;
    if (!opener) return [];
    opener.firstChild.textContent = all.name;
    return [element("p", {}, opener)];
  }

  explain(finding, opener) {
    if (!this.explanations) {
      this.explanations = new Explanations(this, this.result);
      this.body.after(this.explanations.node);
    }
    this.opener = opener;
    this.markOpener(opener);
    this.explanations.open(finding);
  }

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

  offers(offers) {
    return offers.map(({ correction, message, button }) => {
      const apply = element("button", { type: "button", textContent: button });
      apply.onclick = () => this.analyseAgain({ correction });
      return element("div", { className: "offer" }, element("p", { textContent: message }), apply);
    });
  }

  buttons(wording, document) {
    const save = element("button", { type: "button", textContent: "Save result (JSON)" });
    const file = [this.name, ...(isOneOfSeveral ? [this.bundle.name] : []), ...wording.marks, "sitegen", "json"].join(".");
    save.onclick = () => saveText(file, JSON.stringify({ ...document, ...this.explanations?.entries() }, null, 2));
    const remove = element("button", { type: "button", textContent: "Remove" });
    remove.onclick = () => this.remove();
    const back = wording.correction ? [this.wayBack(wording.correction)] : [];
    if (wording.outcome !== "refused") return [...back, save, remove];
    const anyway = element("button", { type: "button", textContent: "Analyse anyway…" });
    anyway.onclick = () => this.confirmForce(anyway);
    return [...back, anyway, save, remove];
  }

  wayBack({ undo }) {
    const back = element("button", { type: "button", textContent: undo });
    back.onclick = () => this.analyseAgain({});
    return back;
  }

  confirmForce(button) {
    const yes = element("button", { type: "button", textContent: "Yes, and mark it as forced" });
    yes.onclick = () => this.analyseAgain({ ...this.options, force: true });
    const text = element("span", { textContent: "The model never saw images like this; its answer means nothing. Really?" });
    button.replaceWith(text, yes);
    yes.focus();
  }
}
Card.count = 0;
Card.analyses = 0;

function findingBar({ label, share, mark, percent, verdict, above }, badge, opener) {
  const marks = badge ? [badge] : [];
  const spoken = [`${percent}, ${verdict}`, ...marks.map(({ long }) => long)].join(". ");
  const fill = element("span", { className: "bar-fill" });
  fill.style.width = `${100 * share}%`;
  const tick = element("span", { className: "bar-mark" });
  tick.style.left = `${100 * mark}%`;
  const bar = element("div", { className: "bar", role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * share), "aria-valuetext": spoken }, fill, tick);
  const badges = marks.map(({ short, long }) => element("span", { className: "badge", textContent: short, title: long }));
  const head = element("div", { className: "finding-head" }, element("strong", {}, opener ?? label, ...badges), element("span", { textContent: `${percent}, ${verdict}` }));
  const node = element("div", { className: `finding${above ? " above" : ""}` }, head, bar);
  if (opener) bar.onclick = () => opener.click(); // for the pointer: the button is there for all
  return node;
}

function saveText(name, text) {
  saveBlob(name, new Blob([text], { type: "application/json" }));
}

function saveBlob(name, blob) {
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
