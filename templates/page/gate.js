// What the gate found, on a card: the picture with its errors, the reconstruction beside it, and the measures as scales.

// The image, with a box that shows where it differs from its reconstruction.
function imageFigure(name, result, showsErrors) {
  const canvas = element("canvas", { role: "img" });
  const draw = (isShown) => {
    drawPicture(canvas, result, isShown);
    const errors = isShown ? ", with the places unlike the training images in red" : "";
    const badge = result.wording.badge ? `. ${result.wording.badge.long}` : "";
    canvas.setAttribute("aria-label", `The image ${name}${errors}${badge}`);
  };
  draw(showsErrors);
  const figure = element("figure", { className: "picture" }, canvas);
  if (result.bytes) {
    const box = element("input", { type: "checkbox", checked: showsErrors });
    box.onchange = () => draw(box.checked);
    const label = element("label", {}, box, " Show where the image differs from its reconstruction");
    figure.append(element("figcaption", {}, element("p", { textContent: result.wording.gate.captions.image }), label));
  }
  return figure;
}

function reconstructionFigure(name, result) {
  const canvas = element("canvas", { role: "img", className: "reconstruction" });
  canvas.setAttribute("aria-label", ["The reconstruction of " + name, result.wording.badge?.long].filter(Boolean).join(". "));
  drawReconstruction(canvas, result);
  return element("figure", { className: "picture" }, canvas, element("figcaption", { textContent: result.wording.gate.captions.reconstruction }));
}

// One measure: its value and limit in words, and where the image lies between alike and unlike. What is refused is
// hatched, so that no colour has to be told from another.
function measureScale({ label, text, passed, sentence, share, mark, spoken }) {
  const verdict = element("span", { className: passed ? "passed" : "missed", textContent: passed ? "Passed: " : "Refused: " });
  const node = element("div", { className: "measure" }, element("strong", { textContent: label }), element("p", {}, verdict, `${text}.`));
  if (share === null) return node;
  const percent = Math.floor(1000 * share) / 10;
  const bar = element("div", { className: "scale", role: "meter", "aria-label": `How unlike: ${label}`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": percent, "aria-valuetext": spoken });
  bar.append(placed("scale-refused", mark, "left"), placed("bar-mark", mark, "left"), placed("scale-here", share, "left"));
  const ends = element("div", { className: "scale-ends", "aria-hidden": "true" }, element("span", { textContent: "like known images" }), element("span", { textContent: "unlike them" }));
  node.append(bar, ends, element("p", { textContent: sentence }));
  return node;
}

// For refused images: what missed its limit, as far as a scale says more than the reasons do, and the rest folded away.
function refusedMeasures(gate) {
  if (!gate || gate.accepted) return [];
  const { measures } = gate;
  const telling = measures.filter(({ passed, share }) => !passed && share !== null);
  const others = measures.filter((measure) => !telling.includes(measure));
  const folded = element("details", {}, element("summary", { textContent: "Other measures of the gate" }), ...others.map(measureScale));
  return [...telling.map(measureScale), ...(others.length ? [folded] : [])];
}

function placed(className, share, side) {
  const node = element("span", { className });
  node.style[side] = `${100 * share}%`;
  return node;
}

// For images that were let through: the same, folded away and drawn when first opened.
function gateDetails(name, result) {
  const { measures } = result.wording.gate;
  const body = element("div", { className: "gate-body" });
  const details = element("details", { className: "gate-details" }, element("summary", { textContent: "How the gate judged this image" }), body);
  details.addEventListener("toggle", () => {
    if (!details.open || body.childElementCount) return;
    const scales = element("div", { className: "words" }, ...measures.map(measureScale));
    body.append(picturePair(name, result), scales);
  });
  return details;
}

function picturePair(name, result) {
  return element("div", { className: "pictures" }, imageFigure(name, result, true), reconstructionFigure(name, result));
}
