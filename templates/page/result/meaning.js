// What a finding means, from the bundle's own figures: the sentences are Python's, chosen here is only the prevalence.
let chosenPrevalence = 0.1; // kept for all images of this visit

/** @param {FindingWords} finding @param {string} id */
function meaningOf({ label, meaning, known, predictive }, id) {
  const sentences = known.map((text) => element("p", { textContent: text }));
  const node = element("div", { className: "meaning-body", id, role: "group", "aria-label": `What ${label} means here` }, ...sentences);
  if (predictive.length) node.append(...predictiveValues(predictive));
  node.append(element("p", { className: "hint", textContent: `The bar shows ${meaning}` }));
  return node;
}

/** @param {PredictiveWords[]} steps */
function predictiveValues(steps) {
  const text = element("p", { role: "status", className: "predictive" });
  const select = element("select", { name: "prevalence", autocomplete: "off" }, ...steps.map(({ prevalence, name }) => element("option", { value: String(prevalence), textContent: name })));
  const nearest = steps.reduce((best, step) => (Math.abs(step.prevalence - chosenPrevalence) < Math.abs(best.prevalence - chosenPrevalence) ? step : best));
  select.value = String(nearest.prevalence);
  const say = () => (text.textContent = steps.find(({ prevalence }) => String(prevalence) === select.value)?.text ?? "");
  select.onchange = () => {
    chosenPrevalence = Number(select.value);
    say();
  };
  say();
  return [element("label", { className: "prevalence" }, "Where this many have it: ", select), text];
}
