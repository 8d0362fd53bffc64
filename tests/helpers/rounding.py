"""How far rounding may take a result, on any processor: bounds that know the conditioning of what is computed.

Engines, their versions and processors add up in other orders, fuse a product with a sum, and approximate `exp` by other
polynomials. None is wrong: each gives what exact arithmetic gives where every operator reads numbers that are off in
their last place (backward error: Higham, Accuracy and Stability of Numerical Algorithms, 2002, sections 1.5 and 3.1).
So the reference is computed by torch in double precision, and again with all numbers that an operator reads, forwards
and backwards, moved by up to 2**-24 of themselves, the roundoff of float32. How far that moves the result is what one
rounding of each number makes of it, cancellation and all; a wrong formula is off by as much in double precision.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

Array = np.ndarray[Any, Any]

ROUNDOFF = 2.0**-24  # of float32: half the distance from 1 to the next number
DRAWS = 3
MARGIN = 16.0
"""How many times further than one rounding of each number read results may be.

Where n products are added one by one, each partial sum is rounded. As random walks, these n roundings of growing sums
take the total sqrt(n / 3) times as far as a rounding of each product does: 16 times for n = 768, and seldom more, as
kernels add in blocks. Approximations of `exp`, `erf` and `tanh` may be off by two to four units in the last place.
"""


class Misread(TorchDispatchMode):
    """Within, every operator reads double-precision numbers that are off by up to `ROUNDOFF` of themselves.

    By how much follows from the number and from the operator's place in the run: equal numbers stay equal, so that ties
    stay ties, and zeros and infinities stay what they are. Operators that give truth values or places decide on the
    numbers as they are.
    """

    def __init__(self, draw: int) -> None:
        """Each `draw` gives other errors."""
        super().__init__()
        self._phases = np.random.default_rng(draw)

    def __torch_dispatch__(
        self, operator: Any, types: Any, arguments: tuple[Any, ...] = (), options: dict[str, Any] | None = None
    ) -> Any:
        """Run one operator."""
        phase = self._phases.uniform(0, 2 * np.pi)
        if not (operator.is_view or operator._schema.is_mutable):
            moved = tree_map_only(Tensor, lambda read: _moved(read, phase), arguments)
            results = operator(*moved, **(options or {}))
            if all(result.is_floating_point() for result in tree_leaves(results) if isinstance(result, Tensor)):
                return results
        return operator(*arguments, **(options or {}))


def _moved(read: Tensor, phase: float) -> Tensor:
    if read.dtype != torch.float64:
        return read
    mantissa, _ = torch.frexp(read)
    return torch.where(read.isfinite(), read * (1 + ROUNDOFF * torch.sin(1e6 * mantissa + phase)), read)


def allowed(reference: Callable[[], Sequence[Array]], exact: Sequence[Array], draws: int = DRAWS) -> list[float]:
    """The largest relative L2 errors of float32 results that rounding explains, one for each result.

    `reference` computes the results by torch in double precision; `exact` are those results.
    """
    moved = [relative_errors(_misread(reference, draw), exact) for draw in range(draws)]
    return [MARGIN * max(ROUNDOFF, *errors) for errors in zip(*moved, strict=True)]


def _misread(reference: Callable[[], Sequence[Array]], draw: int) -> Sequence[Array]:
    with Misread(draw):
        return reference()


def relative_errors(found: Sequence[Array], exact: Sequence[Array]) -> list[float]:
    """|found - exact| / |exact| of each pair, in L2; the plain |found - exact| where all of `exact` is zero."""
    return [relative_error(*pair) for pair in zip(found, exact, strict=True)]


def relative_error(found: Array, exact: Array) -> float:
    """|found - exact| / |exact|, in L2; the plain |found - exact| where all of `exact` is zero."""
    assert found.shape == exact.shape, f"shape {found.shape} instead of {exact.shape}"
    truth = exact.astype(np.float64)
    return float(np.linalg.norm(found - truth) / (np.linalg.norm(truth) or 1.0))


def assert_close(found: Array, exact: Array, bound: float, what: str) -> None:
    """The relative L2 error is at most `bound`, which `allowed` gave; scaled to the precision in which `found` is."""
    error, scaled = relative_error(found, exact), bound * float(np.finfo(found.dtype).eps) / 2 / ROUNDOFF
    assert error <= scaled, f"{what}: relative L2 error {error:.2e}, while rounding explains {scaled:.2e}"
