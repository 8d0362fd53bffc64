"""`sitegen export`: from a trained checkpoint to a bundle."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitegen.cli._options import DataOption, WorkOption, choice, require_training, work_folder
from sitegen.graphs.weight_forms import WEIGHTS
from sitegen_runtime.calibration import CALIBRATIONS

if TYPE_CHECKING:
    from sitegen.recipe.export_bundle import ExportReport


def export(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="What sitegen train classifier wrote.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="BUNDLE", help="The bundle's folder.")],
    data: DataOption = None,
    work: WorkOption = None,
    calibration: Annotated[
        str | None,
        choice("--calibration", CALIBRATIONS, "How probabilities are mapped for people; the recipe's by default."),
    ] = None,
    gate: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|BUNDLE", help="A trained gate, or a bundle whose gate is taken over; the recipe's by default."
        ),
    ] = None,
    final: Annotated[
        bool, typer.Option("--final", help="Also open the test images, and put their figures on the card.")
    ] = False,
    weights: Annotated[
        str | None,
        choice("--weights", WEIGHTS, "The form of the weights, judged on validation images; the recipe's by default."),
    ] = None,
    margin: Annotated[
        float,
        typer.Option("--margin", min=0, metavar="AUC", help="By how much a form of the weights may change an AUC."),
    ] = 0.01,
) -> None:
    """Make a bundle: operating points and calibration from validation images, ONNX graphs, proof, card."""
    require_training()
    from sitegen.recipe.export_bundle import export_bundle
    from sitegen.recipe.source import recipe_of_checkpoint

    folder = work_folder(work, recipe_of_checkpoint(checkpoint).name)
    form: Any = weights
    report = export_bundle(
        checkpoint, out, data, folder, calibration=calibration, gate=gate, final=final, weights=form, margin=margin
    )
    for warning in report.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    for line in _summary(report):
        typer.echo(line)
    typer.echo(f"Read the card, and add what no figure says: {out / 'card.md'}")
    typer.echo(f"Next: sitegen build --bundle {shlex.quote(str(out))} --out dist")


def _summary(report: "ExportReport") -> list[str]:
    from sitegen.bundle.headline import first_words
    from sitegen.export.card_figures import splits_of

    lines = [
        f"{fitted.label.name}: operating point {fitted.label.operating_point:.4f}, "
        f"{fitted.label.calibration.method if fitted.label.calibration else 'no'} calibration, "
        f"chosen on {fitted.images} validation images, {fitted.positives} of which have it"
        for fitted in report.labels
    ]
    metrics = report.bundle.description.metrics
    proof, files = report.proof, report.bundle.description.files
    for split, measured in splits_of(metrics).items():
        lines += [f"{name}, AUC on {split} images: {_auc(part)}" for name, part in measured["findings"].items()]
    lines.append(
        f"ONNX Runtime gives PyTorch's logits on {proof.images} images: they differ by {proof.largest:.1e} at most."
    )
    lines += _form(report.bundle.description.provenance.get("weights"))
    lines.append(first_words(metrics))
    total = sum(entry.bytes for entry in files.values())
    lines.append(f"Wrote {report.bundle.folder}: {len(files)} files, {total / 1e6:.2f} MB. Not for diagnostic use.")
    return lines


def _form(stored: Mapping[str, Any] | None) -> list[str]:
    """What the form of the weights does."""
    if not stored:
        return []
    size, mean = stored["bytes"], stored["mean_difference"]
    told = (
        f"Weights in the form {stored['form']}: {size['stored'] / 1e6:.2f} MB for {size['float'] / 1e6:.2f} MB before "
        f"compression; on {stored['images']} validation images probabilities move by {100 * stored['largest']:.2g} "
        "percentage points at most, "
    )
    if not mean:
        return [f"{told}and no AUC could be compared."]
    return [f"{told}the mean AUC by {mean['value']:+.4f} ({mean['low']:+.4f} to {mean['high']:+.4f})."]


def _auc(figures: Mapping[str, Any]) -> str:
    auc = figures["auc"]
    return f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})" if auc else "not defined, for a class is missing"
