"""What every verb of `sitegen import` does: read the model, make the bundle, and say what was made."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sitegen.cli.importing.check import told
from sitegen.cli.importing.sources import Source
from sitegen.cli.importing.steps import Steps

if TYPE_CHECKING:
    from sitegen.graphs.weight_forms import Weights
    from sitegen.importing.bundle import ImportReport
    from sitegen.importing.settings import ImportSettings
    from sitegen.importing.source import ImportedClassifier


@dataclass(frozen=True)
class Asked:
    """The options of a verb."""

    out: Path | None
    config: Path | None
    labels: str | None
    name: str | None
    title: str | None
    gate: Path | None
    images: Sequence[Path]
    report: Path | None
    weights: "Weights"
    force: bool
    check: bool = False


def run(source: Source, model: str, asked: Asked, *more: Any) -> None:
    """Read the model, make the bundle, and say what was made."""
    _require(source)

    from sitegen.cli.importing.questions import with_answers
    from sitegen.errors import SettingsError
    from sitegen.importing.bundle import check_target, import_bundle

    if asked.out is None and not asked.check:
        raise SettingsError("Name the folder of the bundle with -o, or say --check to see what would be done.")

    module: Any = import_module(f"sitegen.importing.sources.{source.module}")
    settings = _settings(asked)
    given = model if source.metavar == "FILE|NAME" else Path(model)
    if source.asks:
        settings = with_answers(module.questions(given, settings), settings)
    with Steps() as steps:
        steps.say("Reading the model")
        read: ImportedClassifier = getattr(module, source.function)(given, settings, *more)
        if asked.out is not None:
            check_target(asked.out, read.name, force=asked.force)
        if asked.check or asked.out is None:
            report, lines = None, told(read, asked.out)
        else:
            report = import_bundle(
                read,
                asked.out,
                settings,
                gate=asked.gate,
                images=asked.images,
                report=asked.report,
                weights=asked.weights,
                force=asked.force,
                say=steps.say,
            )
            lines = _summary(report, asked.out)
    for warning in _warnings(read, report, settings):
        typer.echo(f"Note: {warning}", err=True)
    for line in lines:
        typer.echo(line)


def _warnings(read: "ImportedClassifier", report: "ImportReport | None", settings: "ImportSettings") -> list[str]:
    """What is to be known of the import, or of what it would be."""
    from sitegen.bundle.unseen import unseen_words

    if report is None:
        return list(read.remarks)
    unseen = unseen_words(report.bundle)
    return [*report.warnings, *_unnamed(settings, report), *([unseen] if unseen else [])]


def _unnamed(settings: "ImportSettings", report: "ImportReport") -> list[str]:
    """What to say where nobody named the model: a file's name heads the page."""
    if settings.name or settings.title:
        return []
    title = report.bundle.description.title
    return [f"Nobody named this model, so its page is called {title!r}. Give --name and --title to call it otherwise."]


def _require(source: Source) -> None:
    """Raise SettingsError, saying what to install, where the packages of a source are not there."""
    from importlib.util import find_spec

    from sitegen.errors import SettingsError

    if missing := [name for name in source.needs if find_spec(name) is None]:
        raise SettingsError(
            f"sitegen import {source.verb} needs {', '.join(missing)}: pip install 'offline-sitegen[import]'"
        )


def _settings(asked: Asked) -> "ImportSettings":
    """The settings of the file, and what the options say instead."""
    from sitegen.importing.settings import ImportSettings, read_import_settings
    from sitegen.settings.reading import read_settings

    settings = read_import_settings(asked.config) if asked.config else ImportSettings()
    given: dict[str, Any] = {key: value for key in ("name", "title") if (value := getattr(asked, key)) is not None}
    if asked.labels is not None:
        given["labels"] = [{"name": name.strip()} for name in asked.labels.split(",")]
    return read_settings(ImportSettings, given, settings)


def _summary(report: "ImportReport", out: Path) -> list[str]:
    proof, document, files = report.proof, report.document, report.bundle.description.files
    lines = [
        f"The graphs give the logits of the original, run by {proof.library}, on {proof.images} images: they differ by "
        f"{proof.largest:.1e} at most."
        if proof.library
        else "There was no original to compare with."
    ]
    if stored := document["weights"]:
        lines.append(
            f"Weights in the form {stored['form']} move probabilities by {100 * stored['largest']:.2g} percentage "
            f"points at most, on {stored['images']} images."
        )
    lines += _preprocessing(document["preprocessing"])
    total = sum(entry.bytes for entry in files.values())
    quoted = shlex.quote(str(out))
    return [
        *lines,
        f"Wrote {out}: {len(files)} files, {total / 1e6:.2f} MB. Not for diagnostic use.",
        f"Read the report: {report.report}",
        f"Read the card, and add what no import knows: {out / 'card.md'}",
        f"Next: sitegen build --bundle {quoted} --out dist",
        f"Then: sitegen verify --site dist --bundle {quoted}",
    ]


def _preprocessing(compared: Any) -> list[str]:
    if not compared or not compared["findings"]:
        return []
    largest = max(entry["largest"] for entry in compared["findings"])
    lines = [
        f"The source prepares images in its own way: on {compared['images']} images, sitegen's way changes "
        f"probabilities by {largest:.2g} percentage points at most."
    ]
    if compared["suggested"] is not None:
        lines.append(
            f"Closer to the source is fraction = {compared['suggested']:g} under [image]; the report says more."
        )
    return lines
