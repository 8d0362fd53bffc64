"""Projection by a network's features: distance and slope as PyTorch's own; the verb; and the way as a video."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngImageFile
from torch import nn
from torch.nn import functional
from typer.testing import CliRunner, Result

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.errors import ModelError, SettingsError
from sitegen.export.onnx_export import exported
from sitegen.generation.projection.feature_graph import FeaturesOf
from sitegen.generation.projection.feature_loss import FeatureDistance
from sitegen.generation.projection.of_generator import drawn_of
from sitegen.generation.projection.torch_engine import fit
from sitegen_runtime.projection.schedule import Wish
from tests.helpers.generation.generators import saved_generator, small_generator

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)


def _network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(8)
        layers = nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2), nn.Sigmoid()
        return nn.Sequential(*layers).eval()


@pytest.fixture(scope="module")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of colour images of 24 pixels."""
    path = tmp_path_factory.mktemp("network") / "features.onnx"
    onnx.save(exported(_network(), (torch.zeros(1, 3, 24, 24),), ["image"], ["features"]), path)
    return path


def _of(path: Path, **changes: str) -> FeaturesOf:
    return FeaturesOf(path, "image", 3, 24, changes.get("output", "features"), MEAN, STD)


def _by_torch(made: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """The same in PyTorch alone."""
    found = []
    for each in (made, image):
        small = functional.interpolate((each + 1) / 2, [24, 24], mode="bilinear", antialias=True).repeat(1, 3, 1, 1)
        found.append(_network()((small - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]))
    away = (found[0] - found[1]).square().mean((1, 2, 3))
    return away / found[1].square().mean((1, 2, 3)) + 0.5 * (made - image).square().mean((1, 2, 3))


def test_distance_and_slope_are_pytorchs(network_file: Path) -> None:
    generator = torch.Generator().manual_seed(3)
    made, image = (torch.rand((2, 1, 32, 32), generator=generator) * 2 - 1 for _ in range(2))
    slopes = []
    for distance in (FeatureDistance(_of(network_file), pixels=0.5), _by_torch):
        made = made.detach().requires_grad_()
        away = distance(made, image)
        (slope,) = torch.autograd.grad((away * torch.tensor([1.0, 3.0])).sum(), made)
        slopes.append((away.detach(), slope))
    torch.testing.assert_close(*(each[0] for each in slopes), rtol=1e-5, atol=0)
    torch.testing.assert_close(*(each[1] for each in slopes), rtol=1e-4, atol=1e-7)


def test_drawings_come_nearer_by_features(network_file: Path) -> None:
    image = np.linspace(-1, 1, 32 * 32, dtype=np.float32).reshape(1, 1, 32, 32)
    found = fit(drawn_of(small_generator()), image, Wish(12), distance=FeatureDistance(_of(network_file)), frames=True)
    assert found.distances[-1, 0] < 0.9 * found.distances[0, 0]
    assert len(found.frames) == 12 and found.frames[0].shape == image.shape
    assert np.abs(found.frames[0] - found.frames[-1]).max() > 0.01


def test_what_a_file_does_not_have_is_named(network_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"The features 'others' of .*features.onnx cannot be computed"):
        FeatureDistance(_of(network_file, output="others"))
    (tmp_path / "none.onnx").write_bytes(b"none")
    with pytest.raises(ModelError, match=r"none.onnx cannot be computed"):
        FeatureDistance(_of(tmp_path / "none.onnx"))


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_folder_by_features_with_videos(network_file: Path, drawn_images: Path, tmp_path: Path) -> None:
    generator, out = saved_generator(tmp_path), tmp_path / "out"
    words = ("project", drawn_images / "seed000000.png", "--generator", generator, "-o", out, "--steps", "3")
    done = _run(*words, "--features", network_file, "--video")
    assert done.exit_code == 0, done.output
    assert "seed000000: distance 0." in done.stdout and "of the features" in done.stdout
    loss = json.loads((out / "projection.json").read_text())["loss"]
    assert loss.pop("features") and loss == {"output": "features", "side": 24, "pixels": 0.0}
    end = np.concatenate(
        [np.asarray(Image.open(out / name / "seed000000.png")) for name in ("images", "reconstructions", "errors")], 1
    )
    with PngImageFile(out / "videos" / "seed000000.png") as video:
        assert video.n_frames == 5  # the picture for who plays none, three steps, and the end
        np.testing.assert_array_equal(np.asarray(video), end)
        video.seek(1)
        first = np.asarray(video)
        video.seek(4)
        np.testing.assert_array_equal(np.asarray(video), end)
    assert np.abs(first.astype(int) - end).max() > 0
    again = _run(*words)
    assert isinstance(again.exception, SettingsError) and "loss" in str(again.exception)


def test_a_graph_has_its_own_loss(network_file: Path, drawn_images: Path, generating: Bundle, tmp_path: Path) -> None:
    words = ("project", drawn_images, "--generator", generating.folder, "-o", tmp_path / "out")
    refused = _run(*words, "--features", network_file)
    assert isinstance(refused.exception, SettingsError) and "by PyTorch alone" in str(refused.exception)
    alone = _run(*words, "--pixels", "1")
    assert isinstance(alone.exception, SettingsError) and "belong to --features" in str(alone.exception)
    done = _run("project", drawn_images / "seed000001.png", *words[2:], "--steps", "2", "--video")
    assert done.exit_code == 0, done.output
    with PngImageFile(tmp_path / "out" / "videos" / "seed000001.png") as video:
        assert video.size == (96, 32) and video.n_frames == 4
