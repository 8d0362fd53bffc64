"""What a bundle's gate makes of images: its network's input and output as grey planes of 8 bits.

Both are brought to shares of the range (0 black, 1 white), averaged over channels, cut at 0 and 1, and rounded to
0..255. Where a network's square lies in the upright picture is told in shares of that.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from sitegen.bundle import load_bundle
from sitegen.data.images import inspected
from sitegen.data.tensors.cache import image_tensors
from sitegen.errors import SettingsError
from sitegen.evaluation.explanations.localisation.regions import Frame, frame_of
from sitegen.evaluation.reconstructions.planes import Plane, PlaneProblem
from sitegen.graphs.session import open_session
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.pixels.geometry import upright_size
from sitegen_runtime.pixels.views import view


@dataclass(frozen=True)
class Rebuilder:
    """A bundle's gate; it opens its network when it first needs it, and so can be sent to other processes."""

    graph: Path
    image: NetworkInput
    output: str

    def __call__(self, path: Path) -> tuple[Plane, Plane, Frame]:
        """Return an image file as the network sees it, what the network makes of it, and where in the image that lies.

        Raises PlaneProblem where the file cannot be read, or the network gives what is no number.
        """
        try:
            raw = read_image_file(path)
            tensor = image_tensors(raw, {"gate": self.image})["gate"]
            picture = inspected(raw)
        except AnalysisError as error:
            raise PlaneProblem(f"{path}: {error}") from error
        made = np.asarray(self._session.run([self.output], {self.image.name: tensor})[0])
        if not np.isfinite(made).all():
            raise PlaneProblem(f"{path}: the reconstruction has values that are no numbers. Check the bundle's gate.")
        upright = upright_size(picture.width, picture.height, picture.orientation)
        frame = frame_of(view(*upright, self.image).place, *upright)
        return self._plane(tensor), self._plane(made), frame

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return open_session(self.graph)

    def _plane(self, values: NDArray[np.float32]) -> Plane:
        low, high = self.image.range
        mean, std = (np.reshape(each, (-1, 1, 1)) for each in (self.image.mean, self.image.std))
        shares = ((values[0].astype(np.float64) * std + mean - low) / (high - low)).mean(axis=0)
        return np.asarray(np.rint(255 * np.clip(shares, 0.0, 1.0)), np.uint8)


def rebuilder(folder: Path) -> Rebuilder:
    """Return what rebuilds images with a bundle's gate. Raises SettingsError where the bundle has none."""
    bundle = load_bundle(folder)
    if bundle.model.gate is None:
        raise SettingsError(f"{folder} has no gate, which would rebuild images. Name a bundle that has one.")
    graph = bundle.model.graphs["gate"]
    return Rebuilder(bundle.graph_path("gate"), graph.images[0], graph.outputs["reconstruction"].name)
