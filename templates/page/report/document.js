// The whole report: a first page where there are several images, then a page for each; as a file of its own, or printed from here.

// In two parts: a server that adds to this page looks for the end of its body, which is not here.
const ENDS = ["</bo", "dy>", "</ht", "ml>\n"];

/** @param {ReportChoice} choice @param {AbortSignal} signal @param {(number: number, count: number) => void} onProgress */
async function reportOf(choice, signal, onProgress) {
  const title = document.title;
  const time = filledIn(REPORT.made, { time: timeInReports(new Date().toISOString()), version: SITE.version });
  /** @type {ReportHead} */
  const head = { title, made: time };
  /** @type {Reported[]} */
  const entries = [];
  const pages = [];
  for await (const entry of reported(choice, signal)) {
    onProgress(entry.number, entry.count);
    const pictures = await picturesOf(entry, choice, signal);
    if (signal.aborted) return null;
    pages.push(sheetOf(entry, pictures, head));
    entries.push({ ...entry, result: { ...entry.result, preview: null, bytes: null } });
  }
  if (signal.aborted || !entries.length) return null;
  if (entries.length > 1 || choice.note.trim()) pages.unshift(firstSheet(entries, choice, head));
  return { node: made("main", { class: "report" }, ...pages), items: entries.map(({ item }) => item) };
}

/** @param {Reported} entry @param {ReportChoice} choice @param {AbortSignal} signal @returns {Promise<ReportedPictures>} */
async function picturesOf(entry, choice, signal) {
  const { result } = entry;
  const nothing = { address: null, maps: [], tried: null, isWanted: choice.hasPictures };
  if (!choice.hasPictures || !("orientation" in result)) return nothing;
  const preview = await previewOf(entry, signal);
  if (!preview) return nothing;
  const plain = choice.maps === "none" ? null : pictureOf(preview, result, false);
  const address = asJpeg(pictureOf(preview, result, true));
  const tried = triedPicture(entry.item, preview, result);
  preview.close();
  const maps = [];
  for (const wanted of plain ? wantedMaps(entry, choice.maps) : []) {
    if (!signal.aborted && plain) maps.push(await mapOf(entry, wanted, plain, signal));
  }
  if (plain) plain.width = plain.height = 0;
  return { address, maps, tried, isWanted: true };
}

/** @param {Reported} entry @param {ReportChoice["maps"]} maps @returns {WantedMap[]} */
function wantedMaps({ item, result: { wording } }, maps) {
  if (!wording.findings.length || !("explanations" in wording) || !wording.explanations) return [];
  const { method, look: { controls } } = wording.explanations;
  if (maps === "open") {
    const { views = [], look = {} } = desk.openMaps(item) ?? {};
    return views.map((view) => ({ ...view, look }));
  }
  const look = Object.fromEntries(controls.map(({ key, value }) => [key, value]));
  const sorted = [...wording.findings].sort((one, other) => one.rank - other.rank);
  const wanted = maps === "first" ? sorted.slice(0, 1) : sorted.filter(({ above }) => above);
  return wanted.map(({ label }) => ({ finding: label, method, look }));
}

// Which image is which, and what became of each.
/** @param {Reported[]} entries @param {ReportChoice} choice @param {ReportHead} head */
function firstSheet(entries, { note, hasNames }, head) {
  const rows = entries.map(({ item, number, alias, result: { wording } }) => {
    const named = hasNames ? [made("td", {}, alias)] : [];
    const seen = wording.seen ? [made("small", {}, wording.seen.text)] : [];
    return made("tr", {}, made("th", { scope: "row" }, String(number)), ...named, made("td", {}, wording.verdict, ...seen), made("td", { class: "noted" }, item.note.trim()));
  });
  const names = [REPORT.number, ...(hasNames ? [REPORT.name] : []), REPORT.result, REPORT.note];
  const table = made("table", { class: "list" }, made("thead", {}, made("tr", {}, ...names.map((name) => made("th", { scope: "col" }, name)))), made("tbody", {}, ...rows));
  const models = [...new Set(entries.map(({ item: { bundle } }) => `${bundle.title} (${bundle.name} ${bundle.version})`))];
  return made(
    "article",
    { class: "sheet" },
    made("header", {}, warningLine()),
    made("h1", {}, `${REPORT.title}: ${head.title}`),
    made("p", {}, `${head.made}.`),
    made("p", {}, `${REPORT.model}: ${models.join(", ")}.`),
    made("p", {}, `${countsInWords(entries.map(({ item }) => item))}.`),
    ...noteLines(note),
    table,
  );
}

// A file that asks for nothing: its style is its own, its pictures are within, and it has no script.
/** @param {Element} node */
function reportFile(node) {
  const hash = btoa(String.fromCharCode(...sha256.array(SITE.report_style)));
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'`;
  const head = made(
    "head",
    {},
    made("meta", { charset: "utf-8" }),
    made("meta", { "http-equiv": "Content-Security-Policy", content: policy }),
    made("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    made("title", {}, `${REPORT.title}: ${document.title}`),
    made("style", {}, SITE.report_style),
  );
  const parts = [`<!doctype html>\n<html lang="${document.documentElement.lang}">`, head.outerHTML, '<body><main class="report">'];
  return new Blob([...parts, ...Array.from(node.children, (page) => page.outerHTML), "</main>", ...ENDS], { type: "text/html" });
}

// In a tree of its own, with a style of its own: the page's policy lets no other window in.
/** @param {Element} node */
async function printReport(node) {
  const host = element("div", { id: "report-print" });
  const root = host.attachShadow({ mode: "open" });
  const style = new CSSStyleSheet();
  style.replaceSync(SITE.report_style);
  root.adoptedStyleSheets = [style];
  root.append(node);
  document.body.append(host);
  await Promise.all(Array.from(root.querySelectorAll("img"), (image) => image.decode().catch(() => {})));
  document.body.classList.add("printing");
  const end = () => {
    document.body.classList.remove("printing");
    host.remove();
  };
  addEventListener("afterprint", end, { once: true });
  print();
}
