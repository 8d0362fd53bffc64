// Sessions: results and notes in a file, without pictures, that this page opens again. What is said of a result is made anew by
// Python, so that the file holds nothing but documents; and once the image is there it is analysed again.
const SESSION = "sitegen.session/1";

/** @param {ReportChoice} choice */
async function sessionFile(choice) {
  const items = [];
  /** @type {SessionImage[]} */
  const images = [];
  for await (const { item, result } of reported(choice)) {
    const { name, version, sha256 } = item.bundle;
    const { force = false, correction = null } = item.options;
    const entry = { name: choice.hasNames ? item.name : null, sha256: result.document.image.sha256, bytes: item.away === null ? item.blob.size : item.bytes };
    images.push({ ...entry, model: { name, version, sha256 }, options: { force, correction }, note: item.note, time: item.time, document: result.document });
    items.push(item);
  }
  /** @type {SessionDocument} */
  const session = { schema: SESSION, saved: new Date().toISOString(), title: document.title, sitegen: SITE.version, note: choice.note, images };
  return { blob: new Blob([JSON.stringify(session, null, 1), "\n"], { type: "application/json" }), items };
}

/** @param {File} file */
function mayBeSession({ name, type }) {
  return type === "application/json" || /\.json$/i.test(name);
}

// The session in a file; null where it is none.
/** @param {File} file @returns {Promise<SessionDocument | null>} */
async function sessionIn(file) {
  try {
    const session = JSON.parse(await file.text());
    return session?.schema === SESSION && Array.isArray(session.images) ? session : null;
  } catch {
    return null;
  }
}

/** @param {unknown} value */
function textOr(value, otherwise = "") {
  return typeof value === "string" ? value : otherwise;
}

// What the list needs of an image of a session; null where this page cannot speak of it.
/** @param {SessionImage} image @param {number} number @returns {Promise<{ blob: Blob, name: string, fields: Partial<WorkItem> } | null>} */
async function reopened(image, number) {
  const { model, options, document, sha256 } = image ?? {};
  const bundle = SITE.bundles.find((each) => each.name === model?.name && each.sha256 === model?.sha256);
  if (!bundle || document?.bundle?.sha256 !== bundle.sha256) return null;
  const name = textOr(image.name) || filledIn(REPORT.image, { number });
  const text = JSON.stringify({ ...document, image: { ...document.image, name } });
  const said = await runForPage("words", new Blob([text]), { name, bundle: bundle.name, isUrgent: true });
  if (!said.document || !said.wording || "error" in said.document !== "error" in document) return null;
  const tries = "error" in said.document ? [] : triesIn(said.document.what_if, said.wording.what_if);
  const projection = "error" in said.document ? null : projectionIn(said.document.projection, said.wording.projection);
  const result = /** @type {AnalysisResult} */ ({ document: said.document, wording: said.wording, preview: null, bytes: null });
  return {
    blob: new Blob(),
    name,
    fields: {
      bundle,
      options: { bundle: bundle.name, force: options?.force === true, correction: textOr(options?.correction) || null },
      state: stateOf(result),
      share: 1,
      document: result.document,
      summary: summaryOf(result.wording),
      stored: { fields: new Blob([JSON.stringify(result)]), bytes: null },
      isSaved: true,
      note: textOr(image.note),
      time: textOr(image.time) || null,
      away: textOr(sha256),
      bytes: Number(image.bytes) || 0,
      tries,
      projection,
    },
  };
}

/** @param {File} file @param {SessionDocument} session */
async function openSession(file, { note, images }) {
  await engineReady;
  const opened = [];
  const left = [];
  for (const [index, image] of images.entries()) {
    const one = await reopened(image, index + 1);
    if (one) opened.push(one);
    else left.push(`${textOr(image?.model?.name, "?")} ${textOr(image?.model?.version)}`.trim());
  }
  if (opened.length) workList.add(opened, SITE.bundles[0]);
  if (textOr(note)) reportDialogue.note.value = textOr(note);
  const models = [...new Set(left)].join(", ");
  const said = [opened.length || !left.length ? filledIn(REPORT.opened, { count: opened.length }) : "", left.length ? filledIn(REPORT.left_out, { count: left.length, models }) : ""];
  announce(said.filter(Boolean).join(" "));
}

// Takes sessions out of files that came in, and gives files that sessions wait for to them; returns the others.
/** @param {File[]} files @returns {Promise<File[]>} */
async function withoutSessions(files) {
  const rest = [];
  for (const file of files) {
    const session = mayBeSession(file) ? await sessionIn(file) : null;
    if (session) await openSession(file, session);
    else if (mayBeSession(file)) announce(filledIn(REPORT.bad_session, { file: file.name }));
    else rest.push(file);
  }
  return withoutAwaited(rest);
}

/** @param {Blob} blob */
async function digestOf(blob) {
  const bytes = await blob.arrayBuffer();
  if (!globalThis.crypto?.subtle) return sha256(bytes);
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {File[]} files */
async function withoutAwaited(files) {
  const others = [];
  let count = 0;
  for (const file of files) {
    const waiting = workList.items.filter(({ away, bytes }) => away && (!bytes || bytes === file.size));
    const hash = waiting.length ? await digestOf(file).catch(() => "") : "";
    const found = waiting.filter(({ away }) => away === hash);
    for (const item of found) arrive(item, file);
    if (found.length) count += 1;
    else others.push(file);
  }
  if (count) announce(filledIn(REPORT.arrived, { count }));
  return others;
}

// The image of a result that was opened again: it is analysed again, as it was then.
/** @param {WorkItem} item @param {File} file */
function arrive(item, file) {
  workList.change(item, { blob: file, away: null, state: "waiting", stage: null, share: 0 });
  workQueue.pump();
}

// In the place of the picture.
/** @param {WorkItem} item */
function awayNotice(item) {
  const choose = element("button", { type: "button", textContent: REPORT.choose_image, "data-action": "choose-image", onclick: () => input.click() });
  const hash = item.away ? [element("p", { className: "hint", textContent: `SHA-256 ${item.away}` })] : [];
  return element("div", { className: "away" }, element("p", { textContent: REPORT.away }), ...hash, choose);
}
