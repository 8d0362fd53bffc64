// What the gate made of an image, as layers over it: where it differs from its reconstruction, or the reconstruction in its place.
class GateLayers {
  /** @param {Viewer} viewer @param {GatedAnalysis} result @param {GateWords} words */
  constructor(viewer, result, words) {
    this.viewer = viewer;
    this.result = result;
    const { captions } = words;
    const isRefused = !words.accepted;
    const kinds = /** @type {const} */ ([["", "Image alone"], ["errors", "Difference"], ["reconstruction", "Reconstruction"]]);
    const name = `${viewer.card.id}-layer`;
    this.radios = kinds.map(([value]) => element("input", { type: "radio", name, value, autocomplete: "off", "data-action": `layer ${value}`, checked: value === (isRefused ? "errors" : "") }));
    const labels = kinds.map(([, text], index) => element("label", {}, this.radios[index], ` ${text}`));
    for (const radio of this.radios) radio.onchange = () => this.draw();
    this.opacity = element("input", { type: "range", min: 0, max: 100, step: 5, "aria-label": "Opacity of the layer", name: "layer-opacity", "data-action": "layer-opacity" });
    this.opacity.value = "100";
    this.opacity.oninput = () => this.draw();
    this.caption = element("p", { className: "hint" });
    this.captions = { "": captions.image, errors: captions.errors, reconstruction: captions.reconstruction };
    this.node = element("fieldset", { className: "layers" }, element("legend", { className: "hidden", textContent: "Layer over the picture" }), ...labels, this.opacity, this.caption);
    this.draw();
  }

  /** @returns {"" | "errors" | "reconstruction"} */
  get kind() {
    return /** @type {"" | "errors" | "reconstruction"} */ (this.radios.find(({ checked }) => checked)?.value ?? "");
  }

  draw() {
    const { kind, result, viewer } = this;
    const share = Number(this.opacity.value);
    this.opacity.setAttribute("aria-valuetext", `${share} %`);
    this.opacity.hidden = this.caption.hidden = kind === "";
    this.caption.textContent = this.captions[kind];
    viewer.stage.layer = kind === "" ? null : { cells: gateCells(result, kind === "errors" ? 0 : 1), square: result.squares.gate, opacity: share / 100 };
    viewer.stage.canvas.setAttribute("aria-label", result.wording.pictures[kind || "plain"]);
    viewer.stage.repaint();
  }
}

// The pictures of the gate, of which the reconstruction follows the errors.
/** @param {GatedAnalysis} result @param {0 | 1} number */
function gateCells({ bytes, overlay }, number) {
  const length = 4 * overlay ** 2;
  return rgbaCanvas(bytes.subarray(number * length, (number + 1) * length), overlay, overlay);
}
