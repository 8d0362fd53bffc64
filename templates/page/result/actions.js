// What can be done with an image: corrections that the gate offers, forcing, saving, removing.

/** @param {Card} card @param {OfferWords[]} offers */
function offersOf(card, offers) {
  return offers.map(({ correction, message, button }) => {
    const apply = element("button", { type: "button", textContent: button, "data-action": `offer-${correction}` });
    apply.onclick = () => card.analyseAgain({ correction });
    return element("div", { className: "offer" }, element("p", { textContent: message }), apply);
  });
}

/** @param {Card} card @param {AnalysisResult} result */
function actionsOf(card, { wording, document }) {
  const { item } = card;
  const save = element("button", { type: "button", textContent: "Save result (JSON)", "data-action": "save" });
  const file = [item.name, ...(isOneOfSeveral ? [item.bundle.name] : []), ...wording.marks, "sitegen", "json"].join(".");
  save.onclick = () => {
    saveText(file, JSON.stringify({ ...document, ...card.explanations?.entries(), ...triedOf(item), ...projectionOf(item) }, null, 2));
    card.desk.list.change(item, { isSaved: true });
  };
  const retry = wording.outcome === "failed" ? [element("button", { type: "button", textContent: "Try again", "data-action": "retry", onclick: () => card.analyseAgain(item.options) })] : [];
  if (item.away !== null) return [save, removing(card)];
  const back = wording.correction ? [wayBack(card, wording.correction)] : [];
  const anyway = wording.force ? [forcing(card, wording.force)] : [];
  return [...back, ...anyway, ...retry, save, removing(card)];
}

/** @param {Card} card */
function removing(card) {
  return element("button", { type: "button", textContent: "Remove", "data-action": "remove", onclick: () => card.desk.onRemove([card.item]) });
}

/** @param {Card} card @param {{ undo: string }} correction */
function wayBack(card, { undo }) {
  return element("button", { type: "button", textContent: undo, "data-action": "undo", onclick: () => card.analyseAgain({}) });
}

// The button that asks once more before it does what it says.
/** @param {Card} card @param {ForceWords} words */
function forcing(card, { button, question, confirm }) {
  const anyway = element("button", { type: "button", textContent: button, "data-action": "force" });
  anyway.onclick = () => {
    const yes = element("button", { type: "button", textContent: confirm, onclick: () => card.analyseAgain({ ...card.item.options, force: true }) });
    const no = element("button", { type: "button", textContent: "No" });
    const asked = element("span", { className: "question", role: "group", "aria-label": question }, element("span", { textContent: question }), yes, no);
    no.onclick = () => {
      asked.replaceWith(anyway);
      anyway.focus();
    };
    asked.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      no.click();
    };
    anyway.replaceWith(asked);
    yes.focus();
  };
  return anyway;
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
