"""What every source of models gives: a classifier's graph and facts, the original to compare it with, its own eyes.

The rest of an import, `sitegen.importing.bundle` and `sitegen.importing.report.page`, knows no source.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sitegen.bundle import Label
from sitegen_runtime.bundle.model import NetworkInput

Images = NDArray[np.float32]
Logits = NDArray[np.float64]


class Original(Protocol):
    """The model as its own library runs it."""

    library: str  # with its version, for people: "PyTorch 2.13.0"

    def logits(self, images: Images) -> Logits:
        """Return [N, labels] for images float32 [N, channels, side, side], each image run by itself."""

    def in_both(self, images: Images) -> tuple[Logits, Logits] | None:
        """Return [N, labels] computed in float32, and in float64; None where the library cannot do both."""

    def gradients(self, images: Images, label: int) -> Images | None:
        """Return the gradient of one label's logit with respect to each image; None where the library gives none."""


class Preparation(Protocol):
    """How the model's own code makes numbers of an image file: what sitegen's way is compared with."""

    described: str  # a sentence: "torchvision: shorter side to 256 by bilinear interpolation, centre of 224, …"

    def tensor(self, content: bytes) -> Images:
        """Return float32 [channels, side, side] for the bytes of an image file. Raises OSError or ValueError."""


@dataclass(frozen=True)
class ImportedClassifier:
    """A classifier that was read, and everything that a bundle needs to know of it.

    `write` puts `classifier.onnx` (with its weights beside it) into a folder: one input "image", float32 of the fixed
    shape `image.shape`, and one output "logits", float32 [1, labels], whose sigmoid is the model's own probability.
    `original` and `preparation` are None where the source brings none. `provenance` is plain data: where the model
    comes from, hashes of its files, what was changed on the way. `remarks` are sentences for people.
    """

    name: str  # of the bundle: lower-case letters, digits, ".", "_", "-"
    title: str
    labels: Sequence[Label]
    image: NetworkInput
    write: Callable[[Path], None]
    original: Original | None
    preparation: Preparation | None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = ()
