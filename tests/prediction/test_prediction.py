"""`Predictor` against a reference computed here with Pillow, NumPy, ONNX Runtime and scikit-image alone."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image, ImageOps
from scipy.special import expit
from skimage.metrics import structural_similarity

from sitegen.bundle import Bundle, describe_files, load_bundle
from sitegen.errors import BundleError
from sitegen.prediction import Predictor
from sitegen.prediction.images import OpenedImage
from sitegen_runtime.document_types import ResultDocument
from sitegen_runtime.errors import DamagedImage
from tests.helpers.bundles import LABELS, make_bundle
from tests.helpers.prediction_reference import SMOOTH, luma, square_grid
from tests.helpers.runtime.images import encode_png, random_samples, saved

EXIF_ORIENTATION = 0x0112


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


def check(bundle: Bundle, document: ResultDocument, grey: np.ndarray) -> None:
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
        "notes": [],
    }
    assert document["bundle"]["sha256"] == hashlib.sha256((bundle.folder / "bundle.json").read_bytes()).hexdigest()
    assert document["engine"] == {"runtime": "cpython", "provider": "cpu", "threads": 1}
    with Image.open(path) as image:
        check(bundle, document, luma(image.convert("RGB")))
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def analysed(bundle: Bundle, data: bytes, **options: Any) -> ResultDocument:
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
