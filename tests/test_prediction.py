"""`Predictor` against a reference computed here with Pillow, NumPy, ONNX Runtime and scikit-image alone."""

import hashlib
import io
import json
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from gate_bundle import make_gate_bundle
from images import encode_png, picture, random_samples, saved
from onnx import numpy_helper
from PIL import Image, ImageOps
from scipy.special import expit, log_expit
from skimage.metrics import structural_similarity

from bundles import LABELS, make_bundle
from sitegen.bundle import Bundle, describe_files, load_bundle
from sitegen.errors import BundleError
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen.prediction.images import OpenedImage
from sitegen_runtime.errors import DamagedImage

SMOOTH = picture(150, 101, seed=1, colour=0.05)
EXIF_ORIENTATION = 0x0112


def square_grid(plane: np.ndarray, cells: int) -> np.ndarray:
    """Area average of the centred square of a plane of shares, by repeating every pixel `cells` times."""
    side = min(plane.shape)
    top, left = (plane.shape[0] - side) // 2, (plane.shape[1] - side) // 2
    square = plane[top : top + side, left : left + side]
    wide = square.repeat(cells, axis=0).repeat(cells, axis=1)
    return wide.reshape(cells, side, cells, side).mean(axis=(1, 3))


def run(bundle: Bundle, role: str, tensor: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(bundle.folder / f"{role}.onnx"))
    return session.run(None, {"image": tensor.astype(np.float32)})[0].astype(np.float64)


def expected(bundle: Bundle, grey: np.ndarray) -> dict[str, Any]:
    """Gate score and logits of an upright image given as luma, in shares of full scale."""
    image = square_grid(grey, 16)
    rebuilt = run(bundle, "gate", image[None, None])[0, 0]
    return {
        "score": structural_similarity(image, rebuilt, data_range=1.0),
        "logits": run(bundle, "classifier", square_grid(grey, 32)[None, None])[0],
    }


def luma(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), dtype=np.float64) / 255


