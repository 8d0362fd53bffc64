// The findings of an image as a table, with its roles spelled out because narrow panes lay it out as blocks: those above their threshold first and the others folded away, or all in the model's own
// order. One of them is chosen, and below it stands what it means.
const FOLDED_FROM = 5; // fewer are shown at once
let isModelsOrder = false; // kept for all images of this visit
/** @type {Set<string>} */
const unfoldedBundles = new Set();

class FindingsTable {
  /** @param {Card} card @param {AnalysisResult} result */
  constructor(card, { wording }) {
    this.card = card;
    this.badge = wording.badge;
    this.maps = wording.explanations ?? null;
    this.findings = wording.findings;
    /** @type {Map<string, { row: HTMLTableRowElement, name: HTMLButtonElement }>} */
    this.rows = new Map();
    this.chosen = this.sorted()[0]?.label ?? "";
    this.body = element("tbody", { role: "rowgroup" });
    this.others = element("tbody", { className: "others", role: "rowgroup" });
    this.fold = element("button", { type: "button", className: "fold", "data-action": "fold", onclick: () => this.toggle() });
    const box = element("input", { type: "checkbox", checked: isModelsOrder, "data-action": "order", autocomplete: "off" });
    box.onchange = () => {
      isModelsOrder = box.checked;
      this.draw();
    };
    this.order = element("label", { className: "own-order" }, box, " In the model's own order");
    this.meaning = element("tr", { className: "meaning", role: "row" });
    this.node = element("div", { className: "findings" }, this.table(), this.fold, ...this.allTogether(), this.order);
    this.draw();
  }

  table() {
    const last = this.maps ? [element("th", { scope: "col", role: "columnheader" }, element("span", { className: "hidden", textContent: "Where the model looked" }))] : [];
    const ends = element("span", { className: "scale-ends", "aria-hidden": "true" }, element("span", { textContent: "0 %" }), element("span", { textContent: "100 %" }));
    const scale = element("th", { scope: "col", role: "columnheader" }, element("span", { className: "hidden", textContent: "What the model says; the mark is the threshold" }), ends);
    const head = element("tr", { role: "row" }, element("th", { scope: "col", role: "columnheader", textContent: "Finding" }), scale, ...last);
    return element("table", { className: "findings-table", role: "table" }, element("caption", { className: "hidden", textContent: SITE.words.work_list.findings.replace("{name}", () => this.card.name) }), element("thead", { role: "rowgroup" }, head), this.body, this.others);
  }

  // Those above first, then by how near they are; Python ranks them.
  sorted() {
    return [...this.findings].sort((one, other) => one.rank - other.rank);
  }

  get isFolding() {
    return !isModelsOrder && this.findings.length >= FOLDED_FROM;
  }

  draw() {
    const { isFolding } = this;
    const sorted = isModelsOrder ? this.findings : this.sorted();
    keepingFocus(this.node, () => {
      this.body.replaceChildren(...sorted.filter(({ above }) => above || !isFolding).map((finding) => this.row(finding)));
      this.others.replaceChildren(...sorted.filter(({ above }) => !above && isFolding).map((finding) => this.row(finding)));
      this.order.hidden = this.findings.length < 2;
      this.showFold();
      this.choose(this.chosen, false);
    });
  }

  showFold() {
    const count = this.others.querySelectorAll(".finding").length;
    const isOpen = unfoldedBundles.has(this.card.bundle.name);
    this.fold.hidden = !count;
    this.fold.setAttribute("aria-expanded", String(isOpen));
    const all = count === this.findings.length ? "all " : "";
    this.fold.textContent = isOpen ? `Hide those below their threshold` : `Show ${all}${count} below ${count === 1 ? "its" : "their"} threshold`;
    this.others.hidden = !isOpen;
  }

  toggle(isOpen = this.others.hidden) {
    if (isOpen) unfoldedBundles.add(this.card.bundle.name);
    else unfoldedBundles.delete(this.card.bundle.name);
    this.showFold();
  }

  /** @param {FindingWords} finding */
  row(finding) {
    const known = this.rows.get(finding.label);
    if (known) return known.row;
    const { label, text, weak, above, absence } = finding;
    const name = element("button", { type: "button", className: "finding-name", textContent: label, "data-action": `name ${label}`, "aria-expanded": "false" });
    name.onclick = () => this.choose(this.chosen === label && !this.meaning.hidden ? "" : label);
    const badges = this.badge ? [badgeMark(this.badge)] : [];
    const caution = weak ? [element("p", { className: "hint", textContent: weak })] : [];
    const cells = [
      element("th", { scope: "row", role: "rowheader" }, element("strong", {}, name, ...badges)),
      element("td", { role: "cell" }, element("span", { className: "finding-text", textContent: text }), findingBar(finding), ...caution),
    ];
    const opener = this.opener(label, "Map", ` of ${label}`);
    if (opener) cells.push(element("td", { role: "cell" }, opener));
    const row = element("tr", { className: "finding", role: "row", "data-finding": label }, ...cells);
    row.classList.toggle("above", above);
    row.classList.toggle("absence", absence);
    this.rows.set(label, { row, name });
    return row;
  }

  // The button that shows where the model looked for a finding; null where it can give no maps.
  /** @param {string} finding @param {string} text @param {string} more for those who do not see the row */
  opener(finding, text, more) {
    const { maps, card } = this;
    if (!maps) return null;
    const opener = element("button", { type: "button", className: "finding-open", "aria-expanded": "false", "aria-controls": `${card.id}-explanations`, title: maps.open, "data-action": `map-${finding}` }, text, element("span", { className: "hidden", textContent: more }));
    opener.dataset.finding = finding;
    opener.onclick = () => {
      if (this.rows.has(finding)) this.choose(finding);
      card.explain(finding, opener);
    };
    return opener;
  }

  allTogether() {
    const all = this.maps?.findings.find(({ isAll }) => isAll);
    const opener = all ? this.opener(all.finding, `Map of ${all.name.toLowerCase()}`, "") : null;
    return opener ? [element("p", {}, opener)] : [];
  }

  // Shows what a finding means; nothing for "".
  /** @param {string} label */
  choose(label, isAsked = true) {
    this.chosen = label;
    for (const [each, { row, name }] of this.rows) {
      row.classList.toggle("chosen", each === label);
      name.setAttribute("aria-expanded", String(each === label));
      if (each === label) name.setAttribute("aria-controls", `${this.card.id}-meaning`);
      else name.removeAttribute("aria-controls");
    }
    const finding = this.findings.find((each) => each.label === label);
    this.meaning.hidden = !finding;
    if (!finding) return this.meaning.remove();
    this.meaning.replaceChildren(element("td", { role: "cell", colSpan: this.maps ? 3 : 2 }, meaningOf(finding, `${this.card.id}-meaning`)));
    const row = this.row(finding);
    row.after(this.meaning);
    if (isAsked && this.others.contains(row)) this.toggle(true);
  }
}

// Fill and mark are borders: printers, forced colours and grey leave those.
/** @param {FindingWords} finding */
function findingBar({ label, share, mark, value, spoken }) {
  const fill = element("span", { className: "bar-fill" });
  fill.style.width = `${100 * share}%`;
  const tick = element("span", { className: "bar-mark" });
  tick.style.left = `${100 * mark}%`;
  return element("div", { className: "bar", role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": value, "aria-valuetext": spoken }, fill, tick);
}

/** @param {Badge} badge */
function badgeMark({ short, long }) {
  return element("span", { className: "badge", textContent: short, title: long });
}
