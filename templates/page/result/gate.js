// What the gate found, on a card: the picture with its errors, the reconstruction beside it, and the measures as scales.

// The image, with a box that shows where it differs from its reconstruction.
/** @param {DrawnAnalysis} result @param {boolean} showsErrors */
function imageFigure(result, showsErrors) {
  const { gate, pictures } = result.wording;
  const canvas = element("canvas", { role: "img" });
  const draw = (/** @type {boolean} */ isShown) => {
    drawPicture(canvas, result, isShown);
    canvas.setAttribute("aria-label", isShown ? pictures.errors : pictures.plain);
  };
  draw(showsErrors);
  const figure = element("figure", { className: "picture" }, canvas);
  if (gate) {
    const box = element("input", { type: "checkbox", checked: showsErrors });
    box.onchange = () => draw(box.checked);
    const label = element("label", {}, box, ` ${gate.captions.errors}`);
    figure.append(element("figcaption", {}, element("p", { textContent: gate.captions.image }), label));
  }
  return figure;
}

/** @param {GatedAnalysis} result */
function reconstructionFigure(result) {
  const { gate, pictures } = result.wording;
  const canvas = element("canvas", { role: "img", className: "reconstruction", "aria-label": pictures.reconstruction });
  drawReconstruction(canvas, result);
  return element("figure", { className: "picture" }, canvas, element("figcaption", { textContent: gate?.captions.reconstruction }));
}

// One measure: its value and limit in words, and where the image lies between alike and unlike. What is refused is
// hatched, so that no colour has to be told from another.
/** @param {MeasureWords} measure @param {GateWords["ends"]} ends */
function measureScale({ label, text, passed, verdict, ...place }, ends) {
  const judged = element("span", { className: passed ? "passed" : "missed", textContent: `${verdict}: ` });
  const node = element("div", { className: "measure" }, element("strong", { textContent: label }), element("p", {}, judged, `${text}.`));
  if (place.share === null) return node;
  const { share, mark, percent, scale, spoken, sentence } = place;
  const bar = element("div", { className: "scale", role: "meter", "aria-label": scale, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent, "aria-valuetext": spoken });
  bar.append(placed("scale-refused", mark), placed("bar-mark", mark), placed("scale-here", share));
  const named = element("div", { className: "scale-ends", "aria-hidden": "true" }, element("span", { textContent: ends.alike }), element("span", { textContent: ends.unlike }));
  node.append(bar, named, element("p", { textContent: sentence }));
  return node;
}

// For refused images: what missed its limit, as far as a scale says more than the reasons do, and the rest folded away.
/** @param {GateWords | null} gate */
function refusedMeasures(gate) {
  if (!gate || gate.accepted) return [];
  const { measures, ends, names } = gate;
  const scales = (/** @type {boolean} */ isTelling) => measures.filter(({ telling }) => telling === isTelling).map((measure) => measureScale(measure, ends));
  const others = scales(false);
  const folded = element("details", {}, element("summary", { textContent: names.others }), ...others);
  return [...scales(true), ...(others.length ? [folded] : [])];
}

/** @param {string} className @param {number} share */
function placed(className, share) {
  const node = element("span", { className });
  node.style.left = `${100 * share}%`;
  return node;
}

// For images that were let through: the same, folded away and drawn when first opened.
/** @param {GatedAnalysis} result @param {GateWords} gate */
function gateDetails(result, { measures, ends, names }) {
  const body = element("div", { className: "gate-body" });
  const details = element("details", { className: "gate-details" }, element("summary", { textContent: names.all }), body);
  details.addEventListener("toggle", () => {
    if (!details.open || body.childElementCount) return;
    const scales = element("div", { className: "words" }, ...measures.map((measure) => measureScale(measure, ends)));
    body.append(picturePair(result), scales);
  });
  return details;
}

/** @param {GatedAnalysis} result */
function picturePair(result) {
  return element("div", { className: "pictures" }, imageFigure(result, true), reconstructionFigure(result));
}
