"""`sitegen evaluate frechet`: distances, neighbours and resizers against references; networks, caches, bad input."""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner, Result

from sitegen.cli.evaluate import evaluate
from sitegen.errors import DataError, ModelError, SettingsError, SitegenError
from sitegen.evaluation.frechet.distances import (
    as_probabilities,
    extrapolated,
    frechet_distance,
    halves,
    inception_score,
)
from sitegen.evaluation.frechet.document_types import FrechetDocument
from sitegen.evaluation.frechet.neighbours import neighbours
from sitegen.evaluation.frechet.networks import of_bundle
from sitegen.evaluation.frechet.preparation import Preparation
from sitegen.evaluation.frechet.resizers import resized
from sitegen.phantom import phantom
from tests.helpers.bundles import make_bundle
from tests.helpers.typed_documents import hold


def run(*arguments: object) -> Result:
    return CliRunner().invoke(evaluate, ["frechet", *map(str, arguments)])


@pytest.mark.parametrize(("count", "width"), [(50, 6), (7, 12), (12, 12)])
def test_the_distance_is_that_of_the_formula(count: int, width: int) -> None:
    """Also for fewer images than features, where covariances have no full rank."""
    rng = np.random.default_rng(0)
    first, second = (
        rng.normal(0, 1, (count, width)),
        rng.normal(0.5, 2, (count + 3, width)) @ rng.normal(0, 1, (width,) * 2),
    )
    one, other = np.cov(first.T), np.cov(second.T)
    root = np.real(sqrtm(one @ other))
    expected = ((first.mean(0) - second.mean(0)) ** 2).sum() + np.trace(one + other - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-5)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(first, first + 2) == pytest.approx(4 * width)


def test_one_feature_has_a_closed_form() -> None:
    first, second = np.array([[0.0], [2.0]]), np.array([[5.0], [5.0], [11.0]])
    # means 1 and 7, standard deviations √2 and √12
    assert frechet_distance(first, second) == pytest.approx(36 + (2**0.5 - 12**0.5) ** 2)


def test_infinitely_many_images_of_one_distribution_are_no_distance_apart() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0, 1, (2, 400, 20))
    found = extrapolated(first, second)
    assert found is not None
    at_hand = frechet_distance(first, second)
    assert at_hand > 0.4  # the bias alone
    assert abs(found.infinite) < at_hand / 2
    assert found.bias > at_hand / 2
    assert found.sizes[0] == 200
    assert found.sizes[-1] == 400
    assert extrapolated(first[:19], second) is None
    assert np.mean(halves(first, 5)) > at_hand


def test_neighbours_are_those_that_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    real, generated, k = rng.normal(0, 1, (15, 3)), rng.normal(0.8, 0.6, (12, 3)), 3

    def reach(points: np.ndarray, at: int) -> float:
        return float(sorted(np.linalg.norm(points - points[at], axis=1))[k])

    inside = np.array([[np.linalg.norm(r - g) < reach(real, at) for g in generated] for at, r in enumerate(real)])
    back = np.array([[np.linalg.norm(r - g) < reach(generated, at) for at, g in enumerate(generated)] for r in real])
    found = neighbours(real, generated, k)
    assert found.precision == pytest.approx(inside.any(axis=0).mean())
    assert found.recall == pytest.approx(back.any(axis=1).mean())
    assert found.density == pytest.approx(inside.sum() / (k * len(generated)))
    assert found.coverage == pytest.approx(inside.any(axis=1).mean())  # a real image's nearest is within its own ball
    with monkeypatch.context() as patch:
        patch.setattr("sitegen.evaluation.frechet.neighbours.CELLS", 25)  # two rows at a time
        assert neighbours(real, generated, k) == found
    far = neighbours(real, generated + 100, k)
    assert (far.precision, far.recall, far.density, far.coverage) == (0, 0, 0, 0)
    with pytest.raises(ValueError, match="12 neighbours need more images than 15 and 12"):
        neighbours(real, generated, 12)


def test_the_inception_score_goes_from_one_to_the_number_of_classes() -> None:
    assert inception_score(np.full((6, 4), 0.25)) == pytest.approx(1)
    assert inception_score(np.tile(np.eye(4), (3, 1))) == pytest.approx(4)
    logits = np.array([[1.0, 2.0, 3.0], [800.0, 0.0, 0.0]])
    assert as_probabilities(logits) == pytest.approx(torch.softmax(torch.tensor(logits), 1).numpy())
    assert (as_probabilities(np.eye(3)) == np.eye(3)).all()


