// One image on the page: from the moment it is chosen to its result, whatever that is.
const STAGE_NAMES = { check: "Checking the file", pixels: "Scaling", gate: "Is it like the training images?", classifier: "Classifying", done: "Done" };

class Card {
  constructor(list, blob, name) {
    this.blob = blob;
    this.name = name;
    this.title = element("h3", { textContent: name, className: "card-name" });
    this.status = element("p", { className: "card-status", textContent: "Waiting" });
    this.bar = element("progress", { max: 1, "aria-label": `Progress of ${name}` });
    this.body = element("div", { className: "card-body" });
    this.actions = element("div", { className: "card-actions" });
    this.node = element("article", { className: "card", tabIndex: -1, "aria-busy": "true" }, element("header", {}, this.title), this.status, this.bar, this.body, this.actions);
    list.prepend(this.node);
  }

  async analyse(force = false) {
    const controller = new AbortController();
    const cancel = element("button", { type: "button", textContent: "Cancel" });
    cancel.onclick = () => controller.abort();
    this.actions.replaceChildren(cancel);
    this.node.setAttribute("aria-busy", "true");
    this.bar.hidden = false;
    const onProgress = ({ stage, done }) => this.progress(stage, done);
    const result = await analyseForPage(this.blob, { name: this.name, force, signal: controller.signal, onProgress });
    this.show(result);
    return result;
  }

  progress(stage, done) {
    const stages = Object.keys(STAGE_NAMES);
    this.status.textContent = STAGE_NAMES[stage] ?? stage;
    this.bar.value = (stages.indexOf(stage) + Math.min(done, 1)) / stages.length;
  }

  show(result) {
    const { wording, document } = result;
    this.node.dataset.outcome = wording.outcome;
    this.node.setAttribute("aria-busy", "false");
    this.bar.hidden = true;
    this.status.textContent = wording.headline;
    this.body.replaceChildren(...this.picture(result), this.words(wording, document));
    this.actions.replaceChildren(...this.buttons(wording, document));
  }

  picture(result) {
    if (!result.preview) return [];
    const refused = result.document.gate && !result.document.gate.accepted;
    const canvas = element("canvas", { role: "img", "aria-label": `The image ${this.name}${refused ? ", with the places unlike the training images in red" : ""}` });
    drawPicture(canvas, result, refused);
    const figure = element("figure", { className: "picture" }, canvas);
    if (result.bytes) {
      const box = element("input", { type: "checkbox", checked: refused });
      box.onchange = () => drawPicture(canvas, result, box.checked);
      figure.append(element("figcaption", {}, element("label", {}, box, " Show where the image differs from its reconstruction")));
    }
    return [figure];
  }

  words(wording, document) {
    const details = wording.details.map((text) => element("p", { textContent: text }));
    const words = element("div", { className: "words" }, ...wording.findings.map(findingBar), ...details);
    const times = Object.entries(document.timings);
    if (times.length) {
      const rows = times.map(([stage, time]) => element("tr", {}, element("th", { scope: "row", textContent: stage }), element("td", { textContent: `${time.toFixed(0)} ms` })));
      words.append(element("details", {}, element("summary", { textContent: "Time for each stage" }), element("table", {}, element("tbody", {}, ...rows))));
    }
    return words;
  }

  buttons(wording, document) {
    const save = element("button", { type: "button", textContent: "Save result (JSON)" });
    save.onclick = () => saveText(`${this.name}.sitegen.json`, JSON.stringify(document, null, 2));
    const remove = element("button", { type: "button", textContent: "Remove" });
    remove.onclick = () => this.node.remove();
    if (wording.outcome !== "refused") return [save, remove];
    const anyway = element("button", { type: "button", textContent: "Analyse anyway…" });
    anyway.onclick = () => this.confirmForce(anyway);
    return [anyway, save, remove];
  }

  confirmForce(button) {
    const yes = element("button", { type: "button", textContent: "Yes, and mark it as forced" });
    yes.onclick = () => this.analyse(true);
    const text = element("span", { textContent: "The model never saw images like this; its answer means nothing. Really?" });
    button.replaceWith(text, yes);
    yes.focus();
  }
}

function findingBar({ label, share, mark, percent, verdict, above }) {
  const fill = element("span", { className: "bar-fill" });
  fill.style.width = `${100 * share}%`;
  const tick = element("span", { className: "bar-mark" });
  tick.style.left = `${100 * mark}%`;
  const bar = element("div", { className: "bar", role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * share), "aria-valuetext": `${percent}, ${verdict}` }, fill, tick);
  const head = element("div", { className: "finding-head" }, element("strong", { textContent: label }), element("span", { textContent: `${percent}, ${verdict}` }));
  return element("div", { className: `finding${above ? " above" : ""}` }, head, bar);
}

function saveText(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
