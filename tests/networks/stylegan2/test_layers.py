"""Layers against the formulas of the papers, written out another way, in float64."""

from math import sqrt

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.signal import upfirdn
from torch.nn import functional

from sitegen.export.onnx_export import exported
from sitegen.networks.stylegan2.discriminator import with_deviation
from sitegen.networks.stylegan2.equalised import EqualConv, EqualLinear
from sitegen.networks.stylegan2.filters import TAPS, Blur, Downsample, Filter, Upsample
from sitegen.networks.stylegan2.mapping import Mapping, truncated
from sitegen.networks.stylegan2.modulation import StyledConv, ToImage, demodulation


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(4)


def _leaky(values: torch.Tensor) -> torch.Tensor:
    return torch.where(values > 0, values, 0.2 * values) * sqrt(2)


@pytest.mark.parametrize("up", [False, True])
def test_modulation_is_convolution_with_each_images_own_demodulated_weights(up: bool) -> None:
    layer = StyledConv(3, 5, style=7, side=12 if up else 6, up=up, clamp=None).double()
    torch.nn.init.normal_(layer.bias)
    torch.nn.init.constant_(layer.noise_strength, 0.3)
    maps, w, noise = (torch.randn(*shape, dtype=torch.float64) for shape in ((2, 3, 6, 6), (2, 7), (2, 1, 12, 12)))
    noise = noise if up else noise[..., :6, :6]
    made = layer(maps, w, noise)
    for n in range(2):
        style = w[n] @ layer.affine.weight.T / sqrt(7) + layer.affine.bias
        weight = layer.weight * style[None, :, None, None]
        weight = weight / weight.square().sum((1, 2, 3), keepdim=True).add(1e-8).sqrt()
        image = maps[n : n + 1]
        if up:  # zeros between the values, a convolution in the mathematical sense, the filter
            spread = torch.zeros(1, 3, 11, 11, dtype=torch.float64)
            spread[..., ::2, ::2] = image
            wide = functional.conv2d(spread, weight.flip(2, 3), padding=2).detach().numpy()[0]
            taps = np.array(TAPS) / 4
            both = upfirdn(taps, upfirdn(taps, wide, axis=1), axis=2)
            expected = torch.from_numpy(both[:, 2:-2, 2:-2])[None]
        else:
            expected = functional.conv2d(image, weight, padding=1)
        expected = _leaky(expected + 0.3 * noise[n] + layer.bias[None, :, None, None])
        torch.testing.assert_close(made[n : n + 1], expected, rtol=1e-9, atol=1e-9)


def test_a_style_of_zeros_is_a_number_in_a_graph_too() -> None:
    layer = StyledConv(3, 2, style=4, side=6, up=False, clamp=None)
    torch.nn.init.zeros_(layer.affine.bias)  # so that a w of zeros is a style of zeros
    torch.nn.init.constant_(layer.bias, -0.5)
    maps, w = torch.randn(1, 3, 6, 6), torch.zeros(1, 4)
    graph = exported(layer, (maps, w), ["maps", "w"], ["made"])
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    (made,) = session.run(None, {"maps": maps.numpy(), "w": w.numpy()})
    np.testing.assert_allclose(made, np.full((1, 2, 6, 6), -0.1 * sqrt(2)), rtol=1e-6)
    assert torch.equal(demodulation(layer.weight, torch.zeros(1, 3)), torch.full((1, 2), 1e4))


def test_the_image_layer_is_modulated_and_not_demodulated() -> None:
    layer = ToImage(4, 3, style=6, clamp=None).double()
    maps, w = torch.randn(1, 4, 5, 5, dtype=torch.float64), torch.randn(1, 6, dtype=torch.float64)
    style = (w[0] @ layer.affine.weight.T / sqrt(6) + 1) / 2
    expected = torch.einsum("ncij,oc->noij", maps, layer.weight[..., 0, 0] * style)
    torch.testing.assert_close(layer(maps, w), expected)


def _scipys(values: np.ndarray, taps: np.ndarray, up: int, down: int) -> np.ndarray:
    return np.asarray(upfirdn(taps, upfirdn(taps, values, up, down, axis=-2), up, down, axis=-1))


