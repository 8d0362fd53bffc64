"""Where the model looked, and how its logits change with the image: float32 arrays, with what to say of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.api.notebook import explanation_html, numbers_html
from sitegen.api.places import PathName, as_path
from sitegen.api.results import Result, read_result
from sitegen.prediction.explained_picture import ExplainedPicture
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import GradientDocument, GradientPart, ResultDocument
from sitegen_runtime.errors import BadExplanation
from sitegen_runtime.gradient import Gradient
from sitegen_runtime.maps.heat_map import Look
from sitegen_runtime.wording.explanations import NOT_FOR_DIAGNOSIS

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Where the model looked for a finding, by a method (docs/explanations.md).

    `map` is float32 [rows, columns] over the part of the image that the classifier sees, in the method's own unit: the
    larger, the more it raises the finding. `result` is what the model says of the same image; its document has the
    explanation, too. `words` are what the page shows beside the map, see `describe_map`.
    """

    finding: str
    method: str
    map: Array
    result: Result
    words: Mapping[str, Any]
    _picture: ExplainedPicture = field(repr=False)

    @property
    def document(self) -> ResultDocument:
        """The result document with this one of its `explanations`, as `sitegen predict --explain --json` prints it."""
        return self.result.document

    def image(
        self,
        *,
        opacity: float | None = None,
        colour_map: str | None = None,
        threshold: float | None = None,
        blur: int | None = None,
        legend: bool = False,
    ) -> Image.Image:
        """Return the upright image (RGB) with the map over it; with `legend`, words and the scale of colours below.

        `opacity`, above 0 and up to 1, is that of the strongest place; weaker places than the share `threshold` (0 to
        less than 1) of its strength are transparent; `colour_map` is "viridis", "cividis" or "inferno"; `blur` is a
        radius in pixels of the map's picture, up to 50. Raises ValueError for other values.
        """
        look = _look(opacity=opacity, colour_map=colour_map, threshold=threshold, blur=blur)
        return self._picture.legended(look) if legend else self._picture.drawn(look)

    def save(
        self,
        path: PathName,
        *,
        opacity: float | None = None,
        colour_map: str | None = None,
        threshold: float | None = None,
        blur: int | None = None,
    ) -> Path:
        """Write the image with map and legend as a PNG file, as `sitegen explain` does, and return its path.

        Raises ValueError for a name that does not end in .png, and as `image` does.
        """
        out = as_path(path, "A picture's file")
        if out.suffix.lower() != ".png":
            raise ValueError(f"{out} does not end in .png, which is what is written. Name another file.")
        self._picture.save(out, _look(opacity=opacity, colour_map=colour_map, threshold=threshold, blur=blur))
        return out

    def __str__(self) -> str:
        return "\n".join([*self.words["saved"]["lines"][:-1], NOT_FOR_DIAGNOSIS])

    def __repr__(self) -> str:
        rows, columns = self.map.shape
        return f"<Explanation {self.result.name}: {self.words['title']}, {rows} x {columns}; {self.words['place']}>"

    def _repr_html_(self) -> str:
        _, name, *sentences, _ = self.words["saved"]["lines"]
        return explanation_html(self.image(), name, self.words, sentences, self.document["bundle"])


@dataclass(frozen=True, eq=False, repr=False)
class GradientResult:
    """How the logits, each times its weight in `seed`, change with the values of the network's input.

    `gradient` is float32 in the shape of that input, [1, channels, side, side], with respect to its values after range,
    mean and deviation. Where the bundle's graph gives them, `features` is the last feature map and `features_gradient`
    the derivative with respect to it, of one shape; None elsewhere. `document` is the gradient document
    (docs/gradient-document.md).
    """

    document: GradientDocument
    seed: Mapping[str, float]
    logits: Mapping[str, float]
    gradient: Array
    features: Array | None
    features_gradient: Array | None

    def __str__(self) -> str:
        rows = [f"  {name}: {number}" for name, number in self._rows()]
        return "\n".join([f"{self.document['image']['name']}: gradient", *rows, NOT_FOR_DIAGNOSIS])

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.gradient.shape))
        return f"<GradientResult {self.document['image']['name']}: of {dict(self.seed)}, {shape}>"

    def _repr_html_(self) -> str:
        name = self.document["image"]["name"]
        return numbers_html("Gradient", name, self._rows(), self.document["bundle"])

    def _rows(self) -> list[tuple[str, str]]:
        weights = [f"{weight:g} x {label}" for label, weight in self.seed.items()]
        logits = [(f"logit of {label}", f"{logit:.4g}") for label, logit in self.logits.items()]
        parts = [(entry["role"], _extent(entry)) for entry in self.document["gradients"]]
        return [("of", " + ".join(weights)), *logits, *parts]


def read_explanation(picture: ExplainedPicture, model: Model) -> Explanation:
    """Return the typed form of an image's one map."""
    (found,) = picture.explained.maps
    values = np.array(found.values, np.float32).reshape(found.shape)
    result = read_result(picture.explained.document, model)
    return Explanation(found.finding, found.method, values, result, picture.words, picture)


def read_gradient(found: Gradient) -> GradientResult:
    """Return the typed form of a gradient and its document."""
    document = found.document
    shapes = {entry["role"]: entry["shape"] for entry in document["gradients"]}
    arrays = {role: np.array(values, np.float32).reshape(shapes[role]) for role, values in found.values.items()}
    return GradientResult(
        document=document,
        seed=document["seed"],
        logits=document["logits"],
        gradient=arrays["gradient"],
        features=arrays.get("features"),
        features_gradient=arrays.get("features-gradient"),
    )


def _look(**given: Any) -> Look:
    try:
        return Look.read({name: value for name, value in given.items() if value is not None})
    except BadExplanation as error:
        raise ValueError(str(error)) from None


def _extent(entry: GradientPart) -> str:
    shape = " x ".join(map(str, entry["shape"]))
    return f"{shape}, from {entry['min']:.4g} to {entry['max']:.4g}"
