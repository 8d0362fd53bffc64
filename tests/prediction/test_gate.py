"""The scores of `Predictor`'s gate, of both stages, against references computed here."""

from array import array
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from scipy.special import log_expit
from skimage.metrics import structural_similarity

from sitegen.bundle import Bundle
from sitegen.errors import BundleError
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from tests.helpers.browser.gate_bundle import make_gate_bundle
from tests.helpers.bundles import make_bundle
from tests.helpers.prediction_reference import luma, square_grid
from tests.helpers.runtime.images import saved


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
