// The dialogue behind the bar's "Report": what to put in, and in which form.
class ReportDialogue {
  /** @param {HTMLButtonElement} opener */
  constructor(opener) {
    this.opener = opener;
    /** @type {AbortController | null} */
    this.work = null;
    this.which = this.choices("report-which", { all: "", shown: "", selected: REPORT.which_selected }, "all");
    this.names = element("input", { type: "checkbox", autocomplete: "off" });
    this.pictures = element("input", { type: "checkbox", checked: true, autocomplete: "off" });
    this.maps = element("select", { name: "report-maps", autocomplete: "off" }, ...["open", "none", "first", "above"].map((value) => element("option", { value, textContent: REPORT[`maps_${value}`] })));
    this.note = element("textarea", { id: "report-note", rows: 3, autocomplete: "off" });
    this.pictures.onchange = () => (this.maps.disabled = !this.pictures.checked);
    const tick = (/** @type {HTMLInputElement} */ box, /** @type {string} */ text) => element("label", { className: "tick" }, box, ` ${text}`);
    const note = element("label", { htmlFor: "report-note", textContent: REPORT.note_all });
    this.choice = element("fieldset", {}, element("legend", { textContent: REPORT.choose }), this.which.node, tick(this.pictures, REPORT.pictures), element("label", {}, `${REPORT.maps} `, this.maps), tick(this.names, REPORT.names), note, this.note);
    this.buttons = element("div", { className: "card-actions" }, ...this.actions());
    this.status = element("p", { role: "status", className: "report-status" });
    this.bar = element("progress", { "aria-label": REPORT.title, hidden: true });
    this.stop = element("button", { type: "button", textContent: "Cancel", hidden: true, onclick: () => this.work?.abort() });
    this.shut = element("button", { type: "button", textContent: "Close", onclick: () => this.node.close() });
    const session = element("p", { className: "hint", textContent: REPORT.session_hint });
    const end = element("div", { className: "card-actions" }, this.bar, this.stop, this.shut);
    this.node = element("dialog", { className: "report-dialogue", "aria-labelledby": "report-heading" }, element("h2", { id: "report-heading", textContent: REPORT.title }), this.choice, this.buttons, session, this.status, end);
    this.node.addEventListener("close", () => this.leave());
    document.body.append(this.node);
    opener.addEventListener("click", () => this.open());
    workList.listen(({ kind }) => kind === "items" && (opener.hidden = !workList.items.length));
  }

  /** @param {string} name @param {Record<string, string>} texts @param {string} value */
  choices(name, texts, value) {
    const radios = Object.entries(texts).map(([choice, textContent]) => {
      const radio = element("input", { type: "radio", name, value: choice, checked: choice === value, autocomplete: "off" });
      const text = element("span", { textContent });
      return { radio, text, label: element("label", { className: "tick" }, radio, " ", text) };
    });
    return { radios, node: element("div", { role: "radiogroup", "aria-label": REPORT.which }, ...radios.map(({ label }) => label)) };
  }

  actions() {
    const button = (/** @type {string} */ name, /** @type {() => Promise<unknown>} */ act) => element("button", { type: "button", textContent: REPORT[name], "data-action": name, onclick: () => this.run(act) });
    return [
      button("save", () => this.saveReport()),
      button("print", () => this.printReport()),
      button("csv", () => this.saveFile("csv", csvFile)),
      button("json", () => this.saveFile("json", jsonFile)),
      button("session", () => this.saveFile("session.json", sessionFile)),
    ];
  }

  open() {
    const { radios } = this.which;
    for (const { radio, text } of radios.slice(0, 2)) text.textContent = filledIn(REPORT[`which_${radio.value}`], { count: reportItems(/** @type {ReportChoice["which"]} */ (radio.value)).length });
    this.status.textContent = reportItems("all").length ? "" : REPORT.nothing;
    if (this.node.showModal) this.node.showModal();
    else this.node.setAttribute("open", ""); // old browsers know no dialogues
  }

  leave() {
    this.work?.abort();
    this.opener.focus();
  }

  /** @returns {ReportChoice} */
  chosen() {
    const which = /** @type {ReportChoice["which"]} */ (this.which.radios.find(({ radio }) => radio.checked)?.radio.value);
    return { which, hasNames: this.names.checked, hasPictures: this.pictures.checked, maps: /** @type {ReportChoice["maps"]} */ (this.maps.value), note: this.note.value };
  }

  // One thing at a time, which can be cancelled.
  /** @param {() => Promise<unknown>} act */
  async run(act) {
    if (!reportItems(this.chosen().which).length) return this.say(REPORT.nothing);
    const asked = document.activeElement;
    this.work = new AbortController();
    this.busy(true);
    try {
      await act();
    } catch (error) {
      this.say(filledIn(REPORT.failed, { reason: /** @type {Error} */ (error).message }));
    }
    this.busy(false);
    this.work = null;
    if (this.node.open && asked instanceof HTMLElement) asked.focus();
  }

  /** @param {boolean} isBusy */
  busy(isBusy) {
    this.choice.disabled = isBusy;
    for (const button of this.buttons.querySelectorAll("button")) button.disabled = isBusy;
    this.bar.hidden = this.stop.hidden = !isBusy;
    this.bar.removeAttribute("value");
    if (isBusy) this.stop.focus();
  }

  /** @param {string} text */
  say(text) {
    this.status.textContent = text;
  }

  /** @param {number} number @param {number} count */
  progress(number, count) {
    this.bar.max = count;
    this.bar.value = number - 1;
    this.say(filledIn(REPORT.working, { number, count }));
  }

  async makeReport() {
    const signal = /** @type {AbortController} */ (this.work).signal;
    const report = await reportOf(this.chosen(), signal, (number, count) => this.progress(number, count));
    if (!report) this.say(REPORT.cancelled);
    return report;
  }

  async saveReport() {
    const report = await this.makeReport();
    if (report) this.keep("html", reportFile(report.node), report.items);
  }

  async printReport() {
    const report = await this.makeReport();
    if (!report) return;
    this.say("");
    await printReport(report.node);
  }

  /** @param {string} ending @param {(choice: ReportChoice) => Promise<{ blob: Blob, items: WorkItem[] }>} make */
  async saveFile(ending, make) {
    const { blob, items } = await make(this.chosen());
    this.keep(ending, blob, items);
  }

  /** @param {string} ending @param {Blob} blob @param {WorkItem[]} items */
  keep(ending, blob, items) {
    const file = `sitegen-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${ending}`;
    saveBlob(file, blob);
    for (const item of items) workList.change(item, { isSaved: true });
    this.say(filledIn(REPORT.saved, { file }));
  }
}

const reportDialogue = new ReportDialogue(part("report", HTMLButtonElement));
