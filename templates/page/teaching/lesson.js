// Teaching: which images are cases, what of them is hidden, and the score.
const LESSONS = SITE.words.teaching;
const teachingSwitch = /** @type {HTMLInputElement | null} */ (document.getElementById("teaching"));

// Whether a result must not be told yet.
/** @param {WorkItem} item */
function isVeiled({ lesson }) {
  return lesson !== null && lesson.said === null;
}

/** @returns {WorkSummary} */
function veiledSummary() {
  return { outcome: "findings", verdict: LESSONS.answer_first, row: LESSONS.not_answered, isAbove: false, isForced: false, strength: -1 };
}

/** @param {Record<string, boolean> | null} labels @param {CaseBox[]} boxes @returns {Lesson} */
function newLesson(labels, boxes) {
  return { labels, boxes, said: null, places: {}, model: null };
}

let casesNumbered = 0;

// A file that was opened; while the page teaches, a case whose name gives nothing away.
/** @param {File} file @returns {{ blob: Blob, name: string, fields?: Partial<WorkItem> }} */
function asLesson(file) {
  if (!teachingSwitch?.checked) return { blob: file, name: file.name || NAME };
  return { blob: file, name: filledIn(LESSONS.case, { number: ++casesNumbered }), fields: { lesson: newLesson(null, []) } };
}

async function openCases() {
  if (teachingSwitch) teachingSwitch.checked = true;
  try {
    const images = [];
    for (const { asset, caption, labels, boxes } of SITE.teaching ?? []) {
      const blob = await unpacked(await assets.loadOne(asset)).blob();
      const name = caption || filledIn(LESSONS.case, { number: ++casesNumbered });
      images.push({ blob, name, fields: { lesson: newLesson(labels, boxes) } });
    }
    workList.add(images, SITE.bundles[0]);
  } catch (error) {
    showFailure(/** @type {Error} */ (error));
  }
}

document.getElementById("cases")?.addEventListener("click", openCases);
teachingSwitch?.addEventListener("change", () => teachingSwitch.checked && announce(LESSONS.hint));

// The answer is there: what was hidden is shown.
/** @param {WorkItem} item @param {ResultWords} wording @param {Record<string, boolean>} said */
function answered(item, wording, said) {
  const model = wording.findings.length ? Object.fromEntries(wording.findings.map(({ label, above }) => [label, above])) : null;
  const lesson = { .../** @type {Lesson} */ (item.lesson), said, model };
  workList.change(item, { lesson, summary: summaryOf(wording) });
}

// A place in the upright image.
/** @param {CaseBox} box @param {Place} place @param {ImageEntry} image */
function isInside({ square: [left, top, width, height] }, [x, y], image) {
  const across = x * (image.width ?? 0);
  const down = y * (image.height ?? 0);
  return across >= left && across <= left + width && down >= top && down <= top + height;
}

// What all answers so far come to, in words.
function scoreInWords() {
  const lessons = workList.items.filter(({ lesson }) => lesson !== null);
  const done = lessons.filter((item) => !isVeiled(item));
  const isLabelled = lessons.some(({ lesson }) => lesson?.labels);
  const sums = { cases: done.length, all: lessons.length, you: 0, count: 0, model: 0, judged: 0, inside: 0, shown: 0 };
  for (const { lesson, document } of done) {
    if (!lesson?.said) continue;
    const { said, labels, model, boxes, places } = lesson;
    const truth = isLabelled ? labels : model;
    if (!truth) continue;
    for (const [finding, isThere] of Object.entries(truth)) {
      sums.count += 1;
      sums.you += Number(said[finding] === isThere);
      if (!model) continue;
      sums.judged += 1;
      sums.model += Number(model[finding] === isThere);
    }
    for (const [finding, place] of Object.entries(places)) {
      const own = boxes.filter(({ label }) => label === finding);
      if (!own.length || !document) continue;
      sums.shown += 1;
      sums.inside += Number(own.some((box) => isInside(box, place, document.image)));
    }
  }
  const places = sums.shown ? [filledIn(LESSONS.places, sums)] : [];
  const end = sums.cases === sums.all ? [LESSONS.end] : [];
  return [...end, filledIn(isLabelled ? LESSONS.score : LESSONS.score_alone, sums), ...places].join(" ");
}
