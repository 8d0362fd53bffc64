"""What an adversarial attack makes of an image: what goes into the network, and what it then says."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen_runtime.attacks.methods import Attacked, Wish
from sitegen_runtime.bundle.model import Model, NetworkInput
from sitegen_runtime.wording.explanations import NOT_FOR_DIAGNOSIS

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class AttackResult:
    """An image changed by at most ε so that the classifier errs from what it said (docs/attacks.md).

    `original` and `changed` are float32 [1, channels, side, side], as the classifier takes them. `strength` is ε as a
    share of the input's range. `before` and `after` are logits by label; `loss_before` and `loss_after` the binary
    cross-entropy, in nats, against what the classifier said of the unchanged image, of `finding` or of all labels.
    """

    name: str
    method: str
    strength: float
    steps: int
    finding: str | None
    original: Array
    changed: Array
    before: Mapping[str, float]
    after: Mapping[str, float]
    loss_before: float
    loss_after: float
    _entry: NetworkInput

    def image(self) -> Image.Image:
        """Return the changed image as the classifier sees it: square, grey or RGB, 8 bits, so rounded."""
        low, high = self._entry.range
        mean, std = (np.array(part).reshape(-1, 1, 1) for part in (self._entry.mean, self._entry.std))
        shares = (self.changed[0] * std + mean - low) / (high - low)
        planes = np.clip(np.rint(255 * shares), 0, 255).astype(np.uint8)
        return Image.fromarray(planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1))

    def __str__(self) -> str:
        rows = [f"  {label}: {logit:.4g} -> {self.after[label]:.4g}" for label, logit in self.before.items()]
        head = f"{self.name}: {self.method} of {self.strength:g}, {self.steps} steps: logits before and after"
        return "\n".join([head, *rows, NOT_FOR_DIAGNOSIS])

    def __repr__(self) -> str:
        losses = f"loss {self.loss_before:.4g} to {self.loss_after:.4g}"
        return f"<AttackResult {self.name}: {self.method} of {self.strength:g}, {losses}>"


def read_attack(found: Attacked, original: Array, wish: Wish, name: str, model: Model) -> AttackResult:
    """Return the typed form of an attack on an image of this name."""
    entry = model.graphs["classifier"].images[0]
    labels = [label.name for label in model.labels]
    before, after = found.losses
    return AttackResult(
        name=name,
        method=wish.method,
        strength=wish.strength,
        steps=wish.steps,
        finding=wish.finding,
        original=original,
        changed=np.array(found.image, np.float32).reshape(entry.shape),
        before=dict(zip(labels, found.before, strict=True)),
        after=dict(zip(labels, found.after, strict=True)),
        loss_before=before,
        loss_after=after,
        _entry=entry,
    )
