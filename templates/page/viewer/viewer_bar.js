// The buttons above a picture: everything that pointer and keys do, and what cannot be done by them.
const KEY_WORDS = "Keys: plus and minus zoom, 0 shows all, 1 actual pixels, arrows move. Brackets narrow and widen the window, comma and full stop darken and brighten. D changes what dragging does, I inverts, S shows what the model saw, F fills the screen, R resets.";
const DRAG_WORDS = "Drag to move; with Shift, or after Window, drag sideways for contrast and up or down for brightness. Wheel or two fingers zoom.";
const LOOKING_ONLY = "Zoom, window and inversion are for looking only: they never change what the model gets.";

class ViewerBar {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.zoom = element("output", { className: "viewer-zoom" });
    this.presets = presetsFor(viewer.result.document.notes, () => viewer.range);
    this.preset = this.select();
    this.move = this.button("Move", "drag-move", "Dragging moves the picture", () => viewer.useTool("move"));
    this.window = this.button("Window", "drag-window", "Dragging changes the window", () => viewer.useTool("window"));
    this.invert = this.button("Invert", "invert-view", "Invert what is shown", () => viewer.invert());
    this.seen = this.button("Seen part", "seen", "Outline what the model saw, and dim the rest", () => viewer.showUnseen(!viewer.showsUnseen));
    this.seen.hidden = !viewer.square;
    this.whatIf = this.button(WHAT_IF.name, "what-if", WHAT_IF.open, () => this.toggleWhatIf());
    this.whatIf.hidden = !viewer.result.wording.what_if_choices || !viewer.result.squares.classifier;
    this.full = this.button("Full screen", "fill", "Full screen", () => viewer.fill());
    this.link = this.button("Together", "link", "Zoom and move both pictures together", () => viewer.link());
    this.node = element("div", { className: "viewer-bar", role: "group", "aria-label": `Looking at ${viewer.card.name}` }, ...this.parts());
    this.more = this.details();
    this.update();
  }

  parts() {
    const { viewer } = this;
    const zooming = element("span", { className: "button-group" },
      this.button("−", "zoom-out", "Zoom out", () => viewer.zoomBy(1 / ZOOM_STEP)),
      this.zoom,
      this.button("+", "zoom-in", "Zoom in", () => viewer.zoomBy(ZOOM_STEP)),
      this.button("Fit", "fit", "Show the whole picture", () => viewer.look(WHOLE)),
      this.button("1:1", "actual", "Actual pixels", () => viewer.zoomTo(viewer.actualZoom())));
    const dragging = element("span", { className: "button-group", role: "group", "aria-label": "Dragging" }, this.move, this.window);
    return [zooming, dragging, this.preset, this.invert, this.seen, this.whatIf, this.link, this.button("Reset", "reset-view", "Reset what is shown", () => viewer.reset()), this.full];
  }

  /** @param {string} text @param {string} action @param {string} label @param {() => void} act */
  button(text, action, label, act) {
    return element("button", { type: "button", className: "small", textContent: text, title: label, "aria-label": /\w/.test(text) ? `${text}: ${label.charAt(0).toLowerCase()}${label.slice(1)}` : label, "data-action": action, onclick: act });
  }

  select() {
    const custom = element("option", { value: "", textContent: "Window by hand", hidden: true });
    const options = this.presets.map(({ name }, index) => element("option", { value: index, textContent: name }));
    const select = element("select", { name: "window", "aria-label": "Window", "data-action": "preset", autocomplete: "off" }, ...options, custom);
    select.onchange = () => {
      const { window: chosen } = this.presets[Number(select.value)];
      this.viewer.useTone({ ...this.viewer.tone, ...chosen() }, select.value);
    };
    return select;
  }

  // For those who do not drag: moving and the window, step by step; and the keys in words.
  details() {
    const { viewer } = this;
    const moving = element("span", { className: "button-group", role: "group", "aria-label": "Move the picture" },
      this.button("←", "left", "Move to the left", () => viewer.step(-1, 0)),
      this.button("↑", "up", "Move up", () => viewer.step(0, -1)),
      this.button("↓", "down", "Move down", () => viewer.step(0, 1)),
      this.button("→", "right", "Move to the right", () => viewer.step(1, 0)));
    const greys = element("span", { className: "button-group", role: "group", "aria-label": "Window" },
      this.button("Darker", "darker", "Raise the level", () => viewer.changeWindow(0, GREY_STEP)),
      this.button("Brighter", "brighter", "Lower the level", () => viewer.changeWindow(0, -GREY_STEP)),
      this.button("More contrast", "narrower", "Narrow the window", () => viewer.changeWindow(-GREY_STEP, 0)),
      this.button("Less contrast", "wider", "Widen the window", () => viewer.changeWindow(GREY_STEP, 0)));
    this.values = element("p", { className: "hint" });
    const keys = element("p", { className: "hint", id: viewer.keysId, textContent: `${DRAG_WORDS} ${KEY_WORDS}` });
    return element("details", { className: "viewer-more" }, element("summary", { textContent: "Move and window by buttons, and the keys" }), element("p", { className: "viewer-steps" }, moving, greys), this.values, keys);
  }

  toggleWhatIf() {
    const { viewer } = this;
    if (viewer.whatIf) return viewer.leaveWhatIf();
    viewer.tryRegions();
    viewer.stage.node.focus();
  }

  update() {
    const { viewer } = this;
    const pressed = (/** @type {HTMLElement} */ button, /** @type {boolean} */ is) => button.setAttribute("aria-pressed", String(is));
    pressed(this.move, viewer.tool === "move");
    pressed(this.window, viewer.tool === "window");
    pressed(this.invert, viewer.tone.isInverted);
    pressed(this.seen, viewer.showsUnseen);
    pressed(this.full, viewer.isFilling);
    pressed(this.whatIf, viewer.whatIf !== null);
    pressed(this.link, Viewer.isLinked);
    this.link.hidden = !viewer.card.desk.list.beside;
    this.zoom.textContent = viewer.zoomInWords;
    this.preset.value = viewer.preset;
    const { level, width } = viewer.tone;
    if (this.values) this.values.textContent = `Window ${Math.round(width)}, level ${Math.round(level)}, of 256 greys.`;
  }

  /** @type {HTMLElement | null} */
  values = null;
}
