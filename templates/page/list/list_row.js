// One image in the list: thumbnail, name, and what became of it in words.
const MARKS = { waiting: "", working: "", done: "", refused: "⊘", failed: "!", cancelled: "×" };

class ListRow {
  /** @param {WorkItem} item */
  constructor(item) {
    this.item = item;
    this.picture = element("img", { alt: "", className: "row-picture", decoding: "async" });
    this.mark = element("span", { className: "row-mark", "aria-hidden": "true" });
    this.name = element("span", { className: "row-name", textContent: captionOf(item), title: captionOf(item) });
    this.state = element("span", { className: "row-state" });
    this.bar = element("span", { className: "row-bar", "aria-hidden": "true" });
    const text = element("span", { className: "row-text" }, this.name, this.state);
    this.node = element("div", { className: "row", role: "option", id: `row-${item.number}` }, element("span", { className: "row-frame" }, this.picture, this.mark), text, this.bar);
    this.node.dataset.number = String(item.number);
    this.update();
  }

  update() {
    const { state, stage, share, summary, thumbnail } = this.item;
    this.node.dataset.state = state;
    this.node.classList.toggle("above", Boolean(summary?.isAbove) && !PENDING.has(state));
    this.mark.textContent = MARKS[state];
    const text = rowText(this.item);
    if (this.state.textContent !== text) this.state.textContent = text;
    this.bar.hidden = state !== "working" || stage === null;
    this.bar.style.width = `${100 * share}%`;
    this.picture.hidden = !thumbnail;
    if (thumbnail && this.picture.src !== thumbnail) this.picture.src = thumbnail;
  }

  /** @param {{ index: number, count: number, isSelected: boolean, isBeside: boolean, start: number, axis: "x" | "y" }} place */
  place({ index, count, isSelected, isBeside, start, axis }) {
    this.node.setAttribute("aria-posinset", String(index + 1));
    this.node.setAttribute("aria-setsize", String(count));
    this.node.setAttribute("aria-selected", String(isSelected));
    this.node.classList.toggle("beside", isBeside);
    this.node.style.transform = axis === "y" ? `translateY(${start}px)` : `translateX(${start}px)`;
  }
}

// What an image is called where people see it.
/** @param {WorkItem} item */
function captionOf({ name }) {
  return name;
}

/** @param {WorkItem} item */
function rowText({ state, stage, summary }) {
  if (state === "waiting") return "Waiting";
  if (state === "working") return stage ?? "Waiting";
  return summary?.row ?? state;
}
