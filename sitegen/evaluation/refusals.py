"""What a bundle's gate refuses, measured through the prediction that users run."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.progress import track

from sitegen.prediction import Predictor
from sitegen_runtime.document import Document


def predict_all(predictor: Predictor, paths: Sequence[Path]) -> list[Document]:
    """Return the result documents of images, in order; refused images are analysed all the same."""
    return [predictor.predict(path, force=True) for path in track(paths, "predicting", transient=True)]


def accepts(document: Document) -> bool:
    """Tell whether the image may be judged: no error, and accepted by the gate if there is one."""
    return "error" not in document and (document["gate"] is None or bool(document["gate"]["accepted"]))


def refused_by_category(predictor: Predictor, files: Iterable[tuple[str, Path]]) -> dict[str, dict[str, int]]:
    """Return, for images that are no chest radiographs by (category, path), how many there are and are refused."""
    pairs = sorted(files)
    counts = {category: {"images": 0, "refused": 0} for category, _ in pairs}
    for (category, _), document in zip(pairs, predict_all(predictor, [path for _, path in pairs]), strict=True):
        counts[category]["images"] += 1
        counts[category]["refused"] += not accepts(document)
    return counts
