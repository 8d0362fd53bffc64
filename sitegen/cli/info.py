"""`sitegen info`: what a bundle holds, after checking that it is whole."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sitegen.bundle import Bundle, Description


def info(folder: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's folder.")]) -> None:
    """Check a bundle and show what it holds."""
    from rich.table import Table

    from sitegen.bundle import load_bundle
    from sitegen.cli._progress import PlainConsole

    bundle = load_bundle(folder)
    table = Table(show_header=False, box=None)
    for name, value in _facts(bundle):
        table.add_row(name, value)
    PlainConsole().print(table)


def _facts(bundle: "Bundle") -> list[tuple[str, str]]:
    description = bundle.description
    facts = [
        ("bundle", f"{description.name} {description.version}"),
        ("title", description.title),
        ("SHA-256", bundle.model.sha256),
        ("weights", description.licence.weights),
        ("data", description.licence.data),
    ]
    for role, graph in description.graphs.items():
        shapes = ", ".join(f"{entry.name} {entry.shape} {entry.colour or ''}".strip() for entry in graph.inputs)
        facts.append((f"graph: {role}", f"{graph.file}; takes {shapes}"))
    for label in description.labels:
        calibration = label.calibration.method if label.calibration else "no calibration"
        facts.append(("label", f"{label.name}; operating point {label.operating_point:.4f}; {calibration}"))
    facts.append(("gate", _gate(description)))
    facts.append(("expects of DICOM headers", _expected(bundle)))
    golden = description.golden
    facts.append(("golden example", golden.image if golden else "none"))
    mapped = description.feature_map
    where = f"{mapped.output} of the graph {mapped.graph}, with {mapped.weights}" if mapped else "none"
    facts.append(("feature map", where))
    facts += _measured(description)
    total = sum(entry.bytes for entry in description.files.values())
    facts.append(("files", f"{len(description.files)}, {total / 1e6:.2f} MB, all hashes as recorded"))
    return facts


def _gate(description: "Description") -> str:
    gate = description.gate
    if gate is None:
        return "this model has no gate"
    limits = [f"{gate.metric} at least {gate.threshold:.4f}"]
    for score in gate.scores:
        limits.append(f"{score.metric} {'at least' if score.higher == 'alike' else 'at most'} {score.threshold:.4f}")
    share = "" if gate.share is None else f"; {gate.share:.1%} of the validation images pass"
    return ", ".join(limits) + share


def _expected(bundle: "Bundle") -> str:
    expects = bundle.model.expects
    lists = {"modality": expects.modalities, "body part": expects.body_parts, "view": expects.views}
    parts = [f"{name} {', '.join(codes) or 'any'}" for name, codes in lists.items()]
    said = "" if bundle.description.expects else " (nothing is said: as for chest radiographs)"
    return "; ".join([*parts, *(["for processing, too"] if expects.unprocessed else [])]) + said


def _measured(description: "Description") -> list[tuple[str, str]]:
    """What `sitegen export` wrote of its proof and its figures; other bundles may have anything there."""
    from sitegen.bundle.headline import first_words

    facts = []
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        for split, part in description.metrics.items():
            if split == "headline":
                facts.append(("measured", first_words(description.metrics)))
                continue
            for label, figures in part["findings"].items():
                auc = figures["auc"]
                shown = f"{auc['value']:.3f} ({auc['low']:.3f}–{auc['high']:.3f})" if auc else "not defined"
                facts.append((f"AUC, {split}", f"{label} {shown}"))
    with suppress(KeyError, TypeError, ValueError):
        proof = description.provenance["proof"]
        within = f"within {proof['classifier']:.1e} of PyTorch's logits"
        facts.append(("proof", f"ONNX Runtime {within} on {proof['images']} images"))
    return facts
