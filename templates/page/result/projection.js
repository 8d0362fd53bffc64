// "Reconstruct more closely": a generator searches for the drawing that comes nearest to the image, step by step. It runs when it is asked
// to, can be watched and stopped, and what it came to stands with the image in the list. All words and numbers are Python's.
const CLOSER = SITE.words.projection;
const CURVE = { width: 200, height: 60 };
const FRAME = "#ffd33d";

// What the card offers of it; null where the model has no generator, or the image is not there.
/** @param {Card} card @param {AnalysisResult} result */
function closerOf(card, { wording }) {
  const offer = wording.projection_offer ?? null;
  const { projection, away } = card.item;
  return (offer && away === null) || projection ? new Closer(card, away === null ? offer : null) : null;
}

class Closer {
  /** @param {Card} card @param {ProjectionOffer | null} offer */
  constructor(card, offer) {
    this.card = card;
    this.item = card.item;
    /** @type {AbortController | null} */
    this.running = null;
    const hint = element("p", { className: "hint", textContent: CLOSER.hint });
    this.selects = offer ? { steps: this.select("steps", offer.steps, offer.chosen.steps), seconds: this.select("seconds", offer.seconds, offer.chosen.seconds), space: this.select("space", offer.spaces, offer.chosen.space) } : null;
    this.start = element("button", { type: "button", className: "small", "data-action": "project", onclick: () => this.run() });
    this.cancel = element("button", { type: "button", className: "small", textContent: CLOSER.cancel, "data-action": "project-cancel", hidden: true, onclick: () => this.stop() });
    const labels = Object.entries(this.selects ?? {}).map(([name, select]) => element("label", {}, `${CLOSER[name]} `, select));
    const tools = element("div", { className: "what-if-tools" }, ...labels, this.start, this.cancel);
    tools.hidden = offer === null;
    this.bar = element("progress", { max: 1, "aria-label": CLOSER.progress, hidden: true });
    this.status = element("p", { className: "hint" });
    this.shown = element("div", { className: "closer-shown" });
    const body = element("div", { className: "closer-body" }, hint, tools, this.bar, this.status, this.shown);
    this.node = element("details", { className: "closer", open: this.item.projection !== null }, element("summary", { textContent: CLOSER.name }), body);
    this.show();
  }

  /** @param {string} name @param {{ value: string | number, name: string }[]} choices @param {string | number} chosen */
  select(name, choices, chosen) {
    const select = element("select", { "data-action": `project-${name}`, autocomplete: "off" }, ...choices.map((choice) => element("option", { value: choice.value, textContent: choice.name })));
    select.value = String(chosen);
    return select;
  }

  get chosen() {
    const { steps, seconds, space } = /** @type {NonNullable<Closer["selects"]>} */ (this.selects);
    return { steps: Number(steps.value), seconds: Number(seconds.value), space: space.value };
  }

  async run() {
    const running = (this.running = new AbortController());
    const isRunning = () => this.running === running && !running.signal.aborted;
    this.work(true);
    announce(CLOSER.working);
    const { blob, name, options, keep } = this.card;
    /** @type {ProgressListener} */
    const onProgress = ({ stage, done }) => {
      if (isRunning() && stage === "projection") this.bar.value = done;
    };
    /** @type {SketchListener} */
    const onSketch = (sketch) => {
      if (isRunning() && "curve" in sketch) this.sketch(sketch);
    };
    const found = await runForPage("project", blob, { ...options, name, isUrgent: true, signal: running.signal, onProgress, onSketch }, { project: this.chosen, keep });
    if (!isRunning()) return;
    this.running = null;
    this.work(false);
    if ("projection" in found && found.projection) this.take(found, found.projection);
    else this.fail(found.wording);
  }

  /** @param {ProjectionResult} found @param {{ entry: ProjectionEntry, wording: ProjectionWords }} said */
  take({ side, square, bytes }, said) {
    this.card.desk.list.change(this.item, { projection: { ...said, pictures: { side, square, bytes } }, isSaved: false });
    this.show();
    announce(said.wording.summary);
  }

  // What was there before is shown again.
  stop() {
    const hadFocus = this.cancel === document.activeElement;
    this.running?.abort();
    this.running = null;
    this.work(false);
    this.show();
    if (hadFocus) this.start.focus();
  }

  /** @param {boolean} isAtWork */
  work(isAtWork) {
    const hadFocus = this.node.contains(document.activeElement);
    this.node.setAttribute("aria-busy", String(isAtWork));
    this.bar.value = 0;
    this.bar.hidden = this.cancel.hidden = !isAtWork;
    this.start.hidden = isAtWork;
    for (const select of Object.values(this.selects ?? {})) select.disabled = isAtWork;
    this.status.textContent = isAtWork ? CLOSER.working : "";
    if (hadFocus) (isAtWork ? this.cancel : this.start).focus();
  }

  /** @param {ProjectionSketch} sketch */
  sketch({ step, steps, curve, side, bytes }) {
    this.status.textContent = filledIn(CLOSER.step, { step, steps });
    const canvas = pictureCanvas(side, CLOSER.live);
    drawEnlarged(canvas, rgbaCanvas(bytes, side, side));
    this.shown.replaceChildren(figureOf(canvas, CLOSER.live), curveOf(curve));
  }

