"""Teaching cases in a site: their images as assets, and what the page knows of them."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from sitegen.bundle import Bundle
from sitegen.errors import SettingsError
from sitegen.site.options import TeachingCase
from sitegen.site.packing import Asset
from sitegen_runtime.bundle.figures import is_absence


def case_assets(cases: Sequence[TeachingCase]) -> list[Asset]:
    """Return an asset for each case; its name tells nothing of the file's."""
    return [Asset(f"cases/{number}", case.content) for number, case in enumerate(cases, 1)]


def page_cases(cases: Sequence[TeachingCase] | None, bundle: Bundle) -> list[dict[str, Any]] | None:
    """Return the entries of SITE.teaching, None where the site does not teach.

    Each has its `asset`, `caption`, `labels` (whether a finding of the model is there, by its name) and `boxes`.
    Raises SettingsError where a label is none of the model's.
    """
    if cases is None:
        return None
    return [
        {
            "asset": asset.name,
            "caption": case.caption,
            "labels": _labels(case, number, bundle),
            "boxes": [{"label": box.label, "square": list(box.place)} for box in case.boxes],
        }
        for number, (case, asset) in enumerate(zip(cases, case_assets(cases), strict=True), 1)
    ]


def _labels(case: TeachingCase, number: int, bundle: Bundle) -> dict[str, bool]:
    names = [label.name for label in bundle.description.labels]
    for label in case.labels:
        if label not in names:
            near = get_close_matches(label, names, 1) or names
            raise SettingsError(
                f"teaching.cases: case {number} has the label {label!r}, which the model {bundle.description.name} "
                f"does not look for; it looks for {', '.join(near)}."
            )
    return {name: name in case.labels or (is_absence(name) and not case.labels) for name in names}
