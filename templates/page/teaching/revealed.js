// After the answer: the student's beside the model's and the label, where each was shown, and the score.

/** @param {Card} card @param {AnalysisResult} result */
function revealedAnswer({ item }, result) {
  const { lesson } = item;
  if (!lesson?.said) return [];
  const { said, labels, model, boxes, places } = lesson;
  const { image } = result.document;
  const inWords = (/** @type {boolean | undefined} */ is) => (is === undefined ? LESSONS.unknown : is ? LESSONS.yes : LESSONS.no);
  const rows = item.bundle.labels.map((label) => {
    const own = boxes.filter((box) => box.label === label);
    const place = places[label];
    const where = place && own.length ? ` (${own.some((box) => isInside(box, place, image)) ? LESSONS.inside : LESSONS.outside})` : "";
    const truth = labels?.[label] ?? (labels ? undefined : model?.[label]);
    const row = element("tr", {}, element("th", { scope: "row", textContent: label }), element("td", { textContent: inWords(said[label]) + where }), element("td", { textContent: model ? inWords(model[label]) : LESSONS.refused }), ...(labels ? [element("td", { textContent: inWords(labels[label]) })] : []));
    row.classList.toggle("differs", truth !== undefined && truth !== said[label]);
    return row;
  });
  const names = [LESSONS.finding, LESSONS.you, LESSONS.model, ...(labels ? [LESSONS.label] : [])];
  const head = element("tr", {}, ...names.map((textContent) => element("th", { scope: "col", textContent })));
  const table = element("table", { className: "answer-table" }, element("caption", { textContent: LESSONS.revealed }), element("thead", {}, head), element("tbody", {}, ...rows));
  return [element("section", { className: "revealed", "aria-label": LESSONS.revealed }, table, ...placesShown(lesson, result), element("p", { className: "score", textContent: scoreInWords() }))];
}

/** @param {Lesson} lesson @param {AnalysisResult} result */
function placesShown({ places, boxes }, result) {
  if (!result.preview || !(Object.keys(places).length || boxes.length)) return [];
  const picture = new PlacedPicture(/** @type {DrawnAnalysis} */ (result), LESSONS.picture_plain);
  picture.show(places, boxes, result.document.image);
  return [picture.node, ...(boxes.length ? [element("p", { className: "hint", textContent: LESSONS.boxes })] : [])];
}
