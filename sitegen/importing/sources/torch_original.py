"""A network of PyTorch as the original that an import is compared with, and what its output is.

Where a network ends with a sigmoid or a softmax, the numbers before it are caught as it runs: a probability near 0 or
1 no longer tells its logit to five digits.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.graph.bounds import FAR
from sitegen.importing.graph.ending import CLOSEST, SAY, End, as_said, check_softmax, unclear
from sitegen.importing.graph.probe import Probed, noises
from sitegen.importing.settings import OutputKind
from sitegen.importing.source import Images, Logits
from sitegen.importing.sources.torch_watch import SOFTMAXES, Watch

_LINEAR = {
    "add",
    "addmm",
    "baddbmm",
    "bmm",
    "cat",
    "convolution",
    "div",
    "linear",
    "matmul",
    "mean",
    "mkldnn_convolution",
}
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_LINEAR |= {"mm", "mul", "neg", "stack", "sub", "sum"}  # what networks end with that give logits


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

    def in_both(self, images: Images) -> tuple[Logits, Logits] | None:
        """Return the same computed in float32 and in float64; None where the network has types of its own."""
        usual = torch.get_default_dtype()
        try:
            wide = TorchOriginal(deepcopy(self.network).double(), self.kind)
            torch.set_default_dtype(torch.float64)  # of what it makes as it runs
            with torch.no_grad():
                made = torch.cat([wide._logits(torch.from_numpy(image[np.newaxis]).double()) for image in images])
        except Exception:  # it is another's code
            return None
        finally:
            torch.set_default_dtype(usual)
        return (self.logits(images), np.asarray(made.numpy())) if made.dtype == torch.float64 else None

    def gradients(self, images: Images, label: int) -> Images | None:
        """Return d logit / d image, float32 [N, channels, side, side], for one label; None where there is none."""
        parts = []
        for image in images:
            given = torch.from_numpy(image[np.newaxis]).requires_grad_()
            try:
                with torch.enable_grad(), _in_order(self.network):
                    logit = self._logits(given)[0, label]
                if not logit.requires_grad:
                    return None
                parts.append(torch.autograd.grad(logit, given)[0].numpy())
            except Exception:  # an operator without a gradient, or one that changes what another keeps
                return None
        return np.concatenate(parts)

    def _logits(self, images: Tensor) -> Tensor:
        if self.kind == "logits":
            with _as_written():
                logits: Tensor = self.network(images)
            return logits
        with _as_written(), Watch(images) as watch:
            output: Tensor = self.network(images)
        if self.kind == "softmax":
            end = watch.end(output)
            scores: Tensor = end.given[0] if end is not None and end.name in SOFTMAXES else output
            return against_the_rest(scores.reshape(output.shape))
        if self.kind == "percentages":
            return torch.logit(output.double() / 100, CLOSEST)
        before = watch.before_sigmoid(output)
        return torch.logit(output.double(), CLOSEST) if before is None else before


def _as_written() -> AbstractContextManager[None]:
    """Run TorchScript operator by operator: once optimised, whole parts of it have no gradients inside."""
    unoptimised: AbstractContextManager[None] = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
    return unoptimised


@contextmanager
def _in_order(network: nn.Module) -> Iterator[None]:
    """Hand batch normalisations gradients that lie in memory as their inputs do.

    In evaluation, for one image, PyTorch 2.13 takes numbers from wrong places on the CPU where a gradient lies there as
    tokens do and the input as an image does: in networks that make tokens of what was normalised, such as LeViT.
    """

    def ordered(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(output, Tensor) and output.requires_grad and output.shape == given[0].shape:
            output.register_hook(torch.empty_like(given[0]).copy_)  # type: ignore[no-untyped-call]

    norms = [module for module in network.modules() if isinstance(module, _NORMS)]
    hooks = [module.register_forward_hook(ordered) for module in norms]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


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
    first, *others = [torch.from_numpy(noise) for noise in noises(shape)]
    with torch.no_grad():
        with Watch(first) as watch:
            output = run_once(network, first)
        values = [output, *(run_once(network, noise) for noise in others)]
    end, sigmoid = watch.end(output), watch.before_sigmoid(output) is not None
    name = end.name.removeprefix("aten::").rstrip("_") if end is not None else "an operator that is not known here"
    seen = Probed(np.concatenate([value.double().numpy() for value in values]))
    if said == "logits":
        return "logits"
    if sigmoid and said in (None, "probabilities"):
        return "probabilities"
    if end is not None and end.name in SOFTMAXES and output.shape[1] > 1 and said != "percentages":
        return "softmax"
    found = End(name, watch.bounds(output), sigmoid)
    kind = said or _told(found, usual, seen)
    check_softmax(kind, found, output.shape[1])
    ending = as_said(kind, found, seen)
    return "softmax" if ending == "softmax of logits" else "probabilities" if ending == "probabilities" else kind


def _told(end: End, usual: OutputKind | None, seen: Probed) -> OutputKind:
    """What a network gives of which its user says nothing."""
    found = end.bounds
    if found is not None and found.probability:
        return "probabilities"
    if found is not None and found.share and (usual is None or found.low > -FAR):
        raise SettingsError(unclear(end))
    if usual:
        return usual
    if end.operator not in _LINEAR or (found is not None and found.low >= 0 and found.high <= 1):
        raise SettingsError(f"the network ends with {end.operator}, which does not tell what it gives. {SAY}")
    return "logits"


def run_once(network: nn.Module, images: Tensor) -> Tensor:
    """Return a network's output [1, labels]. Raises ModelError where it gives other things, or fails."""
    shape = list(images.shape)
    try:
        with _as_written():
            output: object = network.eval()(images)
    except ModelError:
        raise
    except Exception as error:  # it is another's code
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"the network does not run on an image of {shape}: {reason}. Say what it takes: side and colour "
            "under [image]."
        ) from error
    if not isinstance(output, Tensor) or output.ndim != 2 or output.shape[0] != 1 or not output.is_floating_point():
        what = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ModelError(f"the network gives {what} for one image, and a classifier gives [1, labels].")
    return output


def check_steady(network: nn.Module, shape: Sequence[int]) -> Tensor:
    """Return a network's output for noise.

    Raises ModelError as `run_once` does, or where it gives another each time, or what are no numbers.
    """
    image = torch.rand(*shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, second = run_once(network, image), run_once(network, image)
    if not bool(torch.isfinite(first).all()):
        raise ModelError("the network gives numbers that are NaN or infinite for noise. Look for damaged weights.")
    if not torch.allclose(first, second, rtol=1e-4, atol=1e-4):
        raise ModelError(
            f"the network gives another result each time for the same image: {first[0, 0]:.4g} and then "
            f"{second[0, 0]:.4g}. Something in it is left to chance in evaluation, too, such as "
            "torch.nn.functional.dropout without training=self.training. Mend that, and import again."
        )
    return first