def check(bundle: Bundle, document: dict[str, Any], grey: np.ndarray) -> None:
    """Compare a document with the reference."""
    reference = expected(bundle, grey)
    assert document["gate"]["score"] == pytest.approx(reference["score"], abs=1e-5)
    assert document["gate"]["accepted"] is bool(reference["score"] >= 0.5)
    assert [finding["label"] for finding in document["findings"]] == list(LABELS)
    for index, (finding, logit) in enumerate(zip(document["findings"], reference["logits"], strict=True)):
        point, probability = 0.25 + 0.2 * index, float(expit(logit))
        assert finding["logit"] == pytest.approx(logit, abs=1e-4)
        assert finding["probability"] == pytest.approx(probability, abs=1e-5)
        assert finding["operating_point"] == pytest.approx(point)
        assert finding["calibrated"] == pytest.approx(np.interp(probability, [0, point, 1], [0, 0.5, 1]), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.png", saved(SMOOTH, "PNG"), "image/png"),
        ("grey.png", saved(SMOOTH.convert("L"), "PNG"), "image/png"),
        ("a.jpg", saved(SMOOTH, "JPEG", quality=85), "image/jpeg"),
        ("progressive.jpg", saved(SMOOTH, "JPEG", progressive=True), "image/jpeg"),
        ("grey.jpg", saved(SMOOTH.convert("L"), "JPEG"), "image/jpeg"),
        ("lossy.webp", saved(SMOOTH, "WEBP", quality=80), "image/webp"),
        ("lossless.webp", saved(SMOOTH, "WEBP", lossless=True), "image/webp"),
        ("palette.png", saved(SMOOTH.quantize(32), "PNG"), "image/png"),
        ("named wrongly.txt", saved(SMOOTH, "PNG"), "image/png"),
    ],
)
def test_documents_equal_the_reference(bundle: Bundle, tmp_path: Path, name: str, data: bytes, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    document = Predictor(bundle).predict(path, force=True)
    assert document["image"] == {
        "name": str(path),
        "type": kind,
        "width": 150,
        "height": 101,
        "bits": 8,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert document["bundle"]["sha256"] == hashlib.sha256((bundle.folder / "bundle.json").read_bytes()).hexdigest()
    assert document["engine"] == {"runtime": "cpython", "provider": "cpu", "threads": 1}
    with Image.open(path) as image:
        check(bundle, document, luma(image.convert("RGB")))
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def analysed(bundle: Bundle, data: bytes, **options: Any) -> dict[str, Any]:
    return Predictor(bundle).analyse(data, "image", **options).document


def test_alpha_is_ignored(bundle: Bundle) -> None:
    transparent = SMOOTH.copy()
    transparent.putalpha(Image.linear_gradient("L").resize(SMOOTH.size))
    plain, alpha = (analysed(bundle, saved(image, "PNG"), force=True) for image in (SMOOTH, transparent))
    assert alpha["tensors"] == plain["tensors"]
    assert alpha["findings"] == plain["findings"]


def test_16_bit_png(bundle: Bundle) -> None:
    samples = random_samples(3, 90, 70, 0, 16)
    document = analysed(bundle, encode_png(samples, 0, 16), force=True)
    assert document["image"]["bits"] == 16
    check(bundle, document, samples[..., 0] / 65535)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_orientation_equals_the_turned_image(bundle: Bundle, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    marked = saved(SMOOTH, kind, exif=exif.tobytes(), **options)
    stored = Image.open(io.BytesIO(marked))
    turned = analysed(bundle, saved(ImageOps.exif_transpose(stored).convert("RGB"), "PNG"), force=True)
    found = analysed(bundle, marked, force=True)
    assert found["tensors"] == turned["tensors"]
    assert (found["image"]["width"], found["image"]["height"]) == (turned["image"]["width"], turned["image"]["height"])


def test_refused_and_forced(bundle: Bundle) -> None:
    noise = Image.fromarray(np.random.default_rng(2).integers(0, 256, (64, 64), dtype=np.uint8))
    data = saved(noise, "PNG")
    refused, forced = analysed(bundle, data), analysed(bundle, data, force=True)
    assert (refused["gate"]["accepted"], refused["findings"], "forced" in refused) == (False, [], False)
    assert refused["gate"]["reason"]
    assert forced["forced"] is True
    check(bundle, forced, luma(noise))


def test_no_gate(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, gate=False, labels=("Only",), calibrated=False)
    document = analysed(bundle, saved(SMOOTH, "PNG"))
    assert document["gate"] is None
    logit = run(bundle, "classifier", square_grid(luma(SMOOTH), 32)[None, None]).item()
    (finding,) = document["findings"]
    assert finding["logit"] == pytest.approx(logit, abs=1e-4)
    assert finding["calibrated"] is None


def test_a_colour_network(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, channels=3, gate=False)
    planes = np.asarray(SMOOTH, dtype=np.float64).transpose(2, 0, 1) / 255
    tensor = np.stack([(square_grid(plane, 32) - 0.5) / 0.25 for plane in planes])[None]
    document = analysed(bundle, saved(SMOOTH, "PNG"))
    logits = [finding["logit"] for finding in document["findings"]]
    np.testing.assert_allclose(logits, run(bundle, "classifier", tensor)[0], rtol=0, atol=1e-4)


def test_too_many_pixels(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(SMOOTH, "PNG"))
    assert Predictor(bundle).predict(path, max_pixels=150 * 101 - 1)["error"]["code"] == "too-large"
    assert "error" not in Predictor(bundle).predict(path, max_pixels=150 * 101)


@pytest.mark.parametrize("kind", ["missing", "a folder"])
def test_unreadable_files(bundle: Bundle, tmp_path: Path, kind: str) -> None:
    path = tmp_path if kind == "a folder" else tmp_path / "missing.png"
    document = Predictor(bundle).predict(path)
    assert document["error"]["code"] == "unreadable-file"
    assert str(path) in document["error"]["message"]
    assert document["image"]["sha256"] is None


def test_pillow_refuses_what_it_cannot_decode() -> None:
    with pytest.raises(DamagedImage, match="cannot be decoded"):
        OpenedImage("image/jpeg", saved(SMOOTH, "PNG"))


def test_a_network_that_fails_at_run_time(bundle: Bundle) -> None:
    # Exceptions of ONNX Runtime derive from Exception alone.
    predictor = Predictor(bundle)
    predictor._networks.load("gate")
    predictor._networks._sessions["classifier"] = predictor._networks._sessions["gate"]
    document = predictor.analyse(saved(SMOOTH, "PNG"), "image", force=True).document
    assert document["error"]["code"] == "engine-failed"
    assert "'classifier' could not be run" in document["error"]["message"]
    assert document["tensors"].keys() == {"classifier", "gate"}


def test_a_decoder_without_memory_fails_one_image_only(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(self: Image.Image) -> None:
        raise MemoryError

    data = saved(SMOOTH, "JPEG")
    predictor = Predictor(bundle)
    with monkeypatch.context() as patch:
        patch.setattr("PIL.JpegImagePlugin.JpegImageFile.load", no_memory)
        document = predictor.analyse(data, "image").document
    assert document["error"]["code"] == "engine-failed"
    assert "not enough memory" in document["error"]["message"]
    assert "error" not in predictor.analyse(data, "image").document


def test_a_network_that_cannot_be_loaded_is_the_bundles_fault(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path).folder
    network = onnx.load(str(folder / "classifier.onnx"), load_external_data=False)
    network.graph.node[1].op_type = "NoSuchOperator"
    (folder / "classifier.onnx").write_bytes(network.SerializeToString())
    fields = json.loads((folder / "bundle.json").read_text("utf-8"))
    fields["files"]["classifier.onnx"] = describe_files(folder, ["classifier.onnx"])["classifier.onnx"].model_dump()
    (folder / "bundle.json").write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(BundleError, match=r"ONNX Runtime cannot load .*classifier\.onnx"):
        analysed(load_bundle(folder), saved(SMOOTH, "PNG"), force=True)


def test_a_second_image_follows_a_failed_one(bundle: Bundle) -> None:
    predictor = Predictor(bundle)
    assert "error" in predictor.analyse(b"", "empty").document
    first, second = (predictor.analyse(saved(SMOOTH, "PNG"), "image").document for _ in range(2))
    assert first["findings"] == second["findings"]
    assert "error" not in first


def gradient_by_torch(bundle: Bundle, image: np.ndarray, seed: list[float]) -> dict[str, np.ndarray]:
    """The test model of `gradient_bundle`, written in torch, in float64."""
    weights = {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).astype(np.float64))
        for tensor in onnx.load(str(bundle.folder / "classifier.onnx")).graph.initializer
    }
    leaf = torch.from_numpy(image.astype(np.float64)).requires_grad_()
    active = torch.nn.functional.conv2d(leaf, weights["kernel"], stride=2).tanh()
    logits = active.mean(dim=(2, 3)) @ weights["linear"] + weights["bias"]
    pulled = torch.autograd.grad(logits, [leaf, active], torch.tensor([seed], dtype=torch.float64))
    tensors = {"gradient": pulled[0], "features": active, "features-gradient": pulled[1], "logits": logits}
    return {role: tensor.detach().numpy() for role, tensor in tensors.items()}


def test_gradients_are_those_of_torch(gradient_bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(saved(SMOOTH, "PNG"))
    gradient = Predictor(gradient_bundle).gradient(path, {"Effusion": 2.0, "Atelectasis": -0.5}, force=True)
    document = gradient.document
    tensor = square_grid(luma(SMOOTH), 32).astype(np.float32)[None, None]
    expected = gradient_by_torch(gradient_bundle, tensor, [-0.5, 0.0, 2.0])
    assert [entry["role"] for entry in document["gradients"]] == ["gradient", "features", "features-gradient"]
    for entry in document["gradients"]:
        reference = expected[entry["role"]]
        ours = np.array(gradient.values[entry["role"]], np.float32).reshape(entry["shape"])
        assert entry["shape"] == list(reference.shape)
        assert np.linalg.norm(ours - reference) <= 1e-6 * np.linalg.norm(reference)
        assert (entry["min"], entry["max"]) == (ours.min(), ours.max())
        assert entry["sha256"] == hashlib.sha256(ours.astype("<f4").tobytes()).hexdigest()
    assert list(document["logits"].values()) == pytest.approx(expected["logits"][0], rel=1e-5)
    assert document["image"]["name"] == str(path)
    assert document["engine"] == {"runtime": "cpython", "provider": "cpu", "threads": 1}


def test_logits_and_decision_are_those_of_the_analysis(gradient_bundle: Bundle) -> None:
    predictor = Predictor(gradient_bundle)
    data = saved(SMOOTH, "PNG")
    analysis = predictor.analyse(data, "image").document
    document = predictor.gradient(data, {"Effusion": 1}).document
    assert document["image"] == analysis["image"]
    assert document["gate"] == analysis["gate"]
    assert document["tensors"]["gradient"] == analysis["tensors"]["classifier"]
    logits = {finding["label"]: finding["logit"] for finding in analysis["findings"]}
    assert document["logits"] == pytest.approx(logits, abs=1e-5)


def test_gradients_of_files_that_cannot_be_read(gradient_bundle: Bundle, bundle: Bundle, tmp_path: Path) -> None:
    gradient = Predictor(gradient_bundle).gradient(tmp_path / "missing.png", {"Effusion": 1})
    assert gradient.document["error"]["code"] == "unreadable-file"
    assert gradient.document["schema"] == "sitegen.gradient/1"
    assert gradient.values == {}
    without = Predictor(bundle).gradient(saved(SMOOTH, "PNG"), {"Effusion": 1}, name="a.png")
    assert without.document["error"]["code"] == "missing-network"
    assert without.document["image"]["name"] == "a.png"


def test_an_image_that_the_gate_refuses_has_no_gradient(gradient_bundle: Bundle) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50), dtype=np.uint8))
    predictor = Predictor(gradient_bundle)
    refused = predictor.gradient(saved(noise, "PNG"), {"Effusion": 1})
    assert refused.document["gate"]["accepted"] is False
    assert (refused.document["gradients"], refused.values) == ([], {})
    forced = predictor.gradient(saved(noise, "PNG"), {"Effusion": 1}, force=True)
    assert forced.document["forced"] is True
    assert len(forced.values["gradient"]) == 32 * 32