@pytest.mark.parametrize(("shape", "side"), [((40, 40), 17), ((9, 31), 24), ((20, 20), 20)])
def test_resizers_are_those_of_their_libraries(shape: tuple[int, int], side: int) -> None:
    plane = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    tensor = torch.tensor(plane, dtype=torch.float32)[None, None]
    expected = torch.nn.functional.interpolate(tensor, (side, side), mode="bilinear", align_corners=False)[0, 0].numpy()
    assert resized(plane, side, "legacy") == pytest.approx(expected, abs=1e-3)
    float_image = Image.fromarray(plane.astype(np.float32))
    clean = np.asarray(float_image.resize((side, side), Image.Resampling.BICUBIC))
    assert (resized(plane, side, "clean") == clean).all()
    friendly = np.asarray(float_image.resize((side, side), Image.Resampling.LANCZOS))
    assert (resized(plane, side, "friendly", "lanczos") == friendly).all()


def write_network(path: Path, side: int | str = 8, channels: int = 3) -> Path:
    """A network that gives mean and largest value of each channel, and a class for each channel."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, channels, side, side])
    outputs = [
        helper.make_tensor_value_info("map", TensorProto.FLOAT, [1, channels, side, side]),
        helper.make_tensor_value_info("classes", TensorProto.FLOAT, [1, channels]),
    ]
    nodes = [
        helper.make_node("Mul", ["image", "image"], ["map"]),
        helper.make_node("ReduceMean", ["image"], ["classes"], axes=[2, 3], keepdims=0),
    ]
    graph = helper.make_graph(nodes, "n", [image], outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def fill(folder: Path, images: int) -> Path:
    """Real images, and generated ones, which are brighter; and a network. So few that one process takes them."""
    for name, first, add in (("real", 0, 0), ("made", 30, 25)):
        (folder / name).mkdir()
        for seed in range(first, first + images):
            plane = np.minimum(phantom(seed, 32).astype(int) + add, 255).astype(np.uint8)
            Image.fromarray(plane).save(folder / name / f"{seed}.png")
    write_network(folder / "n.onnx")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("frechet"), 22)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = fill(tmp_path_factory.mktemp("few"), 3)
    write_network(folder / "any.onnx", "side")
    (folder / "bad.npy").write_bytes(b"bad")
    np.save(folder / "nan.npy", np.array([[np.nan, 1.0]]))
    np.save(folder / "one.npy", np.ones((1, 4)))
    return folder


def test_folders_are_compared_by_any_network_and_kept(place: Path) -> None:
    given = ["--real", place / "real", "--generated", place / "made", "--network", place / "n.onnx"]
    more = [
        "--classes",
        "classes",
        "--cache",
        place / "cache",
        "--noise",
        0.1,
        "--json",
        place / "out.json",
        "--resizer",
        "legacy",
    ]
    assert run(*given, *more, "--mean", "0.5,0.4,0.3", "--std", "0.2").exit_code == 0
    found: FrechetDocument = json.loads((place / "out.json").read_text())
    hold(FrechetDocument, [found])
    real, made = (
        np.array(
            [
                [
                    ((resized(np.asarray(Image.open(path)), 8, "legacy") / 255 - mean) / 0.2).astype(np.float32) ** 2
                    for mean in (0.5, 0.4, 0.3)
                ]
                for path in sorted((place / name).iterdir())
            ]
        ).mean(axis=(2, 3))
        for name in ("real", "made")
    )
    assert found["frechet"] == pytest.approx(frechet_distance(real, made), rel=1e-4)
    assert (found["images"], found["features"]) == ([22, 22], 3)
    assert found["frechet"] > found["halves"]["mean"] + 3 * found["halves"]["deviation"]
    assert 1 <= (found["inception_score"] or 0) < 1.1
    assert len(list((place / "cache").iterdir())) == 66  # with noise they are other features
    again = (place / "out.json").read_bytes()
    for path in (place / "cache").iterdir():
        path.touch()
    assert run(*given, *more, "--mean", "0.5,0.4,0.3", "--std", "0.2").exit_code == 0
    assert (place / "out.json").read_bytes() == again


def test_noise_and_blur_say_what_small_differences_look_like(few: Path) -> None:
    given = ["--real", few / "real", "--generated", few / "real", "--network", few / "n.onnx", "--neighbours", 1]
    more = ["--noise", 0.05, "--noise", 0.3, "--blur", 0.5, "--blur", 4, "--json", few / "out.json"]
    assert run(*given, *more).exit_code == 0
    found = json.loads((few / "out.json").read_text())
    assert [(each["kind"], each["level"]) for each in found["altered"]] == [
        ("noise", 0.05),
        ("noise", 0.3),
        ("blur", 0.5),
        ("blur", 4),
    ]
    little, much, soft, softer = (each["frechet"] for each in found["altered"])
    assert 0 < little < much
    assert 0 < soft < softer
    blurred = gaussian_filter(np.asarray(Image.open(few / "real" / "0.png"), np.float64), 4)
    tensor = Preparation("legacy", blur=4).tensor(few / "real" / "0.png", 1, 32)
    assert tensor[0, 0] == pytest.approx(blurred / 255, abs=1e-6)
    assert isinstance(run(*given, "--blur", 0).exception, SettingsError)
    np.save(few / "two.npy", np.eye(2))
    result = run("--real", few / "two.npy", "--generated", few / "two.npy", "--noise", 1)
    assert "--noise alters images" in str(result.exception)


def test_a_bundles_feature_map_is_a_network(tmp_path: Path, place: Path) -> None:
    make_bundle(tmp_path / "bundle", explained=True)
    network = of_bundle(tmp_path / "bundle")
    features, classes = network(place / "real" / "0.png")
    assert features.ndim == 1
    assert classes is None
    asked = ["--real", place / "real", "--generated", place / "real", "--bundle", tmp_path / "bundle"]
    assert run(*asked, "--json", place / "out.json").exit_code == 0
    assert json.loads((place / "out.json").read_text())["frechet"] == pytest.approx(0, abs=1e-6)
    make_bundle(tmp_path / "plain")
    with pytest.raises(SettingsError, match="has no feature map"):
        of_bundle(tmp_path / "plain")


class Both(torch.nn.Module):
    """Gives what `write_network` gives."""

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return image * image, image.mean(dim=(2, 3))


def test_a_torchscript_file_gives_what_onnx_gives(place: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(Both()), str(place / "n.pt"))
    given = ["--real", place / "real", "--generated", place / "made", "--std", "0.5", "--json", place / "out.json"]
    found = []
    for more in (["n.onnx", "--classes", "classes"], ["n.pt", "--classes", "1", "--side", "8", "--channels", "3"]):
        assert run(*given, "--network", place / more[0], *more[1:]).exit_code == 0
        found.append(json.loads((place / "out.json").read_text()))
    for key in ("frechet", "precision", "coverage", "inception_score"):
        assert found[0][key] == pytest.approx(found[1][key], rel=1e-5)
    assert isinstance(run(*given, "--network", place / "n.pt").exception, SettingsError)
    result = run(*given, "--network", place / "n.pt", "--side", "8", "--output", "7")
    assert "has no output '7'; it has 0, 1" in str(result.exception)
    (place / "bad.pt").write_bytes(b"bad")
    assert "is no TorchScript file" in str(run(*given, "--network", place / "bad.pt", "--side", 8).exception)


def test_given_features_need_no_network(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    real = rng.normal(0, 1, (9, 2))
    np.save(tmp_path / "real.npy", real)
    rows = "\n".join(f"i{at},{a},{b}" for at, (a, b) in enumerate((real + 1).tolist()))
    (tmp_path / "made.csv").write_text(f"image,energy,entropy\n{rows}\n")
    result = run("--real", tmp_path / "real.npy", "--generated", tmp_path / "made.csv", "--json", tmp_path / "o.json")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["frechet"] == pytest.approx(2)
    assert found["extrapolated"] is None
    assert "fewer than 20 images" in result.output


def test_an_unreadable_image_is_left_out_and_named(tmp_path: Path) -> None:
    place = fill(tmp_path, 4)
    (place / "made" / "30.png").write_bytes(b"no image")
    result = run("--real", place / "real", "--generated", place / "made", "--network", place / "n.onnx")
    assert result.exit_code == 1
    assert "30.png cannot be read" in result.output
    assert "5 neighbours need more images than 4 and 3" in result.output


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ([], SettingsError, "name a network with --bundle or --network"),
        (["--network", "any.onnx"], SettingsError, "takes images of any side"),
        (["--network", "n.onnx", "--output", "b"], ModelError, "has no output 'b'; it has map, classes"),
        (["--network", "n.onnx", "--std", "0"], SettingsError, "--std is '0'"),
        (["--network", "n.onnx", "--mean", "a"], SettingsError, "--mean is 'a'"),
        (["--network", "n.onnx", "--bundle", "b"], SettingsError, "Name one network"),
        (["--network", "real"], ModelError, "cannot load"),
        (["--generated", "bad.npy", "--real", "one.npy"], DataError, "no folder, CSV or NumPy file"),
        (["--generated", "nan.npy", "--real", "nan.npy"], DataError, "must have finite numbers"),
        (["--generated", "one.npy", "--real", "one.npy"], DataError, "has 1 image"),
        (["--generated", "one.npy", "--network", "n.onnx"], DataError, "3 and 4 features"),
    ],
)
def test_what_cannot_be_compared_is_said(
    few: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], error: type[SitegenError], message: str
) -> None:
    monkeypatch.chdir(few)
    given = [] if "--real" in arguments else ["--real", "real"]
    result = run(*given, *([] if "--generated" in arguments else ["--generated", "made"]), *arguments)
    assert isinstance(result.exception, error), result.output
    assert message in str(result.exception)
