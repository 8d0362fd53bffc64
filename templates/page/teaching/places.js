// The picture of a case: the student shows on it where findings are.
const STEP = 0.02; // of the picture, for an arrow key

class PlacedPicture {
  /** @param {DrawnAnalysis} result @param {string} text */
  constructor(result, text) {
    this.canvas = element("canvas", { role: "img", "aria-label": text });
    contextFor(this.canvas, result.preview).drawImage(result.preview, 0, 0, this.canvas.width, this.canvas.height);
    this.marks = element("div", { className: "places" });
    this.surface = element("div", { className: "placed-picture" }, this.canvas, this.marks);
    this.node = element("figure", { className: "picture" }, this.surface);
  }

  // A click or a key says where.
  /** @param {(place: Place) => void} onPlace @param {() => Place | null} current */
  listen(onPlace, current) {
    this.surface.tabIndex = 0;
    this.surface.setAttribute("role", "group");
    this.surface.onclick = ({ clientX, clientY }) => {
      const { left, top, width, height } = this.canvas.getBoundingClientRect();
      onPlace([clamped((clientX - left) / width), clamped((clientY - top) / height)]);
    };
    this.surface.onkeydown = (event) => {
      const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
      if (!steps) return;
      event.preventDefault();
      const [x, y] = current() ?? [0.5, 0.5];
      onPlace([clamped(x + steps[0]), clamped(y + steps[1])]);
    };
  }

  /** @param {Record<string, Place>} places @param {CaseBox[]} boxes @param {ImageEntry} [image] */
  show(places, boxes = [], image) {
    const rings = Object.entries(places).map(([finding, [x, y]]) => {
      const ring = element("span", { className: "place" }, element("span", { textContent: finding }));
      ring.style.left = `${100 * x}%`;
      ring.style.top = `${100 * y}%`;
      return ring;
    });
    const frames = boxes.map(({ label, square: [left, top, width, height] }) => {
      const frame = element("span", { className: "label-box" }, element("span", { textContent: label }));
      const [across, down] = [image?.width || 1, image?.height || 1];
      Object.assign(frame.style, { left: `${(100 * left) / across}%`, top: `${(100 * top) / down}%`, width: `${(100 * width) / across}%`, height: `${(100 * height) / down}%` });
      return frame;
    });
    this.marks.replaceChildren(...frames, ...rings);
  }
}

/** @param {number} value */
function clamped(value) {
  return Math.min(1, Math.max(0, value));
}
