"""What a graph may differ by from the original: what float32 makes of the network, and no more.

Networks of hundreds of layers multiply rounding: PyTorch's own float32 is then further from float64 than 1e-5. So
where a graph is further than that from the original as its library runs it, the original is run in float64 as well. The
graph may then be as far from that as FACTOR times what the original's own float32 is, in logits and in probability, and
never further than CAP. Another mode, axis or scale is off by more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sitegen.errors import ExportError
from sitegen.export.agreement import TOLERANCE, apart
from sitegen.importing.proof.graph_run import Values, sigmoid

FACTOR = 8.0
CAP = 2e-3  # of logits, in the units of `apart`
PROBABILITY = 1e-5  # that every label's is allowed, however exact the original is
_WORST = 4  # images that are run in float64

Both = Callable[[list[int]], tuple[Values, Values] | None]


@dataclass
class Yardstick:
    """The original's logits [N, labels], `than` whose they are; `both` runs some images in float32 and in float64."""

    expected: Values
    than: str
    both: Both = lambda places: None
    own: float | None = field(default=None, init=False)  # the original's own deviation, where it was measured
    own_probability: float = field(default=0.0, init=False)

    @property
    def limit(self) -> float:
        """Of the difference of logits."""
        return TOLERANCE if self.own is None else min(CAP, max(TOLERANCE, FACTOR * self.own))

    @property
    def probability_limit(self) -> float:
        """Of the difference of probabilities, where logits differ by more than TOLERANCE."""
        return max(PROBABILITY, FACTOR * self.own_probability)

    def check(self, name: str, made: Values) -> float:
        """Return the largest difference of a graph's logits. Raises ExportError where it is more than is allowed."""
        largest = apart(made, self.expected)
        if not largest <= TOLERANCE and np.isfinite(made).all() and self.own is None:
            self._measure(made)
            largest = apart(made, self.expected)
        moved = float(np.abs(sigmoid(made) - sigmoid(self.expected)).max())
        if not largest <= self.limit or (largest > TOLERANCE and moved > self.probability_limit):
            raise ExportError(
                f"{name} gives logits that differ by {largest:.3g} from those of {self.than}, and at most "
                f"{self.limit:.3g} is allowed{self._reason()}"
            )
        return largest

    def _reason(self) -> str:
        wrong = "The model was translated wrongly: update onnx and onnxruntime (and torch), or report it."
        if self.own is None:
            return f". {wrong}"
        if self.own <= CAP:
            return f" (its own float32 is off by {self.own:.3g}). {wrong}"
        return (
            f". Its own float32 is off by {self.own:.3g} from its float64: the network makes so much of rounding that "
            "no two engines agree on it. Look for weights that were never trained, or for an image of another range."
        )

    def _measure(self, made: Values) -> None:
        """Take float64 as what is expected for the images that are furthest off."""
        away = (np.abs(made - self.expected) / np.maximum(1, np.abs(self.expected))).max(axis=1)
        places = sorted(int(place) for place in np.argsort(-away)[:_WORST])
        found = self.both(places)
        if found is None:
            return
        narrow, wide = found
        if not (np.isfinite(narrow).all() and np.isfinite(wide).all()):
            return
        self.own = apart(narrow, wide)
        self.own_probability = float(np.abs(sigmoid(narrow) - sigmoid(wide)).max())
        self.expected = self.expected.copy()
        self.expected[places] = wide
