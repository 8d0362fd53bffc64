// Where a page has several models, an open image can be asked of each of them: it is one more image of the list, shown beside the first.

/** @param {Card} card */
function askOthers(card) {
  const others = SITE.bundles.filter((bundle) => bundle !== card.bundle);
  if (!others.length) return [];
  const buttons = others.map((bundle) => element("button", { type: "button", className: "small", textContent: bundle.title, "data-action": `ask ${bundle.name}`, onclick: () => askModel(card, bundle) }));
  return [element("div", { className: "ask-models", role: "group", "aria-label": "Ask another model about this image" }, element("span", { textContent: "Ask another model: " }), ...buttons)];
}

// Who was asked before is not asked again.
/** @param {Card} card @param {BundleEntry} bundle */
function askModel({ item, desk: { list } }, bundle) {
  const asked = list.items.find((other) => other.blob === item.blob && other.bundle === bundle);
  if (asked) list.select(asked);
  else list.add([item], bundle);
  list.compareWith(item);
}
