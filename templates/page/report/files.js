// The list as a table for other programs (CSV), and all result documents (JSON).
const BYTE_ORDER_MARK = "\ufeff"; // spreadsheets take the file for UTF-8 then
const QUOTE = "\u0022";
const APOSTROPHE = "\u0027";
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const QUOTED = /[\u0022,;\r\n]|^\s|\s$|^\u0027/;
const HEAD_COLUMNS = ["number", "name", "state", "verdict", "note", "analysed", "image_sha256", "width", "height", "seen_share", "forced", "correction", "model", "model_version", "model_sha256", "sitegen_version", "error", "gate_accepted"];

// A text that a spreadsheet would take for a formula becomes one that it does not; numbers stay as they are.
/** @param {unknown} value */
function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = FORMULA.test(value) ? APOSTROPHE + value : value;
  return QUOTED.test(safe) ? QUOTE + safe.replaceAll(QUOTE, QUOTE + QUOTE) + QUOTE : safe;
}

/** @param {Reported} entry @returns {Record<string, unknown>} */
function csvRow({ item, number, alias, result: { document, wording } }) {
  const { image, bundle, seen } = document;
  /** @type {Record<string, unknown>} */
  const row = {
    number, name: alias, state: item.state, verdict: wording.verdict, note: item.note, analysed: item.time,
    image_sha256: image.sha256, width: image.width, height: image.height, seen_share: seen?.share,
    model: bundle.name, model_version: bundle.version, model_sha256: bundle.sha256, sitegen_version: SITE.version,
  };
  if ("error" in document) return { ...row, error: document.error.code };
  const { gate, findings, forced, correction } = document;
  Object.assign(row, { forced: Boolean(forced), correction, gate_accepted: gate?.accepted });
  const scores = gate ? [{ metric: gate.metric, value: gate.score, threshold: gate.threshold }, ...gate.scores.filter(({ metric }) => metric !== gate.metric)] : [];
  for (const { metric, value, threshold } of scores) Object.assign(row, { [`gate_${metric}`]: value, [`gate_${metric}_threshold`]: threshold });
  for (const { label, logit, probability, operating_point, calibrated, calibrated_operating_point } of findings) {
    const above = wording.findings.find((words) => words.label === label)?.above;
    const cells = { logit, probability, operating_point, calibrated, calibrated_operating_point, above };
    for (const [name, value] of Object.entries(cells)) row[`${label}: ${name}`] = value;
  }
  return row;
}

/** @param {ReportChoice} choice */
async function csvFile(choice) {
  const rows = [];
  const items = [];
  for await (const entry of reported(choice)) {
    rows.push(csvRow(entry));
    items.push(entry.item);
  }
  const columns = [...new Set([...HEAD_COLUMNS, ...rows.flatMap(Object.keys)])].filter((name) => choice.hasNames || name !== "name");
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))].map((cells) => cells.map(csvCell).join(","));
  return { blob: new Blob([BYTE_ORDER_MARK, lines.join("\r\n"), "\r\n"], { type: "text/csv" }), items };
}

/** @param {ReportChoice} choice */
async function jsonFile(choice) {
  const documents = [];
  const items = [];
  for await (const { item, result } of reported(choice)) {
    documents.push(result.document);
    items.push(item);
  }
  return { blob: new Blob([JSON.stringify(documents, null, 2), "\n"], { type: "application/json" }), items };
}
