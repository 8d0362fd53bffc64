"""Fitting an autoencoder to a layer: through the classifier's own second half, by its compiled gradient."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sitegen.evaluation.concepts.autoencoder import (
    ConceptAutoencoder,
    deep_loss,
    interpretability_loss,
    shallow_loss,
)
from sitegen.evaluation.concepts.layers import Cut, Values
from sitegen.evaluation.concepts.settings import ConceptSettings

LOSSES = ("shallow", "deep", "interpretability", "total")


@dataclass(frozen=True)
class Fitted:
    """An autoencoder in evaluation mode, and the mean of each loss in every epoch."""

    network: ConceptAutoencoder
    history: Sequence[dict[str, float]]


class _SecondHalf(torch.autograd.Function):
    """The classifier's second half as a function that PyTorch can go back through."""

    @staticmethod
    def forward(ctx: Any, layer: Tensor, cut: Cut) -> Tensor:
        ctx.cut = cut
        ctx.save_for_backward(layer)
        return torch.stack([torch.from_numpy(cut.back(each.numpy()[None])) for each in layer.detach()]).to(layer.dtype)

    @staticmethod
    def backward(ctx: Any, *outputs: Any) -> Any:
        (layer,) = ctx.saved_tensors
        pairs = zip(layer.detach(), outputs[0], strict=True)
        pulled = [ctx.cut.pull_back(each.numpy()[None], seed.tolist())[0] for each, seed in pairs]
        return torch.from_numpy(np.stack(pulled)).to(layer.dtype), None


def second_half(layer: Tensor, cut: Cut) -> Tensor:
    """Return the logits [N, labels] of layers [N, C, H, W]; gradients go back through the compiled graph."""
    logits: Tensor = _SecondHalf.apply(layer, cut)  # type: ignore[no-untyped-call]
    return logits


def fit_concepts(
    cut: Cut, layers: Sequence[Values], settings: ConceptSettings, tell: Callable[[], object] = lambda: None
) -> Fitted:
    """Return an autoencoder fitted to layers [1, C, H, W] of training images; `tell` is called after each epoch.

    Adam; the same layers and settings give the same weights on one machine.
    """
    torch.manual_seed(settings.seed)
    given = torch.from_numpy(np.concatenate(layers)).float()
    originals = torch.from_numpy(np.stack([cut.back(each) for each in layers])).float()
    network = ConceptAutoencoder(given.shape[1], settings.hidden, settings.codes)
    deviations, means = torch.std_mean(given, dim=(0, 2, 3), correction=0)
    network.offset.copy_(means.view(-1, 1, 1))
    network.scale.copy_(deviations.clamp(min=1e-3).view(-1, 1, 1))
    optimiser = torch.optim.Adam(network.parameters(), settings.rate)
    order, history = torch.Generator().manual_seed(settings.seed), []
    for _ in range(settings.epochs):
        sums = dict.fromkeys(LOSSES, 0.0)
        for part in torch.randperm(len(given), generator=order).split(settings.batch):  # type: ignore[no-untyped-call]
            losses = losses_of(network, cut, given[part], originals[part], settings)
            optimiser.zero_grad()
            losses["total"].backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            for name, value in losses.items():
                sums[name] += float(value.detach()) * len(part)
        history.append({name: value / len(given) for name, value in sums.items()})
        tell()
    return Fitted(network.eval(), history)


def losses_of(
    network: ConceptAutoencoder, cut: Cut, layer: Tensor, original: Tensor, settings: ConceptSettings
) -> dict[str, Tensor]:
    """Return the three losses of layers [N, C, H, W] with the network's own logits [N, labels], and their total."""
    codes = network.encode(layer)
    decoded = network.decode(codes)
    shallow = shallow_loss(decoded, layer, network.scale)
    deep = deep_loss(second_half(decoded, cut), original)
    interpretability = interpretability_loss(codes)
    total = settings.shallow * shallow + settings.deep * deep + settings.interpretability * interpretability
    return dict(zip(LOSSES, (shallow, deep, interpretability, total), strict=True))
