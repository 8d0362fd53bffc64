"""What an import would do: read off the model and the settings, before anything is exported or written."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitegen.importing.source import ImportedClassifier


def told(model: "ImportedClassifier", out: Path | None) -> list[str]:
    """Return lines on the bundle that would be made, and on what was assumed."""
    from sitegen.bundle.fitting import seen_words, size_words

    image, labels = model.image, [label.name for label in model.labels]
    low, high = image.range
    lines = [
        f"It would be imported as {model.name!r}, called {model.title!r}.",
        f"Findings ({len(labels)}): {', '.join(labels)}.",
        f"Images: {size_words(image)} {image.colour}, {seen_words(image)}; "
        f"black and white are {low:g} and {high:g}, less {_numbers(image.mean)}, by {_numbers(image.std)}.",
        f"Output: {model.provenance.get('output', 'logits')}.",
        f"Compared with: {model.original.library if model.original else 'nothing, there is no original to run'}.",
    ]
    if model.preparation:
        lines.append(f"The source prepares images so: {model.preparation.described}")
    if out is not None:
        lines.append(f"{out} would be {'replaced' if out.exists() else 'made'}.")
    return [
        *lines,
        "Nothing was written. Whether graphs can be written, and are right, an import without --check says.",
    ]


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)
