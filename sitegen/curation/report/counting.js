// Counts, for thresholds that are tried, how many rows each would drop. It loads nothing and keeps nothing.
"use strict";
(() => {
  /** @typedef {{ rows: number, total: number, flags: string[], sliders: string[] }} Counted what the report holds, packed in base64 */

  /**
   * @template {HTMLElement} T
   * @param {ParentNode} within @param {string} selector @param {new () => T} kind
   */
  const part = (within, selector, kind) => {
    const found = within.querySelector(selector);
    if (!(found instanceof kind)) throw new Error(`The report has no ${selector}.`);
    return found;
  };

  const unpacked = (/** @type {string} */ text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  /** @type {Counted} */
  const data = JSON.parse(part(document, "#counted", HTMLElement).textContent ?? "");
  const { rows } = data;
  const flags = data.flags.map((each) => unpacked(each));
  const sliders = data.sliders.map((each) => new Float64Array(unpacked(each).buffer));
  const form = part(document, "#thresholds", HTMLFormElement);
  const scale = data.total / Math.max(rows, 1);
  const shown = (/** @type {number} */ count) => Math.round(count * scale).toLocaleString("en");
  const sum = (/** @type {Uint8Array} */ mask) => mask.reduce((total, each) => total + each, 0);
  const lines = (/** @type {string} */ selector) => /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll(selector));

  /** @param {Float64Array} values @param {string} side @param {number} limit */
  const failing = (values, side, limit) => {
    const dropped = new Uint8Array(rows);
    for (let row = 0; row < rows; row += 1) {
      dropped[row] = Number(side === "least" ? !(values[row] >= limit) : !(values[row] <= limit));
    }
    return dropped;
  };

  const count = () => {
    const dropped = new Uint8Array(rows);
    /** @type {string[]} */
    const rules = [];
    /** @param {HTMLElement} line @param {string} output @param {Uint8Array} mask @param {string} rule */
    const tell = (line, output, mask, rule) => {
      part(line, output, HTMLOutputElement).value = shown(sum(mask));
      if (!part(line, "input[type=checkbox]", HTMLInputElement).checked) return;
      for (let row = 0; row < rows; row += 1) dropped[row] |= mask[row];
      rules.push(rule);
    };
    for (const line of lines("[data-flag]")) tell(line, "output", flags[Number(line.dataset.flag)], line.dataset.rule ?? "");
    for (const line of lines("[data-slider]")) {
      const limit = part(line, "input[type=range]", HTMLInputElement).value;
      const side = part(line, "select", HTMLSelectElement).value;
      part(line, ".limit", HTMLOutputElement).value = limit;
      const mask = failing(sliders[Number(line.dataset.slider)], side, Number(limit));
      tell(line, ".count", mask, `${line.dataset.name} ${side === "least" ? ">=" : "<="} ${limit}`);
    }
    const lost = sum(dropped);
    part(document, "#dropped", HTMLOutputElement).value = shown(lost);
    part(document, "#kept", HTMLOutputElement).value = shown(rows - lost);
    part(document, "#rule", HTMLOutputElement).value = rules.join(" and ");
  };
  form.addEventListener("input", count);
  count();
})();
