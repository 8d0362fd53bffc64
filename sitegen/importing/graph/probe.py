"""What a graph gives for noise: whether that can be what its user says that it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from sitegen.errors import ModelError
from sitegen.graphs.session import TookTooLong, open_session, run_within
from sitegen.importing.graph.shapes import declared

PROBES = 4
_SCALES = (0.1, 1.0, 1.0, 3.0)  # of the noise: most networks see numbers of about 1
_SPARE = 1e-4  # that float32 may take a sum or a limit from where it should be


@dataclass(frozen=True)
class Probed:
    """Outputs [PROBES, labels] for noise."""

    values: NDArray[np.float64]

    @property
    def inside(self) -> bool:
        """Whether all lie between 0 and 1."""
        return bool((self.values >= -_SPARE).all() and (self.values <= 1 + _SPARE).all())

    @property
    def softmax(self) -> bool:
        """Whether all lie between 0 and 1 and have the sum 1 for each image."""
        return self.inside and self.values.shape[1] > 1 and bool(np.abs(self.values.sum(axis=1) - 1).max() < _SPARE)

    @property
    def percentages(self) -> bool:
        """Whether all lie between 0 and 100, and not all of them between 0 and 1."""
        return bool((self.values >= -_SPARE).all() and (self.values <= 100 + _SPARE).all()) and not self.inside

    @property
    def shares_of_a_sum(self) -> bool:
        """Whether none is negative, and each image's have the same sum, which is not 1.

        Numbers that hardly differ between images have sums that hardly do, and tell nothing.
        """
        sums = self.values.sum(axis=1)
        apart = float(np.ptp(sums))
        same = (
            apart < _SPARE * max(1.0, float(np.abs(sums).max()))
            and float(np.ptp(self.values, axis=0).max()) > 10 * apart
        )
        return self.values.shape[1] > 1 and bool((self.values >= 0).all()) and same and not self.softmax

    def __str__(self) -> str:
        return f"from {self.values.min():.4g} to {self.values.max():.4g}"


def noises(shape: Sequence[int]) -> list[NDArray[np.float32]]:
    """Return inputs of a shape, of several widths around 0."""
    random = np.random.default_rng(0)
    return [np.float32(scale) * random.standard_normal(shape, np.float32) for scale in _SCALES]


def probe(model: ModelProto) -> Probed:
    """Return what the only output of a graph with one input is for noise. Sizes that are open are taken as 1.

    Raises ModelError where it does not run, or gives what are no numbers.
    """
    (given,) = model.graph.input
    shape = [size or 1 for size in declared(given) or ()]
    try:
        session = open_session(model.SerializeToString())
        made = [run_within(session, None, {given.name: noise})[0] for noise in noises(shape)]
    except TookTooLong as error:
        raise ModelError(f"The model cannot be run: {error}. Export it without that loop.") from error
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        raise ModelError(f"ONNX Runtime cannot run the model: {error}. Export it with opset 18.") from error
    values = np.stack([np.asarray(each, np.float64)[0].reshape(-1) for each in made])
    if not np.isfinite(values).all():
        raise ModelError("The model gives numbers that are NaN or infinite for noise. Look for damaged weights.")
    return Probed(values)
