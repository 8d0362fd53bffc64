"""How much of an image was not looked at, in words."""

from typing import Any

from sitegen_runtime.document_types import ResultDocument, SeenPart


def describe_seen(document: ResultDocument, *, refused: bool = False) -> dict[str, Any] | None:
    """Return `text`, `share` and `square` of what was seen; None where all was, or where that is not known.

    Of a `refused` image they are those of the gate, which alone has judged it.
    """
    seen = document.get("seen")
    if seen is None:
        return None
    part: SeenPart = seen.get("gate", seen) if refused else seen
    unseen = 1 - part["share"]
    if unseen <= 0:
        return None
    who = "gate" if refused else "model"
    text = f"{_percent(unseen)} of the image was not seen by the {who}."
    return {"text": text, "share": part["share"], "square": part["square"]}


def _percent(share: float) -> str:
    if share < 0.01:
        return "Less than 1 %"
    return "More than 99 %" if share > 0.99 else f"{100 * share:.0f} %"
