// What the gate found, among the findings: its measures as scales. Its pictures are layers in the viewer.

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

// Every figure of the gate, folded away and drawn when first opened.
/** @param {GateWords | null} gate @param {HTMLElement[]} reasons */
function judgementOf(gate, reasons = []) {
  if (!gate) return [];
  const { measures, ends, names } = gate;
  const body = element("div", { className: "gate-body" });
  const details = element("details", { className: "gate-details" }, element("summary", { textContent: names.all }), body);
  details.addEventListener("toggle", () => {
    if (details.open && !body.childElementCount) body.append(...reasons, ...measures.map((measure) => measureScale(measure, ends)));
  });
  return [details];
}

/** @param {string} className @param {number} share */
function placed(className, share) {
  const node = element("span", { className });
  node.style.left = `${100 * share}%`;
  return node;
}
