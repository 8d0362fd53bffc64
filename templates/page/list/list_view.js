// The list of images, of which only the rows in sight are elements: hundreds cost no more than a few. It is one tab stop; arrow
// keys choose, and what is chosen is shown at once. It runs down, or on screens of medium width across.
const BEYOND = 3; // rows beyond the edges
const TYPING_MS = 700; // then letters begin another name

class ListView {
  /** @param {WorkList} list @param {HTMLElement} node @param {(items: WorkItem[]) => void} onRemove */
  constructor(list, node, onRemove) {
    this.list = list;
    this.node = node;
    this.onRemove = onRemove;
    /** @type {"x" | "y"} */
    this.axis = "y";
    this.space = element("div", { className: "rows-space", role: "presentation" });
    this.sample = element("div", { className: "row row-sample", "aria-hidden": "true" });
    node.append(this.sample, this.space);
    /** @type {Map<WorkItem, ListRow>} */
    this.rows = new Map();
    /** @type {WorkItem[]} */
    this.shown = [];
    this.typed = "";
    this.typing = 0;
    this.isAwaited = false;
    list.listen((event) => this.hear(event));
    node.addEventListener("scroll", () => this.later());
    node.addEventListener("keydown", (event) => this.press(event));
    node.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.measure()).observe(node);
  }

  /** @param {WorkEvent} event */
  hear(event) {
    if (event.kind === "item") {
      this.rows.get(event.item)?.update();
      if (this.list.order === "added" && this.list.filter === "all") return;
      if (event.fields.state === undefined) return;
    }
    if (event.kind === "items" || event.kind === "selected") {
      this.draw(); // at once: focus and aria-activedescendant follow
      if (event.kind === "selected") this.reveal();
    } else this.later();
  }

  // At most once a frame; where frames do not come, as in a tab behind another, with the next event.
  later() {
    if (this.isAwaited) return;
    this.isAwaited = true;
    requestAnimationFrame(() => {
      this.isAwaited = false;
      this.draw();
    });
  }

  measure() {
    this.learnLength();
    this.draw();
    this.reveal();
  }

  learnLength() {
    this.axis = getComputedStyle(this.node).getPropertyValue("--axis").trim() === "x" ? "x" : "y";
    this.node.setAttribute("aria-orientation", this.axis === "y" ? "vertical" : "horizontal");
    const { width, height } = this.sample.getBoundingClientRect();
    this.length = this.axis === "y" ? height : width;
  }

  length = 0; // of a row; not known while the list is hidden

  draw() {
    const { list, node } = this;
    this.shown = list.visible();
    if (!this.length) this.learnLength();
    const { axis, length } = this;
    if (!length) return;
    const count = this.shown.length;
    const [offset, extent] = axis === "y" ? [node.scrollTop, node.clientHeight] : [node.scrollLeft, node.clientWidth];
    this.space.style.height = axis === "y" ? `${count * length}px` : "100%";
    this.space.style.width = axis === "y" ? "100%" : `${count * length}px`;
    const first = Math.max(0, Math.floor(offset / length) - BEYOND);
    const last = Math.min(count, Math.ceil((offset + extent) / length) + BEYOND);
    const selected = list.selected ? this.shown.indexOf(list.selected) : -1;
    const wanted = new Map(this.shown.slice(first, last).map((item, index) => [item, first + index]));
    if (selected >= 0) wanted.set(this.shown[selected], selected); // it is the active descendant
    for (const [item, row] of this.rows) {
      if (wanted.has(item)) continue;
      row.node.remove();
      this.rows.delete(item);
    }
    for (const [item, index] of wanted) this.rowOf(item).place({ index, count, isSelected: item === list.selected, isBeside: item === list.beside, start: index * length, axis });
    if (selected >= 0) node.setAttribute("aria-activedescendant", `row-${this.shown[selected].number}`);
    else node.removeAttribute("aria-activedescendant");
  }

  /** @param {WorkItem} item */
  rowOf(item) {
    const known = this.rows.get(item);
    if (known) return known;
    const row = new ListRow(item);
    this.rows.set(item, row);
    this.space.append(row.node);
    return row;
  }

  // Scrolls no more than is needed for the selected row to be seen.
  reveal() {
    const { node, axis, length } = this;
    const index = this.list.selected ? this.shown.indexOf(this.list.selected) : -1;
    if (index < 0 || !length) return;
    const [offset, extent] = axis === "y" ? [node.scrollTop, node.clientHeight] : [node.scrollLeft, node.clientWidth];
    const start = index * length;
    const wanted = start < offset ? start : start + length > offset + extent ? start + length - extent : offset;
    if (wanted === offset) return;
    if (axis === "y") node.scrollTop = wanted;
    else node.scrollLeft = wanted;
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.shown.length) return;
    const index = this.list.selected ? this.shown.indexOf(this.list.selected) : -1;
    const page = Math.max(1, Math.floor((this.axis === "y" ? this.node.clientHeight : this.node.clientWidth) / this.length) - 1);
    /** @type {Record<string, number>} */
    const places = { ArrowDown: index + 1, ArrowRight: index + 1, ArrowUp: index - 1, ArrowLeft: index - 1, Home: 0, End: this.shown.length - 1, PageDown: index + page, PageUp: index - page };
    if (event.key in places) this.choose(places[event.key]);
    else if (event.key === "Delete" && index >= 0) this.onRemove([this.shown[index]]);
    else if (event.key.length === 1 && (event.key !== " " || this.typed)) this.type(event.key);
    else return;
    event.preventDefault();
  }

  /** @param {number} index */
  choose(index) {
    this.list.select(this.shown[Math.min(this.shown.length - 1, Math.max(0, index))]);
  }

  // The next name that begins with what is typed.
  /** @param {string} letter */
  type(letter) {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => (this.typed = ""), TYPING_MS);
    this.typed += letter.toLowerCase();
    const from = this.list.selected ? this.shown.indexOf(this.list.selected) : -1;
    const start = this.typed.length === 1 ? from + 1 : Math.max(0, from);
    const order = [...this.shown.slice(start), ...this.shown.slice(0, start)];
    const found = order.find((item) => captionOf(item).toLowerCase().startsWith(this.typed));
    if (found) this.list.select(found);
  }

  /** @param {MouseEvent} event */
  click({ target }) {
    const row = target instanceof Element ? target.closest(".row[role=option]") : null;
    const found = row && [...this.rows.values()].find(({ node }) => node === row);
    if (found) this.list.select(found.item);
  }
}
