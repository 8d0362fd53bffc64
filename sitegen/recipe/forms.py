"""The form of a bundle's weights: put into its graphs, scoring its images, and judged beside the original."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sitegen.data.records import VALID
from sitegen.errors import SettingsError
from sitegen.evaluation.classifier.scored import Scored, score_checkpoint, score_logits
from sitegen.export.agreement import samples
from sitegen.export.proof import Images
from sitegen.export.variants.static import quantise
from sitegen.gate.bundle import needs_features
from sitegen.graphs.files import INPUT
from sitegen.graphs.names import CLASSIFIER, LOGITS
from sitegen.graphs.session import open_session
from sitegen.graphs.signature import stored_tensors
from sitegen.graphs.weight_forms import STATIC
from sitegen.recipe.document_types import FormDocument
from sitegen.recipe.harmless import judged
from sitegen.recipe.source import ExportSource
from sitegen.site.weight_layout import lay_out, layout_of
from sitegen.training.prepare import ImageSplit, load_split


@dataclass(frozen=True)
class PutForm:
    """What the classifier says of the images of each split, and what the form of its weights is; None as trained."""

    scored: dict[str, Scored]
    document: FormDocument | None


def load_splits(source: ExportSource, splits: Sequence[str]) -> dict[str, ImageSplit]:
    """Return the images of splits by name. Raises SettingsError where the form cannot be had with the bundle's gate."""
    if source.form == STATIC and needs_features(source.gate, source.plan):
        raise SettingsError(
            "The gate's scores need pooled features, which a classifier of whole numbers does not give as it was "
            "trained. Take --weights int8 or half, or other scores in the recipe's [gate]."
        )
    return {split: load_split(source.recipe, source.records, split, source.work) for split in splits}


def put_form(source: ExportSource, parts: dict[str, ImageSplit], folder: Path, margin: float) -> PutForm:
    """Put the classifier of a folder into the form that is asked for, score all images with it, and judge it.

    Raises ExportError where the network cannot be put into it, or where it is not proved harmless within the margin.
    """
    before = _bytes(folder, laid=False)
    numbers = _numbers(source, parts[VALID], folder)
    scored = {split: _score(source, part, folder) for split, part in parts.items()}
    if source.form == "float":
        return PutForm(scored, None)
    valid = parts[VALID]
    original = score_checkpoint(source.original, valid.records, valid.tensors, valid.problems)
    document: FormDocument = {
        "form": source.form,
        "numbers": numbers,
        "bytes": {"float": before, "stored": _bytes(folder, laid=True)},
        **judged(original, scored[VALID], margin),
    }
    return PutForm(scored, document)


def sample(tensors: Images) -> Images:
    """Return images that are spread evenly over all of them."""
    return np.ascontiguousarray(tensors[samples(len(tensors))])


def _numbers(source: ExportSource, valid: ImageSplit, folder: Path) -> int:
    """How many weights there are; those of whole numbers are put in place of the others."""
    if source.form == STATIC:
        return quantise(folder / CLASSIFIER, sample(valid.tensors))
    return sum(value.numel() for value in source.trained.network.parameters())


def _score(source: ExportSource, part: ImageSplit, folder: Path) -> Scored:
    if source.form != STATIC:
        return score_checkpoint(source.trained, part.records, part.tensors, part.problems)
    session = open_session(folder / CLASSIFIER)
    made = [session.run([LOGITS], {INPUT: np.ascontiguousarray(image[np.newaxis])})[0] for image in part.tensors]
    logits = np.concatenate(made).astype(np.float64) if made else np.empty((0, len(source.trained.labels)))
    return score_logits(source.trained, part.records, logits, part.problems)


def _bytes(folder: Path, *, laid: bool) -> int:
    """What the classifier takes, as files or as sites lay it out, before they compress it."""
    graph = folder / CLASSIFIER
    tensors = stored_tensors(graph)
    if not tensors:
        return graph.stat().st_size
    weights = graph.with_suffix(".weights").read_bytes()
    layout = layout_of(weights, tensors) if laid else ""
    return graph.stat().st_size + len(lay_out(weights, layout, tensors))