  /** @param {FailureWords} words */
  fail({ headline, details }) {
    const text = [`${headline}.`, ...details].join(" ");
    this.shown.replaceChildren(element("p", { className: "failure", textContent: text }));
    announce(text);
  }

  show() {
    const { projection } = this.item;
    this.start.textContent = projection ? CLOSER.again : CLOSER.start;
    if (!projection) return this.shown.replaceChildren();
    const { wording, pictures } = projection;
    const said = [wording.summary, ...wording.details].map((textContent) => element("p", { textContent }));
    this.shown.replaceChildren(...said, ...(pictures ? this.figures(pictures, wording) : []), curveOf(wording.curve));
  }

  /** @param {NonNullable<Projection["pictures"]>} pictures @param {ProjectionWords} wording */
  figures(pictures, { frame }) {
    const reconstruction = pictureCanvas(pictures.side, CLOSER.reconstruction);
    drawEnlarged(reconstruction, cellsOf(pictures, 0));
    const errors = pictureCanvas(pictures.side, CLOSER.errors);
    drawDifference(errors, this.card.result, pictures, frame);
    return [figureOf(reconstruction, CLOSER.reconstruction), figureOf(errors, CLOSER.errors)];
  }

  close() {
    this.running?.abort();
    this.running = null;
  }
}

/** @param {NonNullable<Projection["pictures"]>} pictures @param {0 | 1} number */
function cellsOf({ side, bytes }, number) {
  const length = 4 * side ** 2;
  return rgbaCanvas(bytes.subarray(number * length, (number + 1) * length), side, side);
}

/** @param {number} side @param {string} name */
function pictureCanvas(side, name) {
  const pixels = side * Math.max(1, Math.round(256 / side));
  return element("canvas", { width: pixels, height: pixels, role: "img", "aria-label": name });
}

/** @param {HTMLCanvasElement} canvas @param {OffscreenCanvas} cells */
function drawEnlarged(canvas, cells) {
  const context = penOf(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(cells, 0, 0, canvas.width, canvas.height);
}

// Over the image, where that is there, and else over its reconstruction; the worst place is framed.
/** @param {HTMLCanvasElement} canvas @param {AnalysisResult | null} result @param {NonNullable<Projection["pictures"]>} pictures @param {ProjectionWords["frame"]} frame */
function drawDifference(canvas, result, pictures, [left, top, side]) {
  const context = penOf(canvas);
  const { width } = canvas;
  if (result && isDrawn(result)) {
    const { preview, document } = result;
    const scale = Math.max(preview.width, preview.height) / Math.max(document.image.width ?? 1, document.image.height ?? 1);
    const [x, y, edge] = pictures.square.map((length) => length * scale);
    context.drawImage(preview, x, y, edge, edge, 0, 0, width, width);
  } else {
    drawEnlarged(canvas, cellsOf(pictures, 0));
  }
  drawEnlarged(canvas, cellsOf(pictures, 1));
  context.strokeStyle = FRAME;
  context.lineWidth = Math.max(2, width / 100);
  context.strokeRect(left * width, top * width, side * width, side * width);
}

/** @param {HTMLCanvasElement} canvas @param {string} caption */
function figureOf(canvas, caption) {
  return element("figure", { className: "closer-figure" }, canvas, element("figcaption", { className: "hint", textContent: caption }));
}

/** @param {number[][]} points from 0 to 1 */
function curveOf(points) {
  const canvas = element("canvas", { className: "closer-curve", width: 2 * CURVE.width, height: 2 * CURVE.height, role: "img", "aria-label": CLOSER.curve });
  const context = penOf(canvas);
  const { width, height } = canvas;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim() || FRAME;
  context.lineWidth = 3;
  context.beginPath();
  for (const [along, high] of points) context.lineTo(2 + along * (width - 4), height - 2 - high * (height - 4));
  context.stroke();
  return element("figure", { className: "closer-figure" }, canvas, element("figcaption", { className: "hint", textContent: CLOSER.curve }));
}

// What a saved result, a report and a session hold of it.
/** @param {WorkItem} item */
function projectionOf({ projection }) {
  return projection ? { projection: projection.entry } : {};
}

// Of a document that was opened again.
/** @param {ProjectionEntry} [entry] @param {ProjectionWords | null} [wording] @returns {Projection | null} */
function projectionIn(entry, wording) {
  return entry && wording ? { entry, wording, pictures: null } : null;
}

// What a report says of it.
/** @param {Reported} entry */
function printedProjection({ item }) {
  const { projection } = item;
  if (!projection) return [];
  const { wording, pictures } = projection;
  const figures = pictures ? [made("div", { class: "pictures of-2" }, ...printedFigures(pictures, wording))] : [];
  const said = [wording.summary, ...wording.details, CLOSER.hint].map((text) => made("p", {}, text));
  return [made("section", { class: "tries" }, made("h3", {}, CLOSER.report_title), ...figures, ...said)];
}

/** @param {NonNullable<Projection["pictures"]>} pictures @param {ProjectionWords} wording */
function printedFigures(pictures, { frame }) {
  const drawings = [CLOSER.reconstruction, CLOSER.errors].map((name, number) => {
    const canvas = pictureCanvas(pictures.side, name);
    if (number) drawDifference(canvas, null, pictures, frame);
    else drawEnlarged(canvas, cellsOf(pictures, 0));
    return made("figure", {}, made("img", { src: asJpeg(canvas), alt: name }), made("figcaption", {}, name));
  });
  return drawings;
}
