"""What a network of PyTorch gives: told from how it ends as it runs, and held against what it gives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sitegen.errors import ModelError, SettingsError
from sitegen.importing.sources.torch_original import OneOutput, TorchOriginal, check_steady, output_kind
from tests.helpers.importing.fake_source import SIDE, random_network

SHAPE = (1, 1, SIDE, SIDE)


class Ended(nn.Module):
    """A small network, and what comes after its logits."""

    def __init__(self, end: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.inner, self.end = random_network(), end

    def forward(self, images: Tensor) -> Any:
        return self.end(self.inner(images))


ENDS: dict[str, tuple[Callable[[Tensor], Tensor], str | None, str, Callable[[Tensor], Tensor]]] = {
    "mean of two": (lambda z: (z.sigmoid() + (-z).sigmoid()) * 0.5, None, "probabilities", lambda z: 0.5 + 0 * z),
    "mean of a stack": (
        lambda z: torch.stack([z.softmax(1), z.sigmoid()]).mean(0),
        None, "probabilities", lambda z: (z.softmax(1) + z.sigmoid()) / 2,
    ),
    "one less": (lambda z: 1 - z.sigmoid(), None, "probabilities", lambda z: 1 - z.sigmoid()),
    "percent": (lambda z: 100 * z.sigmoid(), "percentages", "percentages", lambda z: z.sigmoid()),
    "two heads": (lambda z: (z + z.flip(1)) / 2, "softmax", "softmax", lambda z: ((z + z.flip(1)) / 2).softmax(1)),
    "written out": (
        lambda z: z.exp() / z.exp().sum(1, keepdim=True), "softmax", "probabilities", lambda z: z.softmax(1),
    ),
    "a temperature": (lambda z: z / 3, "softmax", "softmax", lambda z: (z / 3).softmax(1)),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_the_end_decides(name: str) -> None:
    end, said, kind, expected = ENDS[name]
    network = Ended(end).eval()
    found = output_kind(network, SHAPE, said, None)  # type: ignore[arg-type]
    assert found == kind
    images = np.random.default_rng(3).random((2, *SHAPE[1:]), np.float32)
    made = torch.sigmoid(torch.from_numpy(TorchOriginal(network, found).logits(images)))
    with torch.no_grad():
        wanted = expected(network.inner(torch.from_numpy(images)))
    assert float((made - wanted).abs().max()) < 1e-6


@pytest.mark.parametrize(
    "end",
    [
        lambda z: 100 * z.sigmoid(),
        lambda z: 2 * z.sigmoid() - 1,
        lambda z: z - z.logsumexp(1, keepdim=True),
        lambda z: z.exp() / z.exp().sum(1, keepdim=True),
        lambda z: z.softmax(1).log(),
        lambda z: z * z.sigmoid(),
    ],
)
def test_what_does_not_tell_is_asked(end: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(SettingsError, match='output = "logits", "probabilities", "softmax" or "percentages"'):
        output_kind(Ended(end).eval(), SHAPE, None, None)


@pytest.mark.parametrize("said", ["probabilities", "softmax", "percentages"])
def test_what_cannot_be_is_refused(said: Any) -> None:
    with pytest.raises(SettingsError, match=f'output is "{said}", so that numbers of 0 to 1'):
        output_kind(Ended(lambda z: (z + (9 if said == "percentages" else 0)).exp()).eval(), SHAPE, said, None)


def test_what_is_usual_does_not_hide_probabilities() -> None:
    assert output_kind(Ended(lambda z: 1 - z.sigmoid()).eval(), SHAPE, None, "softmax") == "probabilities"
    with pytest.raises(SettingsError, match="0 to 100"):
        output_kind(Ended(lambda z: 100 * z.sigmoid()).eval(), SHAPE, None, "softmax")


def test_chance_in_evaluation_is_named() -> None:
    network = Ended(lambda z: nn.functional.dropout(z, 0.5, training=True))
    with pytest.raises(ModelError, match="another result each time for the same image"):
        check_steady(network, SHAPE)


def test_numbers_that_are_none_are_named() -> None:
    with pytest.raises(ModelError, match="NaN or infinite"):
        check_steady(Ended(lambda z: z / 0), SHAPE)


def test_a_network_that_autograd_cannot_follow_has_no_gradients() -> None:
    def broken(z: Tensor) -> Tensor:
        kept = z.exp()
        made = kept * 2
        kept.add_(1)  # changes what the product needs
        return made.sigmoid() * kept.exp()

    images = np.zeros(SHAPE, np.float32)
    assert TorchOriginal(Ended(broken), "logits").gradients(images, 0) is None
    assert TorchOriginal(Ended(lambda z: z.detach()), "logits").gradients(images, 0) is None


def test_the_same_in_float64() -> None:
    original = TorchOriginal(OneOutput(random_network()), "logits")
    images = np.random.default_rng(1).random((2, *SHAPE[1:]), np.float32)
    both = original.in_both(images)
    assert both is not None
    assert 0 < np.abs(both[0] - both[1]).max() < 1e-4
    assert np.array_equal(both[0], original.logits(images))
    assert original.network.network.last.weight.dtype == torch.float32
    assert torch.get_default_dtype() == torch.float32
    mixed = Ended(lambda z: z.float() @ torch.eye(3))
    assert TorchOriginal(mixed, "logits").in_both(images) is None
