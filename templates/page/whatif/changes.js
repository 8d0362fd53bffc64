// What one region changes: each finding from before to after, and what the gate says. All words are Python's.
const WHAT_IF = SITE.words.what_if;

// A line from before to after, with a hollow mark and a full one, on the scale of findings.
/** @param {ChangeWords} change */
function changeBar({ start, end, mark, above, spoken }) {
  const placed = (/** @type {string} */ className, /** @type {number} */ left, width = 0) => {
    const node = element("span", { className });
    node.style.left = `${100 * left}%`;
    if (width) node.style.width = `${100 * width}%`;
    return node;
  };
  const way = placed("change-way", Math.min(start, end), Math.abs(end - start));
  const bar = element("div", { className: "change-bar", role: "img", "aria-label": spoken }, way, placed("bar-mark", mark), placed("change-before", start), placed("change-after", end));
  bar.classList.toggle("above", above);
  return bar;
}

/** @param {TryWords} wording */
function changesTable({ findings }) {
  const rows = findings.map((change) => {
    const { label, before, after, change: points, crossed, moved } = change;
    const values = element("span", { className: "change-values" }, `${before} → ${after} `, element("span", { className: "change-points", textContent: `(${points})` }));
    const crossing = crossed ? [element("span", { className: "change-crossed", textContent: crossed })] : [];
    const row = element("tr", { "data-finding": label }, element("th", { scope: "row", textContent: label }), element("td", {}, changeBar(change)), element("td", {}, values, ...crossing));
    row.classList.toggle("moved", moved);
    return row;
  });
  return element("table", { className: "changes-table" }, element("caption", { className: "hidden", textContent: WHAT_IF.changes }), element("tbody", {}, ...rows));
}

// Everything about one region that was tried.
/** @param {Try} tried */
function changesOf({ wording }) {
  const { title, summary, gate, problem, findings } = wording;
  if (problem !== null) return [element("p", { className: "failure", textContent: problem })];
  const judged = gate ? [element("p", { className: gate.accepted === false ? "warning" : "hint", "data-gate": String(gate.accepted), textContent: gate.text })] : [];
  return [element("p", { className: "change-summary", textContent: summary }), ...judged, ...(findings.length ? [changesTable(wording)] : []), element("p", { className: "hint", textContent: `${title}. ${WHAT_IF.legend}` })];
}

// The regions that were tried, a column each; without `acts`, to be read alone.
/** @param {Try[]} tries @param {Try | null} current @param {{ show: (tried: Try) => void, remove: (tried: Try) => void } | null} acts */
function triesTable(tries, current, acts) {
  const answered = tries.filter(({ wording }) => wording.problem === null);
  const [first] = answered;
  if (!first) return null;
  const head = answered.map((tried) => element("th", { scope: "col" }, nameOfTry(tried, tries.indexOf(tried) + 1, acts && { isPressed: tried === current, show: acts.show }), element("span", { className: "hint", textContent: tried.wording.brief })));
  const rows = first.wording.findings.map(({ label, before }) => {
    const cells = answered.map(({ wording }) => {
      const change = wording.findings.find((each) => each.label === label);
      const cell = element("td", {}, change?.after ?? "", " ", element("span", { className: "change-points", textContent: change ? `(${change.change})` : "" }));
      cell.classList.toggle("moved", change?.moved ?? false);
      cell.classList.toggle("crossed", Boolean(change?.crossed));
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row", textContent: label }), element("td", { textContent: before }), ...cells);
  });
  const verdict = (/** @type {Try} */ { wording: { gate } }) => (gate?.accepted === true ? WHAT_IF.like : gate?.accepted === false ? WHAT_IF.unlike : WHAT_IF.no_gate);
  const judged = element("tr", {}, element("th", { scope: "row", textContent: WHAT_IF.gate }), element("td", {}), ...answered.map((tried) => element("td", { textContent: verdict(tried) })));
  const columns = element("tr", {}, element("th", { scope: "col", textContent: WHAT_IF.finding }), element("th", { scope: "col", textContent: WHAT_IF.image }), ...head);
  const last = acts ? [element("tr", {}, element("td", {}), element("td", {}), ...answered.map((tried) => element("td", {}, removalOfTry(tried, tries.indexOf(tried) + 1, acts.remove))))] : [];
  return element("table", { className: "tries-table" }, element("caption", { textContent: WHAT_IF.compared }), element("thead", {}, columns), element("tbody", {}, ...rows, judged, ...last));
}

/** @param {Try} tried @param {number} number @param {{ isPressed: boolean, show: (tried: Try) => void } | null} act */
function nameOfTry(tried, number, act) {
  const { name, show: shown } = tried.wording;
  const textContent = filledIn(name, { number });
  if (!act) return element("span", { textContent });
  return element("button", { type: "button", className: "small", textContent, title: filledIn(shown, { number }), "aria-pressed": String(act.isPressed), "data-action": `show-try ${number}`, onclick: () => act.show(tried) });
}

/** @param {Try} tried @param {number} number @param {(tried: Try) => void} remove */
function removalOfTry(tried, number, remove) {
  return element("button", { type: "button", className: "small", textContent: WHAT_IF.remove, "aria-label": filledIn(tried.wording.remove, { number }), "data-action": `remove-try ${number}`, onclick: () => remove(tried) });
}

/** @param {WhatIfEntry[]} [entries] @param {TryWords[]} [words] of each @returns {Try[]} */
function triesIn(entries = [], words = []) {
  return entries.map((entry, index) => ({ entry, wording: words[index], picture: null })).filter(({ wording }) => wording?.problem === null);
}

// What the result document says more where regions were tried.
/** @param {WorkItem} item */
function triedOf({ tries }) {
  return tries.length ? { what_if: tries.map(({ entry }) => entry) } : {};
}

const FRAME_SIDE = 320; // of the frame that stands for a picture which is not there

// What was tried of an image that was not chosen again since its session was opened: its regions in a frame of its shape.
/** @param {WorkItem} item */
function reopenedTries({ tries, document: result }) {
  const table = triesTable(tries, null, null);
  if (!table || !result || "error" in result) return [];
  const shown = element("div", { className: "tries", role: "region", tabIndex: 0, "aria-label": WHAT_IF.compared }, table);
  const frame = tries.some(({ entry }) => entry.regions) ? [framedRegions(tries, result), element("p", { className: "hint", textContent: WHAT_IF.reopened })] : [];
  return [element("section", { className: "reopened-tries", "aria-label": WHAT_IF.report_title }, element("h4", { textContent: WHAT_IF.report_title }), ...frame, shown)];
}

// Regions and the square that was seen, both as the file has them.
/** @param {Try[]} tries @param {AnalysedDocument} result */
function framedRegions(tries, { image, seen }) {
  const [across, down] = [image.width ?? 1, image.height ?? 1];
  const scale = FRAME_SIDE / Math.max(across, down);
  const [width, height] = [across, down].map((length) => Math.max(1, Math.round(scale * length)));
  const canvas = element("canvas", { width, height, role: "img", "aria-label": WHAT_IF.reopened });
  const context = penOf(canvas);
  const place = { left: 0, top: 0, width, height, across: width / across, down: height / down };
  context.fillStyle = "#333";
  context.fillRect(0, 0, width, height);
  const [left, top, wide, high] = seen?.square ?? [0, 0, across, down];
  context.fillStyle = "#666";
  context.fillRect(left * place.across, top * place.down, wide * place.across, high * place.down);
  for (const [index, { entry }] of tries.entries()) {
    if (entry.regions) paintTried(context, place, /** @type {Region[]} */ (entry.regions), index + 1, 1);
  }
  return canvas;
}
