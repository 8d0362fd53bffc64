"""Words of the page's list of images that tell of analyses and findings. The page fills in what stands in braces."""

WORK_LIST: dict[str, str] = {
    "begun": "Analysing {count} images.",
    "none_above": "with no finding above",
    "by_strongest": "strongest finding first",
    "pending": "Not yet analysed",
    "findings": "Findings of {name}",
    "keep": "Keep this list in this browser",
    "keep_hint": (
        "Images, results and notes are then there again when this page is opened again, for whoever uses this browser. "
        "Without the tick nothing is kept, and what was kept is deleted."
    ),
    "keep_begun": "This list is kept in this browser.",
    "keep_ended": "Nothing of this list is kept any more.",
    "keep_failed": "This browser could not keep the list ({reason}). Nothing of it is kept.",
    "keep_unread": "The list that this browser keeps could not be read ({reason}). Nothing more is kept.",
    "keep_restored": "The list is as it was kept: {count}.",
}
