"""Official weights under our names, tried on a made file: the published ones cannot be kept here.

The names and shapes are those that the official networks' `state_dict` has, written out here on their own.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sitegen.errors import CheckpointError
from sitegen.networks.stylegan2.official import read_official
from sitegen.networks.stylegan2.settings import SHAPES

WIDTHS = {32: 4, 16: 8, 8: 8, 4: 8}


def _linear(name: str, inputs: int, outputs: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)


def _generator(channels: int, classes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "mapping.w_avg", (16,)
    if classes:
        yield from _linear("mapping.embed", classes, 16)
    yield from _linear("mapping.fc0", 32 if classes else 16, 16)
    yield from _linear("mapping.fc1", 16, 16)
    yield "synthesis.b4.const", (8, 4, 4)
    before = 8
    for side in (4, 8, 16, 32):
        block, width = f"synthesis.b{side}", WIDTHS[side]
        yield f"{block}.resample_filter", (4, 4)
        for conv, inputs in (("conv0", before), ("conv1", width))[side == 4 :]:
            yield f"{block}.{conv}.weight", (width, inputs, 3, 3)
            yield f"{block}.{conv}.noise_strength", ()
            yield f"{block}.{conv}.bias", (width,)
            yield f"{block}.{conv}.resample_filter", (4, 4)
            yield f"{block}.{conv}.noise_const", (side, side)
            yield from _linear(f"{block}.{conv}.affine", 16, inputs)
        yield f"{block}.torgb.weight", (channels, width, 1, 1)
        yield f"{block}.torgb.bias", (channels,)
        yield from _linear(f"{block}.torgb.affine", 16, width)
        before = width


def _discriminator(channels: int, classes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "b32.fromrgb.weight", (4, channels, 1, 1)
    yield "b32.fromrgb.bias", (4,)
    for side in (32, 16, 8):
        width, after = WIDTHS[side], WIDTHS[side // 2]
        yield f"b{side}.resample_filter", (4, 4)
        yield f"b{side}.conv0.weight", (width, width, 3, 3)
        yield f"b{side}.conv0.bias", (width,)
        yield f"b{side}.conv0.resample_filter", (4, 4)
        yield f"b{side}.conv1.weight", (after, width, 3, 3)
        yield f"b{side}.conv1.bias", (after,)
        yield f"b{side}.skip.weight", (after, width, 1, 1)
    if classes:
        yield from _linear("mapping.embed", classes, 8)
        for number in range(8):
            yield from _linear(f"mapping.fc{number}", 8, 8)
    yield "b4.conv.weight", (8, 9, 3, 3)
    yield "b4.conv.bias", (8,)
    yield from _linear("b4.fc", 128, 8)
    yield from _linear("b4.out", 8, 8 if classes else 1)


def _tensors(channels: int = 1, classes: int = 0) -> dict[str, Tensor]:
    parts = {"G_ema": _generator(channels, classes), "D": _discriminator(channels, classes)}
    source = torch.Generator().manual_seed(3)
    return {f"{p}.{name}": torch.randn(shape, generator=source) for p, names in parts.items() for name, shape in names}


@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 2)])
def test_every_official_tensor_has_its_place(channels: Literal[1, 3], classes: int, tmp_path: Path) -> None:
    tensors = _tensors(channels, classes)
    save_file(tensors, tmp_path / "official.safetensors")
    read = read_official(tmp_path / "official.safetensors")
    assert read.shape == replace(SHAPES["tiny"], channels=channels, classes=classes, mapping_rate=0.01, clamp=256.0)
    assert read.discriminator is not None
    own = read.generator.state_dict()
    assert torch.equal(own["synthesis.blocks.2.conv0.weight"], tensors["G_ema.synthesis.b32.conv0.weight"])
    assert torch.equal(
        own["synthesis.blocks.0.conv1.noise_const"][0, 0], tensors["G_ema.synthesis.b8.conv1.noise_const"]
    )
    assert torch.equal(own["synthesis.first.to_image.bias"], tensors["G_ema.synthesis.b4.torgb.bias"])
    assert torch.equal(own["mapping.layers.1.bias"], tensors["G_ema.mapping.fc1.bias"])
    judge = read.discriminator.state_dict()
    assert torch.equal(judge["blocks.0.skip.weight"], tensors["D.b32.skip.weight"])
    assert torch.equal(judge["out.weight"], tensors["D.b4.out.weight"])
    assert "non-commercial" in read.made_by["licence"]


def test_a_state_dict_of_torch_is_read_too(tmp_path: Path) -> None:
    tensors = {name: value for name, value in _tensors().items() if name.startswith("G_ema")}
    torch.save(tensors, tmp_path / "official.pt")
    assert read_official(tmp_path / "official.pt").discriminator is None


def test_missing_names_are_named(tmp_path: Path) -> None:
    tensors = _tensors()
    del tensors["G_ema.synthesis.b16.conv0.affine.bias"]
    save_file(tensors, tmp_path / "official.safetensors")
    with pytest.raises(CheckpointError, match=r"synthesis\.blocks\.1\.conv0\.affine\.bias is missing"):
        read_official(tmp_path / "official.safetensors")
    save_file({"D.b4.conv.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match=r"has no G_ema\.mapping\.w_avg"):
        read_official(tmp_path / "other.safetensors")


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    torch.save({"G_ema": torch.nn.Linear(1, 1)}, tmp_path / "official.pkl")
    with pytest.raises(CheckpointError, match="cannot be read as a checkpoint"):
        read_official(tmp_path / "official.pkl")
