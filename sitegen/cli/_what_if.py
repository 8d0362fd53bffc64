"""`sitegen explain --what-if`: what the classifier would say if parts of the image were something else."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sitegen.cli._reports import check_place, show, tell_written, write_figures
from sitegen.errors import ExplanationError, SettingsError

if TYPE_CHECKING:
    from rich.table import Table

    from sitegen.prediction import Predictor
    from sitegen_runtime.document_types import ResultDocument, WhatIfDocument

LARGEST = 10_000_000  # bytes of a file of interventions


def tell_what_if(predictor: "Predictor", image: Path, file: Path, out: Path | None, **options: Any) -> None:
    """Try the interventions of a file, print what each changes, and write the result document where one is asked for.

    Raises SettingsError for a file that cannot be read, ExplanationError where the image has no findings to change, and
    Exit(1) where an intervention could not be tried.
    """
    if out is not None and out.suffix.lower() != ".json":
        raise SettingsError(f"{out} does not end in .json, which is what is written. Name another file.")
    check_place(out)
    document = predictor.what_if(image, _interventions(file), **options).document
    if "error" in document:
        wrong = SettingsError if document["error"]["code"] == "bad-intervention" else ExplanationError
        raise wrong(f"{image}: {document['error']['message']}")
    if not document["findings"]:
        reason = document["gate"]["reason"] if document["gate"] else None
        raise ExplanationError(f"{image}: the gate refused it: {reason} Use --force to try it all the same.")
    show(_parts(document))
    write_figures(out, document)
    tell_written(out)
    typer.echo("Not for diagnostic use.")
    if any("error" in entry for entry in document["what_if"]):
        raise typer.Exit(1)


def _interventions(file: Path) -> Any:
    try:
        if file.stat().st_size > LARGEST:
            raise SettingsError(f"{file} is larger than {LARGEST} bytes: it is no file of interventions.")
        return json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}. Name a file of interventions.") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{file} is no JSON: {error}. See docs/effects.md for what it must be.") from error


def _parts(document: "ResultDocument") -> list["Table | str"]:
    parts: list[Table | str] = []
    for number, entry in enumerate(document["what_if"], 1):
        head = f"{number}. {_head(entry)}"
        if "error" in entry:
            parts.append(f"{head}\n   {entry['error']['message']}")
        else:
            parts += [head, _table(entry), _of_gate(entry)]
    return parts


def _head(entry: "WhatIfDocument") -> str:
    if "attack" in entry:
        attack = entry["attack"]
        facts = [f"{key} {attack[key]}" for key in ("strength", "steps", "finding") if attack.get(key) is not None]
        return ", ".join([f"adversarial noise: {attack['method']}", *facts])
    head = f"{len(entry['regions'])} region(s), filled: {entry['filling']}"
    return f"{head}; {entry['cells']} cells" if "cells" in entry else head


def _table(entry: "WhatIfDocument") -> "Table":
    from rich.table import Table

    table = Table("finding", "before", "after", "effect", "effect on the logit")
    for found in entry["findings"]:
        numbers = f"{found['before']:.3f}", f"{found['after']:.3f}", f"{found['effect']:+.3f}"
        table.add_row(found["label"], *numbers, f"{found['logit_effect']:+.3f}")
    return table


def _of_gate(entry: "WhatIfDocument") -> str:
    gate = entry["gate"]
    if gate is None:
        return "   This model has no gate: whether the changed image is like its training images is not known."
    says = "accepts" if gate["accepted"] else "would refuse"
    return f"   The gate {says} the changed image: similarity {gate['score']:.3f}, needed {gate['threshold']:.3f}."
