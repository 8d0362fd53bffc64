// What a report, a table or a session is made of: the images that were chosen, numbered, without the names of their files unless
// those are asked for: such names often carry the patient's.
const REPORT = SITE.words.report;

// A sentence of Python's with what stands in braces.
/** @param {string} text @param {Record<string, string | number>} values */
function filledIn(text, values) {
  return text.replace(/\{(\w+)\}/g, (hole, name) => String(values[name] ?? hole));
}

/** @param {ReportChoice["which"]} which @returns {WorkItem[]} */
function reportItems(which) {
  const { selected } = workList;
  const chosen = which === "selected" ? (selected ? [selected] : []) : which === "shown" ? workList.visible() : workList.items;
  return chosen.filter((item) => !PENDING.has(item.state) && item.state !== "cancelled" && item.stored && item.document && !isVeiled(item));
}

/** @param {WorkItem} item @param {number} number @param {boolean} hasNames */
function aliasOf({ name }, number, hasNames) {
  return hasNames ? name : filledIn(REPORT.image, { number });
}

// The same result under another name for its image.
/** @param {AnalysisResult} result @param {WorkItem} item @param {string} alias @returns {AnalysisResult} */
function renamed(result, item, alias) {
  const { document } = result;
  const image = { ...document.image, name: alias };
  if ("error" in document && document.error.code === "unreadable-file") { // whose message has the name in it
    const again = failureResult({ kind: "analyse", name: alias, bundle: item.bundle }, "unreadable");
    return { ...again, document: { ...document, image, error: again.document.error } };
  }
  return /** @type {AnalysisResult} */ ({ ...result, document: { ...document, image, ...triedOf(item), ...projectionOf(item) } });
}

// One after the other, so that hundreds need no more memory than one.
/** @param {ReportChoice} choice @param {AbortSignal} [signal] @returns {AsyncGenerator<Reported>} */
async function* reported({ which, hasNames }, signal) {
  const items = reportItems(which);
  for (const [index, item] of items.entries()) {
    if (signal?.aborted) return;
    const result = await keptResults.read(item);
    const number = index + 1;
    const alias = aliasOf(item, number, hasNames);
    if (result) yield { item, number, count: items.length, alias, result: renamed(result, item, alias) };
  }
}

// When an image was analysed stands beside its result.
workList.listen((event) => {
  if (event.kind === "item" && event.fields.document && event.fields.time === undefined) event.item.time = new Date().toISOString();
});

/** @param {string | null} time */
function timeInReports(time) {
  return time === null ? "" : `${time.slice(0, 16).replace("T", " ")} UTC`;
}
