// Above the list: how many images there are and how far they are, which of them are shown in which order, and what can be done
// with all of them.
class ListHead {
  /** @param {WorkList} list @param {Batch} batch @param {WorkQueue} queue @param {HTMLElement} node @param {(items: WorkItem[]) => void} onRemove */
  constructor(list, batch, queue, node, onRemove) {
    this.list = list;
    this.batch = batch;
    this.count = element("p", { className: "list-count" });
    this.bar = element("progress", { "aria-label": "Progress of all images", hidden: true });
    this.left = element("span", { className: "hint" });
    this.filter = this.select("Show", FILTERS, (filter) => list.show({ filter }));
    this.order = this.select("Order", ORDERS, (order) => list.show({ order }));
    this.pause = this.button("Pause", () => list.show({ isPaused: !list.isPaused }));
    this.cancel = this.button("Cancel the rest", () => queue.cancelRest());
    this.retry = this.button("Retry failed", () => queue.retry(list.items.filter(FILTERS.failed.holds)));
    this.removeAll = this.button("Remove all", () => onRemove(list.items));
    this.undo = this.button("Undo the removal", () => list.undoRemoval());
    this.choices = element("div", { className: "list-choices" }, this.filter.label, this.order.label);
    const buttons = element("div", { className: "list-buttons" }, this.pause, this.cancel, this.retry, this.removeAll, this.undo);
    this.node = node;
    node.append(element("div", { className: "list-facts" }, this.count, this.left), this.bar, this.choices, buttons);
    this.isAwaited = false;
    list.listen(({ kind }) => (kind === "item" ? this.later() : this.draw()));
  }

  // Progress comes many times a second.
  later() {
    if (this.isAwaited) return;
    this.isAwaited = true;
    setTimeout(() => {
      this.isAwaited = false;
      this.draw();
    }, 100);
  }

  /** @param {string} text @param {() => void} act */
  button(text, act) {
    return element("button", { type: "button", textContent: text, className: "small", onclick: act });
  }

  /** @template {string} K @param {string} name @param {Record<K, { name: string }>} choices @param {(choice: K) => void} apply */
  select(name, choices, apply) {
    const options = Object.entries(choices).map(([value, choice]) => element("option", { value, textContent: /** @type {{ name: string }} */ (choice).name }));
    const select = element("select", { name: `list-${name.toLowerCase()}`, autocomplete: "off" }, ...options);
    select.onchange = () => apply(/** @type {K} */ (select.value));
    return { select, options, label: element("label", {}, `${name} `, select) };
  }

  draw() {
    const { list, batch } = this;
    const { items, isPaused } = list;
    const pending = items.filter(FILTERS.pending.holds);
    const failed = items.filter(FILTERS.failed.holds);
    const isMany = items.length > 1;
    this.count.textContent = isMany ? `${items.length - pending.length} of ${items.length} images done` : `${items.length} image`;
    this.bar.hidden = !isMany || !pending.length;
    this.bar.max = Math.max(1, items.length);
    this.bar.value = items.length - pending.length + pending.reduce((sum, { share }) => sum + Math.min(share, 1), 0);
    const seconds = batch.timeLeft();
    this.left.textContent = isPaused && pending.length ? "Paused" : seconds === null ? "" : timeInWords(seconds);
    this.choices.hidden = !isMany;
    this.showChoices();
    const wasActive = document.activeElement;
    this.pause.hidden = !isMany || !(pending.length || isPaused);
    this.pause.textContent = isPaused ? "Go on" : "Pause";
    this.cancel.hidden = !isMany || !pending.length;
    this.retry.hidden = !failed.length || !isMany;
    this.removeAll.hidden = !isMany;
    this.undo.hidden = !list.before;
    if (wasActive instanceof HTMLElement && wasActive.hidden && this.node.contains(wasActive)) this.keepFocus();
  }

  // A button that had the focus has nothing left to do.
  keepFocus() {
    if (!this.undo.hidden) this.undo.focus();
    else part("rows", HTMLElement).focus();
  }

  showChoices() {
    const { items, filter, order } = this.list;
    for (const option of this.filter.options) {
      const { name, holds } = FILTERS[/** @type {WorkFilter} */ (option.value)];
      option.textContent = `${name} (${items.filter(holds).length})`;
    }
    this.filter.select.value = filter;
    this.order.select.value = order;
  }
}
