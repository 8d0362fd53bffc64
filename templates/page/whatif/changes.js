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

// The regions that were tried, a column each.
/** @param {Try[]} tries @param {Try | null} current @param {(tried: Try) => void} onShow @param {(tried: Try) => void} onRemove */
function triesTable(tries, current, onShow, onRemove) {
  const answered = tries.filter(({ wording }) => wording.problem === null);
  const [first] = answered;
  if (!first) return null;
  const head = answered.map((tried) => {
    const number = tries.indexOf(tried) + 1;
    const { name, show: shown } = tried.wording;
    const show = element("button", { type: "button", className: "small", textContent: filledIn(name, { number }), title: filledIn(shown, { number }), "aria-pressed": String(tried === current), "data-action": `show-try ${number}`, onclick: () => onShow(tried) });
    return element("th", { scope: "col" }, show, element("span", { className: "hint", textContent: tried.wording.brief }));
  });
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
  const removal = answered.map((tried) => {
    const number = tries.indexOf(tried) + 1;
    return element("td", {}, element("button", { type: "button", className: "small", textContent: WHAT_IF.remove, "aria-label": filledIn(tried.wording.remove, { number }), "data-action": `remove-try ${number}`, onclick: () => onRemove(tried) }));
  });
  const columns = element("tr", {}, element("th", { scope: "col", textContent: WHAT_IF.finding }), element("th", { scope: "col", textContent: WHAT_IF.image }), ...head);
  const last = element("tr", {}, element("td", {}), element("td", {}), ...removal);
  return element("table", { className: "tries-table" }, element("caption", { textContent: WHAT_IF.compared }), element("thead", {}, columns), element("tbody", {}, ...rows, judged, last));
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
