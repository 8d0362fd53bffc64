"""Expected effects in a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sitegen.evaluation.effects.document_types import BoxEffectsDocument, EffectsDocument

if TYPE_CHECKING:
    from rich.table import Table

    from sitegen.metrics.document_types import IntervalDocument


def as_tables(document: EffectsDocument) -> Iterator["Table | str"]:
    """Yield what is printed of a document: what was done, a table of findings, and what the gate says."""
    from rich.table import Table

    yield (
        f"{len(document['images'])} image(s), {document['runs']} interventions on each: {document['masking']}, "
        f"{100 * document['share']:.3g} % of the image, filled: {document['filling']}"
    )
    table = Table("finding", "expected effect", "on the logit")
    for finding in document["findings"]:
        table.add_row(finding["label"], _told(finding["effect"]), _told(finding["logit_effect"]))
    yield table
    passed = [each["changed_passed"] for each in document["images"] if each["changed_passed"] is not None]
    if passed:
        share = 100 * sum(passed) / len(passed)
        yield f"Similarity alone would let {share:.0f} % of the changed images pass the gate."


def as_box_tables(document: BoxEffectsDocument) -> Iterator["Table | str"]:
    """Yield what is printed of masked boxes."""
    from rich.table import Table

    yield f"Boxes masked where they are, and in up to {document['places']} other places; filled: {document['filling']}"
    table = Table("finding", "cases", "effect", "minus that elsewhere", "on the logit: effect", "minus that elsewhere")
    for each in document["findings"]:
        numbers = each["effect"], each["difference"], each["logit_effect"], each["logit_difference"]
        table.add_row(each["finding"], str(each["cases"]), *(_told(number) if number else "–" for number in numbers))
    yield table


def _told(interval: "IntervalDocument") -> str:
    return f"{interval['value']:+.4f} ({interval['low']:+.4f} to {interval['high']:+.4f})"
