import pytest
import torch

from sitegen.training.launch import make_fabric, mixed_precision
from sitegen.training.presets import Precision


@pytest.mark.parametrize(
    ("asked", "card", "bfloat16", "expected"),
    [
        ("auto", False, False, "32-true"),
        ("auto", True, True, "bf16-mixed"),
        ("auto", True, False, "16-mixed"),
        ("32", True, True, "32-true"),
        ("16", True, True, "16-mixed"),
        ("bf16", False, False, "bf16-mixed"),
    ],
)
def test_precision_is_mixed_where_the_card_has_it(
    monkeypatch: pytest.MonkeyPatch, asked: Precision, card: bool, bfloat16: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: card)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bfloat16)
    assert mixed_precision(asked) == expected


def test_one_process_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    fabric = make_fabric("auto")
    assert (fabric.world_size, fabric.global_rank, fabric.device.type) == (1, 0, "cpu")


def test_bfloat16_trains_on_a_cpu_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    fabric = make_fabric("bf16")
    network = torch.nn.Linear(4, 1)
    seen = []
    network.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    module, optimiser = fabric.setup(network, torch.optim.SGD(network.parameters(), 0.1))
    before = network.weight.detach().clone()
    loss = module(torch.ones(2, 4)).mean()
    fabric.backward(loss)
    optimiser.step()
    assert seen == [torch.bfloat16]
    assert network.weight.dtype == torch.float32
    assert torch.allclose(network.weight, before - 0.1, atol=1e-3)
