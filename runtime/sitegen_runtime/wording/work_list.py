"""Words of the page's list of images that tell of analyses and findings. The page fills in what stands in braces."""

WORK_LIST: dict[str, str] = {
    "begun": "Analysing {count} images.",
    "none_above": "with no finding above",
    "by_strongest": "strongest finding first",
    "pending": "Not yet analysed",
    "findings": "Findings of {name}",
}
