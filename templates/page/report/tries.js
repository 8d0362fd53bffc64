// What a report says of regions that were tried: where they are, what stood in them, and what each changed.

// The image with its regions, by their numbers.
/** @param {WorkItem} item @param {ImageBitmap} preview @param {DrawnAnalysis | UndrawnAnalysis} result */
function triedPicture({ tries }, preview, result) {
  if (!tries.length || "error" in result.document) return null;
  const size = analysedSize(/** @type {DrawnAnalysis} */ ({ ...result, preview }));
  const canvas = pictureOf(preview, result, true);
  const { width, height } = canvas;
  const place = { left: 0, top: 0, width, height, across: width / size.width, down: height / size.height };
  const { correction } = result.document;
  for (const [index, { entry }] of tries.entries()) {
    const regions = entry.regions.map((region) => regionInPicture(/** @type {Region} */ (region), size, correction));
    paintTried(penOf(canvas), place, regions, index + 1, width / SMALLEST_SIDE);
  }
  return asJpeg(canvas);
}

/** @param {Try} tried @param {number} number */
function printedTry({ entry, wording }, number) {
  const places = entry.regions.slice(0, 8).map((region) => region.map((length) => Math.round(10 * length) / 10).join(", "));
  const where = filledIn(WHAT_IF.place, { places: [...places, ...(entry.regions.length > places.length ? ["…"] : [])].join("; ") });
  const said = [`${wording.title}. ${wording.summary}`, where, ...(wording.gate ? [wording.gate.text] : [])];
  return made("section", { class: "meaning" }, made("h3", {}, filledIn(WHAT_IF.region, { number })), ...said.map((text) => made("p", {}, text)));
}

/** @param {Try[]} tries with answers */
function printedChanges(tries) {
  const head = [WHAT_IF.finding, WHAT_IF.image, ...tries.map((_, index) => filledIn(WHAT_IF.region, { number: index + 1 }))];
  const rows = tries[0].wording.findings.map(({ label, before }) => {
    const cells = tries.map(({ wording }) => {
      const change = wording.findings.find((each) => each.label === label);
      return made("td", {}, change ? `${change.after} (${change.change})` : "", ...(change?.crossed ? [made("small", {}, ` ${change.crossed}`)] : []));
    });
    return made("tr", {}, made("th", { scope: "row" }, label), made("td", {}, before), ...cells);
  });
  return made("table", { class: "list" }, made("thead", {}, made("tr", {}, ...head.map((name) => made("th", { scope: "col" }, name)))), made("tbody", {}, ...rows));
}

/** @param {Reported} entry @param {ReportedPictures} pictures */
function printedTries({ item }, { tried }) {
  const tries = item.tries.filter(({ wording }) => wording.problem === null);
  if (!tries.length) return [];
  const figure = tried ? [made("div", { class: "pictures of-1" }, made("figure", {}, made("img", { src: tried, alt: WHAT_IF.report_picture }), made("figcaption", {}, WHAT_IF.report_picture)))] : [];
  return [made("section", { class: "tries" }, made("h3", {}, WHAT_IF.report_title), made("p", { class: "hint" }, WHAT_IF.report_hint), ...figure, printedChanges(tries), ...tries.map((each, index) => printedTry(each, index + 1)))];
}
