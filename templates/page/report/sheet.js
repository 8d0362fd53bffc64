// The page of one image in a report. Everything is made of elements of a document that is not shown: what comes from files, people
// and models becomes text, never markup.
const sheets = document.implementation.createHTMLDocument("");
const SVG = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, string | number>} [attributes] @param {(Node | string)[]} children */
function made(tag, attributes = {}, ...children) {
  return withAttributes(sheets.createElement(tag), attributes, children);
}

/** @param {string} tag @param {Record<string, string | number>} attributes @param {(Node | string)[]} children */
function drawnShape(tag, attributes, ...children) {
  return withAttributes(sheets.createElementNS(SVG, tag), attributes, children);
}

/** @template {Element} E @param {E} node @param {Record<string, string | number>} attributes @param {(Node | string)[]} children @returns {E} */
function withAttributes(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

// What the person wrote keeps its lines.
/** @param {string} text */
function noteLines(text) {
  return text.trim() ? [made("section", { class: "note" }, made("h3", {}, REPORT.note), made("p", {}, text.trim()))] : [];
}

function warningLine() {
  return made("p", { class: "warning" }, made("strong", {}, REPORT.warning), ` ${REPORT.warning_more}`);
}

// A shape and not a background: printers leave those out.
/** @param {FindingWords} finding */
function printedBar({ share, mark, above, spoken }) {
  const fill = drawnShape("rect", { x: 0.5, y: 3, width: Math.max(1, 99 * Math.min(1, Math.max(0, share))), height: 8, class: above ? "fill above" : "fill" });
  const place = 0.5 + 99 * Math.min(1, Math.max(0, mark));
  const frame = drawnShape("rect", { x: 0.5, y: 3, width: 99, height: 8, class: "frame" });
  const [casing, tick] = ["casing", "mark"].map((name) => drawnShape("line", { x1: place, x2: place, y1: 0, y2: 14, class: name }));
  return drawnShape("svg", { viewBox: "0 0 100 14", preserveAspectRatio: "none", role: "img", "aria-label": spoken, class: "bar" }, fill, frame, casing, tick);
}

/** @param {FindingWords[]} findings in the order in which they are shown */
function printedFindings(findings) {
  const rows = findings.flatMap((finding) => {
    const caution = finding.weak ? [made("tr", { class: "weak" }, made("td", { colspan: 3 }, finding.weak))] : [];
    const cells = [made("th", { scope: "row" }, finding.label), made("td", { class: "says" }, finding.text), made("td", {}, printedBar(finding))];
    return [made("tr", finding.above ? { class: "above" } : {}, ...cells), ...caution];
  });
  const head = made("tr", {}, made("th", { scope: "col" }, REPORT.finding), made("th", { scope: "col", colspan: 2 }, REPORT.says));
  return made("table", { class: "findings" }, made("thead", {}, head), made("tbody", {}, ...rows));
}

// Of findings above, and where there is none of the strongest.
/** @param {FindingWords[]} sorted */
function meanings(sorted) {
  const above = sorted.filter((finding) => finding.above);
  const told = above.length ? above : sorted.slice(0, 1);
  return told.map(({ label, known, predictive, meaning }) => {
    const nearest = predictive.reduce((/** @type {PredictiveWords | null} */ best, step) => (best && Math.abs(best.prevalence - chosenPrevalence) <= Math.abs(step.prevalence - chosenPrevalence) ? best : step), null);
    const sentences = [...known, ...(nearest ? [nearest.text] : []), `${label}: ${meaning}`];
    return made("section", { class: "meaning" }, made("h3", {}, `${label}. ${REPORT.means}`), ...sentences.map((text) => made("p", {}, text)));
  });
}

/** @param {ReportedMap} map */
function printedMap(map) {
  if (map.problem !== undefined) return made("p", {}, filledIn(REPORT.no_map, { reason: [map.finding, map.problem].join(". ") }));
  const { address, colours, ends, title } = map;
  const legend = made("div", { class: "legend" }, made("span", {}, ends.least), made("img", { src: colours, alt: "" }), made("span", {}, ends.most));
  return made("figure", {}, made("img", { src: address, alt: title }), legend, made("figcaption", {}, title));
}

/** @param {Reported} entry @param {ReportedPictures} pictures */
function printedPictures({ result }, { address, maps, isWanted }) {
  const { wording } = result;
  const seen = wording.seen ? [made("p", { class: "seen" }, wording.seen.text)] : [];
  if (wording.outcome === "failed") return [];
  if (!address) return [...seen, ...(isWanted ? [made("p", { class: "hint" }, REPORT.no_picture)] : [])];
  const worth = new Set(maps.flatMap((map) => (map.problem === undefined && map.worth !== null ? [map.worth] : [])));
  const caption = wording.seen ? [...seen, made("p", {}, REPORT.outline)] : [made("p", {}, REPORT.picture)];
  const figure = made("figure", {}, made("img", { src: address, alt: REPORT.picture }), made("figcaption", {}, ...caption));
  return [made("div", { class: `pictures of-${Math.min(3, 1 + maps.length)}` }, figure, ...maps.map(printedMap)), ...Array.from(worth, (text) => made("p", { class: "hint" }, text))];
}

/** @param {Reported} entry @param {ReportHead} head */
function factsTable({ item, result }, { made: time }) {
  const { image, bundle } = result.document;
  const rows = [
    [REPORT.model, `${item.bundle.title} (${bundle.name} ${bundle.version})`],
    [REPORT.model_hash, bundle.sha256],
    ...(image.sha256 ? [[REPORT.image_hash, image.sha256]] : []),
    [REPORT.title, [time, ...(item.time ? [filledIn(REPORT.analysed, { time: timeInReports(item.time) })] : []), ...(image.width ? [filledIn(REPORT.size, { width: image.width, height: image.height ?? 0 })] : [])].join("; ")],
  ];
  return made("table", { class: "facts" }, made("tbody", {}, ...rows.map(([name, value]) => made("tr", {}, made("th", { scope: "row" }, name), made("td", {}, value)))));
}

/** @param {Reported} entry @param {ReportedPictures} pictures @param {ReportHead} head */
function sheetOf(entry, pictures, head) {
  const { number, count, alias, item, result } = entry;
  const { verdict, headline, details, findings, badge, correction, gate } = result.wording;
  const sorted = [...findings].sort((one, other) => one.rank - other.rank);
  const place = filledIn(REPORT.of, { title: head.title, number, count });
  const marks = [...(badge ? [badge.long] : []), ...(correction ? [correction.done] : []), ...(item.away === null ? [] : [REPORT.reopened])];
  const measures = gate && !gate.accepted ? gate.measures.filter(({ passed }) => !passed).map(({ label, text }) => `${label}: ${text}`) : [];
  return made(
    "article",
    { class: "sheet" },
    made("header", {}, warningLine()),
    made("h2", {}, alias === filledIn(REPORT.image, { number }) ? place : `${place}: ${alias}`),
    made("p", { class: "verdict" }, verdict),
    ...marks.map((text) => made("p", { class: "mark" }, text)),
    ...printedPictures(entry, pictures),
    ...(findings.length ? [printedFindings(sorted)] : []),
    ...noteLines(item.note),
    ...printedTries(entry, pictures),
    ...printedProjection(entry),
    ...meanings(sorted),
    made("section", { class: "details" }, ...(!findings.length || !(badge || correction) ? [] : [made("p", {}, `${headline}.`)]), ...[...details, ...measures].map((text) => made("p", {}, text))),
    factsTable(entry, head),
  );
}
