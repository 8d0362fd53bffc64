"""The runtime's scores of one image and its reconstructions; without PyTorch, so that processes start quickly."""

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from sitegen_runtime.bundle.gate import Gate, ScoreLimit
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.gate.decision import decide
from sitegen_runtime.gate.metrics import METRICS, SSIM, STAGE_ONE
from sitegen_runtime.gate.reconstruction_scores import as_shares
from sitegen_runtime.gate.variants import closest
from sitegen_runtime.pixels.corrections import CORRECTIONS

Values = NDArray[np.float32]
OF_NETWORK = tuple(metric for metric, about in METRICS.items() if about.stage == STAGE_ONE)
"""The metrics that need a reconstruction network alone."""

_EVERYTHING = Gate(
    SSIM, -inf, tuple(ScoreLimit(name, inf, METRICS[name].higher) for name in OF_NETWORK if name != SSIM)
)


@dataclass(frozen=True)
class Rebuilt:
    """An image as a network takes it and gives it back, both float32 [C, side, side], and its latent [L].

    `variants` are the same pairs [V, 2, C, side, side] of the image turned and inverted, as CORRECTIONS are listed.
    """

    image: Values
    reconstruction: Values
    latent: Values
    variants: Values


def measured(rebuilt: Rebuilt, image: NetworkInput) -> dict[str, float]:
    """Return the raw value of each metric in OF_NETWORK; nothing where one of them is no finite number."""
    if not all(np.isfinite(part).all() for part in (rebuilt.reconstruction, rebuilt.latent, rebuilt.variants)):
        return {}
    planes = {
        correction: (as_shares(pair[0].ravel().tolist(), image), as_shares(pair[1].ravel().tolist(), image))
        for correction, pair in zip(CORRECTIONS, rebuilt.variants, strict=True)
    }
    decision = decide(
        rebuilt.image.ravel().tolist(),
        {"reconstruction": rebuilt.reconstruction.ravel().tolist(), "latent": rebuilt.latent.tolist()},
        image,
        _EVERYTHING,
        closest(planes, image.side),
    )
    values = {metric: float(decision.measured[metric]) for metric in OF_NETWORK}
    return values if all(map(isfinite, values.values())) else {}
