"""Networks of patches: Grad-CAM over the tokens of the last block, as PyTorch has them."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from sitegen.export.onnx_export import export_onnx
from sitegen.importing.graph.final_layer import LATE
from sitegen.importing.graphs import write_gradient_graphs

SIDE, WIDTH, LABELS = 32, 12, 3


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.again = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.mixed = nn.Sequential(nn.Linear(WIDTH, 24), nn.GELU(), nn.Linear(24, WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        read = self.norm(tokens)
        tokens = tokens + self.attention(read, read, read, need_weights=False)[0]
        made: Tensor = tokens + self.mixed(self.again(tokens))
        return made


class Patched(nn.Module):
    """Patches of 8 x 4 pixels, so that rows and columns differ, three blocks, and a class token or a mean."""

    def __init__(self, extra: int) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.first = nn.Conv2d(1, WIDTH, (8, 4), (8, 4))
        self.extra = nn.Parameter(torch.randn(1, extra, WIDTH))
        self.places = nn.Parameter(torch.randn(1, extra + 32, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(3))
        self.last = nn.Linear(WIDTH, LABELS)

    def read(self, image: Tensor) -> Tensor:
        """What the last block reads."""
        tokens = self.first(image).flatten(2).transpose(1, 2)
        made: Tensor = self.blocks[1](self.blocks[0](torch.cat([self.extra, tokens], 1) + self.places))
        return made

    def ended(self, tokens: Tensor) -> Tensor:
        tokens = self.blocks[2](tokens)
        made: Tensor = self.last(tokens[:, 0] if self.extra.shape[1] else tokens.mean(1))
        return made

    def forward(self, image: Tensor) -> Tensor:
        return self.ended(self.read(image))


@pytest.mark.parametrize("extra", [0, 2])
def test_the_tokens_of_the_last_block_are_the_map(tmp_path: Path, extra: int) -> None:
    network = Patched(extra).eval()
    export_onnx(network, (1, 1, SIDE, SIDE), "logits", tmp_path / "classifier.onnx")
    before = (tmp_path / "classifier.onnx").read_bytes()
    made = write_gradient_graphs(tmp_path)
    assert made.gradient and made.feature_map is None
    assert any("tokens that the last block reads" in remark for remark in made.remarks)
    image = np.random.default_rng(1).standard_normal((1, 1, SIDE, SIDE)).astype(np.float32)
    (given,) = onnxruntime.InferenceSession(str(tmp_path / "classifier.onnx")).run(["logits"], {"image": image})
    tokens = network.read(torch.from_numpy(image)).detach().requires_grad_()
    logits = network.ended(tokens)
    assert given == pytest.approx(logits.detach().numpy(), abs=1e-5)
    (slope,) = torch.autograd.grad(logits[0, 1], tokens)
    seed = np.array([[0, 1, 0]], np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "cam.onnx"))
    features, gradient = session.run([LATE, f"grad_{LATE}"], {"image": image, "seed": seed})
    for found, wanted in ((features, tokens.detach()), (gradient, slope)):
        laid_out = wanted[:, extra:].transpose(1, 2).reshape(1, WIDTH, 4, 8).numpy()
        assert found == pytest.approx(laid_out, abs=1e-5)
    assert before != (tmp_path / "classifier.onnx").read_bytes()
    again = (tmp_path / "classifier.onnx").read_bytes()
    write_gradient_graphs(tmp_path)  # as after rounding: nothing is laid out a second time
    assert (tmp_path / "classifier.onnx").read_bytes() == again


class ChannelsLast(nn.Module):
    """Layers of pixels with channels last, as Swin has them, averaged in the end."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.first = nn.Conv2d(1, WIDTH, 4, 4)
        self.layers = nn.Sequential(*(nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU()) for _ in range(3)))
        self.norm, self.last = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LABELS)

    def forward(self, image: Tensor) -> Tensor:
        made: Tensor = self.last(self.norm(self.layers(self.first(image).permute(0, 2, 3, 1))).mean((1, 2)))
        return made


def test_an_average_over_channels_last_has_class_activation_maps(tmp_path: Path) -> None:
    network = ChannelsLast().eval()
    export_onnx(network, (1, 1, SIDE, SIDE), "logits", tmp_path / "classifier.onnx")
    made = write_gradient_graphs(tmp_path)
    assert made.feature_map is not None and made.remarks == ()
    assert made.feature_map.output == LATE
    onnx.checker.check_model(str(tmp_path / "classifier.onnx"))
    image = np.random.default_rng(1).standard_normal((1, 1, SIDE, SIDE)).astype(np.float32)
    seed = np.zeros((1, LABELS), np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "cam.onnx"))
    features, logits = session.run([LATE, "logits"], {"image": image, "seed": seed})
    assert logits == pytest.approx(network(torch.from_numpy(image)).detach().numpy(), abs=1e-5)
    final = np.fromfile(tmp_path / "final.weights", "<f4").reshape(made.feature_map.shape)
    assert features.mean((2, 3)) @ final[:, :-1].T + final[:, -1] == pytest.approx(logits, abs=1e-5)
