// Counts, for thresholds that are tried, how many rows each would drop. It loads nothing and keeps nothing.
"use strict";
(() => {
  const unpacked = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const data = JSON.parse(document.getElementById("counted").textContent);
  const rows = data.rows;
  const flags = data.flags.map((each) => unpacked(each));
  const sliders = data.sliders.map((each) => new Float64Array(unpacked(each).buffer));
  const form = document.getElementById("thresholds");
  const scale = data.total / Math.max(rows, 1);
  const shown = (count) => Math.round(count * scale).toLocaleString("en");

  const failing = (values, side, limit) => {
    const dropped = new Uint8Array(rows);
    for (let row = 0; row < rows; row += 1) {
      dropped[row] = side === "least" ? !(values[row] >= limit) : !(values[row] <= limit);
    }
    return dropped;
  };

  const count = () => {
    const dropped = new Uint8Array(rows);
    const rules = [];
    const add = (mask, output, text) => {
      let own = 0;
      for (let row = 0; row < rows; row += 1) {
        own += mask[row];
        dropped[row] |= mask[row];
      }
      output.value = shown(own);
      rules.push(text);
    };
    for (const line of form.querySelectorAll("[data-flag]")) {
      const output = line.querySelector("output");
      const mask = flags[Number(line.dataset.flag)];
      if (line.querySelector("input").checked) add(mask, output, line.dataset.rule);
      else output.value = shown(mask.reduce((sum, each) => sum + each, 0));
    }
    for (const line of form.querySelectorAll("[data-slider]")) {
      const [box, limit] = line.querySelectorAll("input");
      const side = line.querySelector("select").value;
      const output = line.querySelector(".count");
      const mask = failing(sliders[Number(line.dataset.slider)], side, Number(limit.value));
      line.querySelector(".limit").value = limit.value;
      const sign = side === "least" ? ">=" : "<=";
      if (box.checked) add(mask, output, `${line.dataset.name} ${sign} ${limit.value}`);
      else output.value = shown(mask.reduce((sum, each) => sum + each, 0));
    }
    let lost = 0;
    for (let row = 0; row < rows; row += 1) lost += dropped[row];
    document.getElementById("dropped").value = shown(lost);
    document.getElementById("kept").value = shown(rows - lost);
    document.getElementById("rule").value = rules.join(" and ");
  };
  form.addEventListener("input", count);
  count();
})();
