"""What torchattacks makes of the smooth test network: python -m tests.studies.torchattacks_reference

It writes tests/prediction/torchattacks.json, to which tests/prediction/test_attacks_by_torchattacks.py holds ours. The
package is not among sitegen's, for it asks for an old release of `requests`: install it without what it asks for,
`pip install --no-deps torchattacks==3.5.1`.

torchattacks takes images of 0 to 1 and raises the cross-entropy of classes. A finding alone is two classes, whose
logits are 0 and the finding's: their cross-entropy is its binary one. Random starts are given, not drawn.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.helpers.gradient.attacked_network import ENTRY, LABELS, SmoothNetwork
from tests.prediction.test_attacks import as_tensor, noise_of

REFERENCE = Path(__file__).parents[1] / "prediction" / "torchattacks.json"
FINDING, STEPS, SEEDS = "Mass", 10, (0, 1)
STRENGTHS = (0.3, 0.02, 1 / 255)


class TwoClasses(nn.Module):
    """A finding, no or yes, of images [1, C, H, W] in shares of the range."""

    def __init__(self, network: SmoothNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, shares: Tensor) -> Tensor:
        logit = self.network.logits(from_shares(shares))[:, LABELS.index(FINDING)]
        return torch.stack([torch.zeros_like(logit), logit], 1)


def from_shares(shares: Tensor) -> Tensor:
    """Shares of the range as the network takes them."""
    (black, white), mean, std = ENTRY.range, *(torch.tensor(each).double().view(1, -1, 1, 1) for each in _units())
    return (black + shares * (white - black) - mean) / std


def as_shares(image: Tensor) -> Tensor:
    """The inverse of that; ends that float64 has moved are put back."""
    (black, white), mean, std = ENTRY.range, *(torch.tensor(each).double().view(1, -1, 1, 1) for each in _units())
    return ((image * std + mean - black) / (white - black)).clamp(0, 1)


def _units() -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(ENTRY.mean), tuple(ENTRY.std)


@contextmanager
def start_from(noise: Tensor) -> Iterator[None]:
    """Let a tensor that would be drawn evenly within ε be this noise times ε."""
    kept = torch.Tensor.uniform_
    torch.Tensor.uniform_ = lambda self, low, high: self.copy_(noise * high)  # type: ignore[method-assign,assignment,misc]
    try:
        yield
    finally:
        torch.Tensor.uniform_ = kept  # type: ignore[method-assign]


def main() -> None:
    package: Any = import_module("torchattacks")
    network = SmoothNetwork()
    model = TwoClasses(network).eval()
    made = []
    for seed in SEEDS:
        image = as_tensor(network.image(seed))
        shares = as_shares(image)
        point = network.model.labels[LABELS.index(FINDING)].operating_point
        said = (network.logits(image).sigmoid()[:, LABELS.index(FINDING)] >= point).long()
        for strength in STRENGTHS:
            attacks = {
                "fgsm": package.FGSM(model, eps=strength),
                "bim": package.BIM(model, eps=strength, alpha=strength / STEPS, steps=STEPS),
                "pgd": package.PGD(model, eps=strength, alpha=2.5 * strength / STEPS, steps=STEPS),
            }
            for name, attack in attacks.items():
                with start_from(noise_of(seed)):
                    attacked = from_shares(attack(shares, said))
                assert attacked.dtype == torch.float64
                made.append({"method": name, "strength": strength, "seed": seed, "image": _values(attacked)})
    document = {"package": f"torchattacks {version('torchattacks')}", "finding": FINDING, "steps": STEPS}
    REFERENCE.write_text(json.dumps(document | {"attacked": made}) + "\n", "utf-8")


def _values(image: Tensor) -> list[float]:
    return [round(value, 9) for value in image.flatten().tolist()]


if __name__ == "__main__":
    main()
