"""An adversarial check for people: one HTML file with its figures, and tables to print.

as_html(document)      loads nothing; the same document gives the same bytes
as_tables(document)    for the terminal
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from sitegen.evaluation.adversarial.trial import CLEAN
from sitegen.evaluation.report.forest import Row, forest_figure
from sitegen.evaluation.report.page import NOTHING, WIDE, drawn, number, render
from sitegen.evaluation.report.terminal import table as table_of

Part = Mapping[str, Any]
KINDS = {"effects": "effects of masking", "gate": "gate", "logits": "logits"}
_HERE = Path(__file__).parent


def as_html(document: Part) -> str:
    """Return the report of a document that `study.study` made, in UTF-8 with LF line ends."""
    attacks = [each for each in document["conditions"] if each["attack"] != CLEAN]
    return render(
        _HERE,
        {"condition": condition_name},
        (WIDE,),
        document=document,
        kinds=KINDS,
        attacks=attacks,
        verdict=verdict(document),
        found=[(detector, [found_of(detector, each) for each in attacks]) for detector in document["detectors"]],
        forests=[drawn(_forest(document, each, at)) for at, each in enumerate(attacks)],
    )


def as_tables(document: Part) -> Iterator[Table | str]:
    """Return a table of what attacks do, one of what detectors find, and the verdict."""
    table = table_of(
        Text("Attacks: loss, share of images with a changed decision"), "attack", "loss", "changed", "refused"
    )
    for each in document["conditions"]:
        refused = each["refused"]
        table.add_row(Text(condition_name(each)), *(_value(each[key]) for key in ("loss", "changed")), _value(refused))
    yield table
    attacks = [each for each in document["conditions"] if each["attack"] != CLEAN]
    for strength in dict.fromkeys(each["strength"] for each in attacks):
        shown = [each for each in attacks if each["strength"] == strength]
        title = f"AUROC of attacked against clean images, strength {strength:.3g}"
        table = table_of(Text(title), "detector", *(each["attack"] for each in shown))
        for detector in document["detectors"]:
            table.add_row(Text(detector["name"]), *(_value(found_of(detector, each)) for each in shown))
        yield table
    yield verdict(document)


def condition_name(condition: Part) -> str:
    """Return the name of an attack with its strength."""
    return "clean" if condition["attack"] == CLEAN else f"{condition['attack']} {condition['strength']:.3g}"


def found_of(detector: Part, condition: Part) -> Part | None:
    """Return a detector's AUROC against an attack, None where it has none."""
    wanted = condition["attack"], condition["strength"]
    areas = [each["auroc"] for each in detector["attacks"] if (each["attack"], each["strength"]) == wanted]
    return areas[0] if areas else None


def verdict(document: Part) -> str:
    """Return in a sentence whether effects of masking tell attacked images, also where the attack knows of them."""
    if document["holds"] is None:
        return "Nothing is said of an attack that knows the detector: it was not tried."
    if document["holds"]:
        return (
            "A detector that reads effects of masking holds against the attack that knows it: at every strength the "
            f"lower end of its AUROC is {document['limit']:.2f} or more."
        )
    return (
        "No detector that reads effects of masking holds against the attack that knows it: the lower end of its AUROC "
        f"is below {document['limit']:.2f}. It is no ground for a warning."
    )


def _forest(document: Part, condition: Part, at: int) -> str:
    rows = [Row(detector["name"], found_of(detector, condition)) for detector in document["detectors"]]
    named = condition_name(condition)
    told = f"AUROC of each detector against {named}, with intervals of 95 %; one half is guessing."
    return forest_figure(f"found-{at}", told, rows, f"AUROC, {named}", 0.5)


def _value(value: Part | None) -> str:
    return number(value["value"]) if value else NOTHING