@pytest.mark.parametrize("channels", [1, 3])
def test_filters_are_scipys_upfirdn(channels: int) -> None:
    maps = torch.randn(2, channels, 8, 8, dtype=torch.float64)
    values, taps = maps.numpy(), np.array(TAPS) / sum(TAPS)

    def made(layer: Filter) -> np.ndarray:
        return np.asarray(layer.double()(maps).numpy())

    # SciPy's answer is whole; what is kept of it here is centred on the maps.
    np.testing.assert_allclose(made(Upsample(channels)), _scipys(values, 2 * taps, 2, 1)[..., 1:17, 1:17], atol=1e-12)
    whole = _scipys(values, taps, 1, 1)
    np.testing.assert_allclose(made(Downsample(channels)), whole[..., 2:10:2, 2:10:2], atol=1e-12)
    np.testing.assert_allclose(made(Blur(channels, padding=2)), whole[..., 1:10, 1:10], atol=1e-12)
    np.testing.assert_allclose(made(Blur(channels, padding=1, gain=4)), 4 * whole[..., 2:9, 2:9], atol=1e-12)


def test_sampling_keeps_an_even_image_away_from_the_edge() -> None:
    even = torch.full((1, 1, 8, 8), 3.0)
    torch.testing.assert_close(Upsample(1)(even)[..., 1:-1, 1:-1], torch.full((1, 1, 14, 14), 3.0))
    torch.testing.assert_close(Downsample(1)(even)[..., 1:-1, 1:-1], torch.full((1, 1, 2, 2), 3.0))


def test_equalised_layers_scale_their_weights_by_what_comes_in() -> None:
    linear = EqualLinear(10, 3, rectified=True, rate=0.01, bias=0.5).double()
    values = torch.randn(4, 10, dtype=torch.float64)
    expected = _leaky(values @ linear.weight.T * (0.01 / sqrt(10)) + 0.5)
    torch.testing.assert_close(linear(values), expected)
    assert 50 < float(linear.weight.detach().std()) < 200  # drawn with a deviation of 1 / rate
    conv = EqualConv(2, 3, 3).double()
    maps = torch.randn(1, 2, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(conv(maps), _leaky(functional.conv2d(maps, conv.weight / sqrt(18), padding=1)))


def test_a_clamp_holds_in_proportion_to_the_gain() -> None:
    conv = EqualConv(1, 1, 1, clamp=2.0)
    torch.nn.init.constant_(conv.weight, 100.0)
    assert conv(torch.ones(1, 1, 1, 1), gain=0.5).item() == 1.0


@pytest.mark.parametrize(("count", "group", "size"), [(8, 4, 4), (6, 4, 3), (3, 4, 3), (5, 4, 1)])
def test_the_deviation_of_groups_is_a_channel(count: int, group: int, size: int) -> None:
    maps = torch.randn(count, 3, 2, 2, dtype=torch.float32)
    made = with_deviation(maps, group)
    groups = count // size
    for n in range(count):
        members = maps[n % groups :: groups].double().numpy()
        assert len(members) == size
        expected = np.sqrt(members.var(axis=0) + 1e-8).mean()
        np.testing.assert_allclose(made[n, 3].numpy(), expected, rtol=1e-5)
    assert torch.equal(made[:, :3], maps)


def test_the_mapping_does_not_see_how_long_z_is() -> None:
    mapping = Mapping(latent=6, classes=0, style=5, layers=2, rate=0.01)
    z = torch.randn(3, 6)
    torch.testing.assert_close(mapping(7 * z), mapping(z))


def test_classes_change_the_style() -> None:
    mapping = Mapping(latent=6, classes=2, style=5, layers=1, rate=0.01)
    z = torch.randn(1, 6)
    assert not torch.allclose(mapping(z, torch.tensor([[1.0, 0.0]])), mapping(z, torch.tensor([[0.0, 1.0]])))


def test_the_average_style_follows_slowly() -> None:
    mapping = Mapping(latent=6, classes=0, style=2, layers=1, rate=0.01)
    mapping.follow(torch.tensor([[1.0, 2.0], [3.0, 2.0]]))
    torch.testing.assert_close(mapping.w_avg, torch.tensor([0.01, 0.01]))


def test_truncation_moves_the_first_layers() -> None:
    w = torch.tensor([4.0]).expand(1, 3, 1)
    made = truncated(w, torch.tensor([2.0]), 0.25, layers=2)
    assert made.flatten().tolist() == [2.5, 2.5, 4.0]
