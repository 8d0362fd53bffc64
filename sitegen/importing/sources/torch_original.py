"""A network of PyTorch as the original that an import is compared with, and what its output is.

Where a network ends with a sigmoid or a softmax, the numbers before it are caught as it runs: a probability near 0 or
1 no longer tells its logit to five digits.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.graph.ending import CLOSEST
from sitegen.importing.settings import OutputKind
from sitegen.importing.source import Images, Logits

_SIGMOID = "aten::sigmoid"
_SOFTMAXES = {"aten::_softmax", "aten::_log_softmax"}
_JOINING = {"aten::cat", "aten::stack"}
_LINEAR = {
    f"aten::{name}"
    for name in (
        "add",
        "addmm",
        "baddbmm",
        "bmm",
        "cat",
        "convolution",
        "linear",
        "matmul",
        "mean",
        "mkldnn_convolution",
        "mm",
        "mul",
        "stack",
        "sub",
        "sum",
    )
}  # what networks end with that give logits


class OneOutput(nn.Module):
    """A network that gives [N, labels], whatever more, or in whatever form, the one inside gives."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return the first output for images [N, channels, side, side] as [N, labels]."""
        outputs = self.network(images)
        # Written so that TorchScript compiles it, around a network of its own that gives either.
        if isinstance(outputs, (tuple, list)):  # noqa: SIM108
            first = outputs[0]
        else:
            first = outputs
        made: Tensor = first
        if made.dim() != 2:
            made = made.reshape(images.shape[0], -1)
        return made


@dataclass
class _Call:
    """An operator that ran, where the numbers lie that it made, and how many; what it was given, where that matters."""

    operator: Any
    place: int
    count: int
    given: Sequence[Any]

    @property
    def name(self) -> str:
        """As in "aten::sigmoid"."""
        return str(self.operator._schema.name)


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the operators of a run, and keeps what sigmoids, softmaxes and what joins their outputs were given."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[_Call] = []

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operator, and note it."""
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and not func.is_view:
            kept = func._schema.name in {_SIGMOID} | _SOFTMAXES | _JOINING
            place = made.untyped_storage().data_ptr()
            self.calls.append(_Call(func, place, made.numel(), args if kept else ()))
        return made

    def end(self, tensor: Tensor) -> _Call | None:
        """Return the operator that made a tensor's numbers, behind those that only give them another shape.

        Memory is used again and again: the last operator that wrote to a place is the one whose numbers are there.
        """
        place, count = tensor.untyped_storage().data_ptr(), tensor.numel()
        found = next((call for call in reversed(self.calls) if call.place == place), None)
        return found if found is not None and found.count == count else None

    def before_sigmoid(self, tensor: Tensor) -> Tensor | None:
        """Return what the sigmoid that made a tensor was given, in the tensor's shape; of several, joined likewise."""
        call = self.end(tensor)
        if call is not None and call.name == _SIGMOID:
            given: Tensor = call.given[0]
            return given.reshape(tensor.shape)
        if call is None or call.name not in _JOINING:
            return None
        parts = [self.before_sigmoid(part) for part in call.given[0]]
        if any(part is None for part in parts):
            return None
        joined: Tensor = call.operator(parts, *call.given[1:])
        return joined.reshape(tensor.shape)