@pytest.fixture(scope="module")
def measuring(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle whose gate has scores of both stages."""
    return make_gate_bundle(tmp_path_factory.mktemp("measuring") / "gate-model")


def outputs_of(bundle: Bundle, role: str, **feeds: np.ndarray) -> dict[str, np.ndarray]:
    """All outputs of a graph by name, in float64."""
    session = onnxruntime.InferenceSession(str(bundle.folder / f"{role}.onnx"))
    names = [output.name for output in session.get_outputs()]
    values = session.run(names, {name: value.astype(np.float32) for name, value in feeds.items()})
    return {name: value.astype(np.float64) for name, value in zip(names, values, strict=True)}


def test_scores_of_both_stages_equal_their_references(measuring: Bundle) -> None:
    image = Image.fromarray(phantom(3, 256))
    document = Predictor(measuring).analyse(saved(image, "PNG"), "image", force=True).document
    tensor = square_grid(luma(image), 32).astype(np.float32)
    gate = outputs_of(measuring, "gate", image=tensor[None, None])
    classified = outputs_of(measuring, "classifier", image=tensor[None, None])
    whitened = outputs_of(measuring, "features", features=classified["features"])["whitened"]
    rebuilt, shares = gate["reconstruction"][0, 0], tensor.astype(np.float64)
    variants = [np.rot90(shares, -quarters) for quarters in (1, 2, 3)] + [1 - shares]  # all rebuilt as the same image
    closest = min(variants, key=lambda variant: float(((variant - rebuilt) ** 2).sum()))
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    ssim = structural_similarity(shares, rebuilt, data_range=1.0)
    expected = {
        "turned": structural_similarity(closest, rebuilt, data_range=1.0) - ssim,
        "l1": np.abs(shares - rebuilt).mean(),
        "ssim-gaussian": structural_similarity(shares, rebuilt, data_range=1.0, **gaussian),
        "latent": np.linalg.norm(gate["latent"]),
        "mahalanobis": np.linalg.norm(whitened),
        "energy": log_expit(-classified["logits"]).sum(),
    }
    assert {score["metric"]: score["value"] for score in document["gate"]["scores"]} == pytest.approx(
        expected, abs=1e-6
    )
    assert document["gate"]["score"] == pytest.approx(ssim, abs=1e-6)


def test_judging_values_is_stage_one_of_the_analysis(measuring: Bundle) -> None:
    image = Image.fromarray(phantom(3, 256))
    predictor = Predictor(measuring)
    analysis = predictor.analyse(saved(image, "PNG"), "image")
    values = array("f", square_grid(luma(image), 32).astype(np.float32).reshape(-1).tolist())
    decision = predictor.judge(values)
    assert analysis.decision is not None
    assert decision.score == pytest.approx(analysis.decision.score, abs=1e-6)
    assert [score.metric for score in decision.scores] == ["turned", "l1", "ssim-gaussian", "latent"]
    assert decision.channels == 1
    assert len(decision.reconstruction) == 32 * 32


def test_nothing_is_judged_without_a_gate(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no gate"):
        Predictor(make_bundle(tmp_path, gate=False)).judge(array("f", [0.0]))


@pytest.mark.parametrize("correction", ["turn-90", "turn-180", "turn-270", "invert"])
def test_a_correction_is_what_pillow_would_have_done(bundle: Bundle, correction: str) -> None:
    grey = SMOOTH.convert("L").crop((0, 0, 150, 100))  # so that the square lies in the middle to the pixel
    asked = {
        "turn-90": grey.transpose(Image.Transpose.ROTATE_270),
        "turn-180": grey.transpose(Image.Transpose.ROTATE_180),
        "turn-270": grey.transpose(Image.Transpose.ROTATE_90),
        "invert": ImageOps.invert(grey),
    }[correction]
    corrected = Predictor(bundle).analyse(saved(grey, "PNG"), "image", correction=correction, force=True)
    expected = Predictor(bundle).analyse(saved(asked, "PNG"), "image", force=True)
    assert corrected.document["gate"]["score"] == pytest.approx(expected.document["gate"]["score"], abs=1e-6)
    logits, others = ([finding["logit"] for finding in each.document["findings"]] for each in (corrected, expected))
    assert logits == pytest.approx(others, abs=1e-4)
    if correction != "invert":
        assert corrected.document["tensors"] == expected.document["tensors"]
        assert corrected.squares == expected.squares


def test_gradients_are_corrected_too(gradient_bundle: Bundle) -> None:
    document = (
        Predictor(gradient_bundle)
        .gradient(saved(SMOOTH, "PNG"), {"Effusion": 1}, force=True, correction="turn-180")
        .document
    )
    analysis = Predictor(gradient_bundle).analyse(saved(SMOOTH, "PNG"), "image", force=True, correction="turn-180")
    assert document["correction"] == "turn-180"
    assert document["tensors"]["gradient"] == analysis.document["tensors"]["classifier"]
