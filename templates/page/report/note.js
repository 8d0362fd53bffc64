// What the user writes beside an image: it stands in reports and sessions, and nowhere else.

/** @param {WorkItem} item */
function noteOf(item) {
  const id = `note-${item.number}`;
  const field = element("textarea", { id, rows: 2, value: item.note, autocomplete: "off", "data-action": "note", "aria-describedby": `${id}-hint` });
  field.oninput = () => workList.change(item, { note: field.value, isSaved: false });
  const hint = element("p", { className: "hint", id: `${id}-hint`, textContent: REPORT.note_hint });
  return element("details", { className: "own-note", open: item.note !== "" }, element("summary", { textContent: REPORT.note_one, "data-action": "note-open" }), element("label", { htmlFor: id, className: "hidden", textContent: REPORT.note_one }), field, hint);
}
