// What a report says of regions that were tried: where they are, what stood in them, and what each changed.

// The image with its regions, by their numbers.
/** @param {WorkItem} item @param {ImageBitmap} preview @param {DrawnAnalysis | UndrawnAnalysis} result */
function triedPicture({ tries }, preview, result) {
  if (!tries.some(({ entry }) => entry.regions) || "error" in result.document) return null;
  const size = analysedSize(/** @type {DrawnAnalysis} */ ({ ...result, preview }));
  const canvas = pictureOf(preview, result, true);
  const { width, height } = canvas;
  const place = { left: 0, top: 0, width, height, across: width / size.width, down: height / size.height };
  const { correction } = result.document;
  for (const [index, { entry }] of tries.entries()) {
    if (!entry.regions) continue;
    const regions = entry.regions.map((region) => regionInPicture(/** @type {Region} */ (region), size, correction));
    paintTried(penOf(canvas), place, regions, index + 1, width / SMALLEST_SIDE);
  }
  return asJpeg(canvas);
}

/** @param {WhatIfEntry} entry */
function printedPlaces({ regions }) {
  if (!regions) return [];
  const places = regions.slice(0, 8).map((region) => region.map((length) => Math.round(10 * length) / 10).join(", "));
  return [filledIn(WHAT_IF.place, { places: [...places, ...(regions.length > places.length ? ["…"] : [])].join("; ") })];
}

/** @param {Try} tried @param {number} number */
function printedTry({ entry, wording }, number) {
  const said = [`${wording.title}. ${wording.summary}`, ...printedPlaces(entry), ...(wording.gate ? [wording.gate.text] : [])];
  return made("section", { class: "meaning" }, made("h3", {}, filledIn(wording.name, { number })), ...said.map((text) => made("p", {}, text)));
}

/** @param {Try[]} tries with answers */
function printedChanges(tries) {
  const head = [WHAT_IF.finding, WHAT_IF.image, ...tries.map(({ wording }, index) => filledIn(wording.name, { number: index + 1 }))];
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
function printedTries({ item }, { tried, isWanted }) {
  const tries = item.tries.filter(({ wording }) => wording.problem === null);
  if (!tries.length) return [];
  const drawn = tried ? [{ address: tried, name: WHAT_IF.report_picture }] : [];
  const noisy = tries.flatMap(({ picture, wording }, index) => (picture ? [{ address: noiseCanvas(picture).toDataURL("image/jpeg", PICTURE_QUALITY), name: `${filledIn(wording.name, { number: index + 1 })}. ${WHAT_IF.noise_picture}` }] : []));
  const figures = [...drawn, ...(isWanted ? noisy : [])].map(({ address, name }) => made("figure", {}, made("img", { src: address, alt: name }), made("figcaption", {}, name)));
  const pictures = figures.length ? [made("div", { class: `pictures of-${Math.min(3, figures.length)}` }, ...figures)] : [];
  return [made("section", { class: "tries" }, made("h3", {}, WHAT_IF.report_title), made("p", { class: "hint" }, WHAT_IF.report_hint), ...pictures, printedChanges(tries), ...tries.map((each, index) => printedTry(each, index + 1)))];
}
