"""Maps of a bundle against boxes: from files to figures.

localise(bundle, images, boxes, ...)     the document, and images that could not be looked at
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from sitegen.bundle import Bundle
from sitegen.data.audit.document_types import ProblemDocument
from sitegen.errors import DataError
from sitegen.evaluation.explanations.localisation.boxes import read_boxes
from sitegen.evaluation.explanations.localisation.cases import Listed, gather
from sitegen.evaluation.explanations.localisation.document import localisation_document
from sitegen.evaluation.explanations.localisation.document_types import LocalisationDocument
from sitegen.evaluation.explanations.localisation.measured import look


@dataclass(frozen=True)
class Localisation:
    """The figures, and the images that could not be looked at."""

    document: LocalisationDocument
    problems: list[ProblemDocument]


def localise(
    bundle: Bundle,
    images: Sequence[Listed],
    boxes: Path,
    methods: Sequence[str],
    *,
    split: str | None = None,
    finding: str | None = None,
    force: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> Localisation:
    """Return what the maps of these methods, which the bundle can give, are worth against the boxes of a CSV file.

    `split` None is the test images where there are splits; `finding` is one of the model's, None all of them. Raises
    DataError where no image with boxes can be looked at, and what `read_boxes` and `gather` raise; BundleError where
    the bundle has no gradient graph.
    """
    labels = [label.name for label in bundle.model.labels]
    drawn = [box for box in read_boxes(boxes) if finding is None or box.finding.lower() == finding.lower()]
    gathered = gather(drawn, images, labels, split)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("Comparing with boxes", total=len(gathered.images))
        found = look(bundle, gathered, methods, force=force, done=lambda: progress.advance(task))
    if not found.rows:
        first = f" The first: {found.problems[0]['problem']}" if found.problems else ""
        raise DataError(f"No box lies in what the model sees of {len(gathered.images)} images with boxes.{first}")
    return Localisation(localisation_document(found, gathered, labels, boxes.name, resamples, seed), found.problems)