class TorchOriginal:
    """A network on the CPU, in evaluation; `kind` is what it gives."""

    def __init__(self, network: nn.Module, kind: OutputKind, library: str = "") -> None:
        self.network, self.kind = network.eval(), kind
        self.library = library or f"PyTorch {torch.__version__}"

    def logits(self, images: Images) -> Logits:
        """Return float64 [N, labels] for images float32 [N, channels, side, side], each run by itself."""
        with torch.no_grad():
            made = [self._logits(torch.from_numpy(image[np.newaxis])) for image in images]
        return np.asarray(torch.cat(made).double().numpy())

    def gradients(self, images: Images, label: int) -> Images | None:
        """Return d logit / d image, float32 [N, channels, side, side], for one label; None where there is none."""
        parts = []
        for image in images:
            given = torch.from_numpy(image[np.newaxis]).requires_grad_()
            with torch.enable_grad():
                logit = self._logits(given)[0, label]
            if not logit.requires_grad:
                return None
            parts.append(torch.autograd.grad(logit, given)[0].numpy())
        return np.concatenate(parts)

    def _logits(self, images: Tensor) -> Tensor:
        if self.kind == "logits":
            with _as_written():
                logits: Tensor = self.network(images)
            return logits
        with _as_written(), _Watch() as watch:
            output: Tensor = self.network(images)
        if self.kind == "softmax":
            end = watch.end(output)
            scores: Tensor = end.given[0] if end is not None and end.name in _SOFTMAXES else output
            return against_the_rest(scores.reshape(output.shape))
        before = watch.before_sigmoid(output)
        return torch.logit(output.double(), CLOSEST) if before is None else before


def _as_written() -> AbstractContextManager[None]:
    """Run TorchScript operator by operator: once optimised, whole parts of it have no gradients inside."""
    unoptimised: AbstractContextManager[None] = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
    return unoptimised


def against_the_rest(scores: Tensor) -> Tensor:
    """Return z_i - log sum_{j != i} exp z_j for scores z [N, labels]: what the sigmoid makes the softmax's share of."""
    wide = scores.double()
    own = torch.eye(wide.shape[1], dtype=torch.bool)
    return wide - wide.unsqueeze(1).masked_fill(own, -torch.inf).logsumexp(2)


def output_kind(
    network: nn.Module, shape: Sequence[int], said: OutputKind | None, usual: OutputKind | None
) -> OutputKind:
    """Return what a network gives: how it ends decides, else what its user says, else what is usual for its source.

    `shape` is that of an input, [1, channels, side, side]. Raises SettingsError where nothing tells, or where what
    was said cannot be; ModelError where the network does not run.
    """
    with torch.no_grad(), _Watch() as watch:
        output = run_once(network, shape)
    end, sigmoid = watch.end(output), watch.before_sigmoid(output) is not None
    name = end.name.removeprefix("aten::") if end is not None else "an operator that is not known here"
    if said == "logits":
        return "logits"
    if sigmoid and said != "softmax":
        return "probabilities"
    if said == "softmax" and (sigmoid or output.shape[1] < 2):
        raise SettingsError(
            f'output is "softmax", but the network ends with {name} and has {output.shape[1]} output(s). '
            'Say output = "probabilities", or leave it out.'
        )
    if end is not None and end.name in _SOFTMAXES and output.shape[1] > 1:
        return "softmax"
    if said == "softmax" and bool((output >= 0).all()) and abs(float(output.sum()) - 1) < 1e-4:
        return "probabilities"  # a softmax written out: log(p / (1 - p)) is its logit, too
    if said or usual:
        return said or usual or "logits"
    if end is None or end.name not in _LINEAR:
        raise SettingsError(
            f"the network ends with {name}, which does not tell what it gives. Say it: output = "
            '"logits", "probabilities" or "softmax".'
        )
    return "logits"


def run_once(network: nn.Module, shape: Sequence[int]) -> Tensor:
    """Return a network's output [1, labels] for noise. Raises ModelError where it gives other things, or fails."""
    image = torch.rand(*shape, generator=torch.Generator().manual_seed(0))
    try:
        with _as_written():
            output: object = network.eval()(image)
    except Exception as error:  # it is another's code
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"the network does not run on an image of {list(shape)}: {reason}. Say what it takes: side and colour "
            "under [image]."
        ) from error
    if not isinstance(output, Tensor) or output.ndim != 2 or output.shape[0] != 1 or not output.is_floating_point():
        what = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ModelError(f"the network gives {what} for one image, and a classifier gives [1, labels].")
    return output
