"""Both networks whole: shapes, classes, freezing, files, and the ONNX graph of the synthesis with its gradient."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from sitegen.errors import CheckpointError, SettingsError
from sitegen.export.onnx_export import export_onnx
from sitegen.gradient.compiler import compile as compile_gradient
from sitegen.networks.stylegan2.discriminator import StyleDiscriminator
from sitegen.networks.stylegan2.generator import StyleGenerator, make_generator, one_hot
from sitegen.networks.stylegan2.settings import SHAPES, GeneratorShape, read_shape, shape_document
from sitegen.networks.stylegan2.trained import TrainedGenerator, drawn_z, load_generator, save_generator

TINY = SHAPES["tiny"]


def _generator(shape: GeneratorShape = TINY) -> StyleGenerator:
    torch.manual_seed(5)
    generator = make_generator(shape)
    for name, value in generator.named_parameters():
        if name.endswith(("noise_strength", "bias")):
            nn.init.normal_(value, 0.5, 0.1)
    return generator.eval()


def test_channels_fall_as_sides_grow() -> None:
    shape = read_shape({"name": "stylegan2", "side": 1024})
    assert shape.sides == (4, 8, 16, 32, 64, 128, 256, 512, 1024)
    assert [shape.width(side) for side in shape.sides] == [512, 512, 512, 512, 512, 256, 128, 64, 32]
    assert shape.layers == 18


def test_shapes_are_read_and_mistakes_named() -> None:
    assert read_shape(shape_document(TINY)) == TINY
    with pytest.raises(SettingsError, match="there is no generator 'large'; there are stylegan2"):
        read_shape({"name": "large"})
    with pytest.raises(SettingsError, match="side"):
        read_shape({"name": "small", "side": 48})


def test_the_full_networks_have_the_published_number_of_weights() -> None:
    """Those that the first implementation printed for configuration F at 1024 pixels in colour."""
    with torch.device("meta"):
        shape = replace(SHAPES["stylegan2"], side=1024, channels=3)
        counts = [sum(p.numel() for p in kind(shape).parameters()) for kind in (StyleGenerator, StyleDiscriminator)]
    assert counts == [30_370_060, 29_012_513]


@pytest.mark.parametrize("shape", [TINY, replace(TINY, side=64, channels=3, classes=3, clamp=256.0)])
def test_both_networks_fit_each_other(shape: GeneratorShape) -> None:
    generator, discriminator = _generator(shape), StyleDiscriminator(shape)
    label = one_hot(torch.tensor([0, 2]), 3) if shape.classes else None
    images = generator(torch.randn(2, 16), label, noise=generator.synthesis.random_noise(2))
    assert images.shape == (2, shape.channels, shape.side, shape.side)
    assert discriminator(images, label).shape == (2,)


def test_noise_is_what_is_given() -> None:
    generator = _generator()
    w = generator.styles(drawn_z(1, 16))
    constant = generator.synthesis.constant_noise()
    assert [tuple(each.shape) for each in constant] == generator.synthesis.noise_shapes
    assert [shape[-1] for shape in generator.synthesis.noise_shapes] == [4, 8, 8, 16, 16, 32, 32]
    with_noise = generator.synthesis(w, constant)
    assert torch.equal(with_noise, generator.synthesis(w, constant))
    assert not torch.allclose(with_noise, generator.synthesis(w))
    zeros = [torch.zeros(shape) for shape in generator.synthesis.noise_shapes]
    torch.testing.assert_close(generator.synthesis(w, zeros), generator.synthesis(w))


def test_each_style_drives_its_own_layers() -> None:
    """A style changes the maps of its side and beyond: the last one changes the last image layer alone."""
    generator = _generator()
    w = generator.styles(drawn_z(1, 16)).detach().clone().requires_grad_()
    generator.synthesis(w).sum().backward()
    assert w.grad is not None
    assert bool((w.grad.abs().sum((0, 2)) > 0).all())


def test_the_discriminator_freezes_the_layers_of_large_sides() -> None:
    discriminator = StyleDiscriminator(TINY)
    discriminator.freeze(1)
    frozen = {name.split(".weight")[0] for name, p in discriminator.named_parameters() if not p.requires_grad}
    assert {"from_image", "blocks.0.conv0", "blocks.0.conv1", "blocks.0.skip"} <= frozen
    assert not any(name.startswith(("blocks.1", "conv", "out")) for name in frozen)


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    generator, discriminator = _generator(), StyleDiscriminator(TINY)
    path = tmp_path / "generator.safetensors"
    save_generator(TrainedGenerator(generator, discriminator, {"step": 3}), path)
    read = load_generator(path)
    assert read.shape == TINY and read.made_by == {"step": 3} and read.discriminator is not None
    z, noise = drawn_z(0, 16), generator.synthesis.constant_noise()
    assert torch.equal(read.generator(z, noise=read.generator.synthesis.constant_noise()), generator(z, noise=noise))
    save_generator(TrainedGenerator(generator), path)
    assert load_generator(path).discriminator is None


def test_what_is_no_generator_says_so(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = tmp_path / "g.safetensors"
    with pytest.raises(CheckpointError, match="does not exist"):
        load_generator(path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(CheckpointError, match="cannot be read as safetensors"):
        load_generator(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="is no generator"):
        load_generator(path)
    save_generator(TrainedGenerator(_generator()), path)
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    del tensors["generator.synthesis.first.const"]
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(CheckpointError, match=r"synthesis\.first\.const is missing"):
        load_generator(path)


class _Drawn(nn.Module):
    """The synthesis with one of its noises as an input."""

    def __init__(self, generator: StyleGenerator) -> None:
        super().__init__()
        self.synthesis = generator.synthesis

    def forward(self, w: Tensor) -> Tensor:
        drawn: Tensor = self.synthesis(w, self.synthesis.constant_noise())
        return drawn


def test_the_exported_synthesis_has_torchs_images_and_gradient(tmp_path: Path) -> None:
    generator = _generator()
    path = tmp_path / "synthesis.onnx"
    export_onnx(_Drawn(generator), (1, TINY.layers, TINY.style), ["drawn"], path)
    name = onnxruntime.InferenceSession(path).get_inputs()[0].name
    session = onnxruntime.InferenceSession(_written(compile_gradient(path, wrt=name), tmp_path / "gradient.onnx"))
    w = generator.styles(drawn_z(3, 16)).detach().clone().requires_grad_()
    seed = torch.randn(1, 1, 32, 32)
    drawn = _Drawn(generator)(w)
    drawn.backward(seed)
    assert w.grad is not None
    images, gradient = session.run(None, {name: w.detach().numpy(), "seed": seed.numpy()})
    np.testing.assert_allclose(images, drawn.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(gradient, w.grad.numpy(), atol=1e-4 * float(w.grad.abs().max()))


def _written(model: object, path: Path) -> Path:
    import onnx

    assert isinstance(model, onnx.ModelProto)
    onnx.save(model, path)
    return path
