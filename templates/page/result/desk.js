// What is looked at: the card of the selected image, and where two are compared the other one's beside it.
class Desk {
  /** @param {HTMLElement} node @param {WorkList} list @param {WorkQueue} queue @param {KeptResults} kept @param {(items: WorkItem[]) => void} onRemove */
  constructor(node, list, queue, kept, onRemove) {
    this.node = node;
    this.list = list;
    this.queue = queue;
    this.kept = kept;
    this.onRemove = onRemove;
    /** @type {Map<WorkItem, Card>} */
    this.cards = new Map();
    list.listen((event) => this.hear(event));
    kept.onRelease = (item) => {
      if (!kept.isShown(item)) this.discard(item);
    };
  }

  // The card of an image that is or was shown; null where there is none.
  /** @param {WorkItem} item */
  cardOf(item) {
    return this.cards.get(item) ?? null;
  }

  // The maps that stand open beside an image, in sight or not.
  /** @param {WorkItem} item */
  openMaps(item) {
    return this.cardOf(item)?.explanations?.remembered() ?? item.maps;
  }

  /** @param {WorkEvent} event */
  hear(event) {
    if (event.kind === "selected") return this.display();
    if (event.kind === "items") return this.tidy();
    if (event.kind !== "item") return;
    const { item, fields } = event;
    if (!this.kept.isShown(item)) {
      if (fields.state !== undefined) this.discard(item);
    } else if (fields.state !== undefined || fields.stage !== undefined) this.cards.get(item)?.update();
  }

  display() {
    const { selected, beside } = this.list;
    const shown = [selected, beside].filter((item) => item !== null);
    const nodes = shown.map((item) => this.made(item).node);
    this.node.classList.toggle("two", nodes.length > 1);
    if (nodes.some((node, index) => this.node.children[index] !== node) || this.node.children.length !== nodes.length) this.node.replaceChildren(...nodes);
    this.tidy();
  }

  /** @param {WorkItem} item */
  made(item) {
    const known = this.cards.get(item);
    if (known) {
      this.kept.get(item); // it was looked at just now
      return known;
    }
    const card = new Card(item, this);
    this.cards.set(item, card);
    return card;
  }

  tidy() {
    for (const item of [...this.cards.keys()]) {
      const isThere = this.list.items.includes(item);
      if (!isThere || (!this.kept.isShown(item) && !this.kept.held.has(item))) this.discard(item);
    }
  }

  /** @param {WorkItem} item */
  discard(item) {
    this.cards.get(item)?.close();
    this.cards.delete(item);
  }
}
