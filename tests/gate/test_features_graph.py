"""The graph of the features' statistics: what float64 gives, and what the runtime makes of it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from scipy.spatial.distance import mahalanobis as distance_of_scipy
from scipy.special import log1p
from sklearn.covariance import LedoitWolf

from sitegen.errors import ExportError
from sitegen.gate.feature_statistics import Whitening, fit_residual, fit_whitening
from sitegen.gate.features_graph import FeatureStatistics, prove_features_graph, write_features_graph
from sitegen.graphs.signature import read_signature
from sitegen_runtime.gate.feature_scores import mahalanobis, vim

WIDTH = 24


def features(images: int = 300, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(WIDTH, WIDTH))
    return np.maximum(random.normal(size=(images, WIDTH)) @ mixing + 2, 0)


LOGITS = np.random.default_rng(1).normal(-1, 2, (300, 3))


def statistics() -> FeatureStatistics:
    return FeatureStatistics(fit_whitening(features()), fit_residual(features(), LOGITS))


def run(path: Path, row: np.ndarray, output: str) -> list[float]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    (values,) = session.run([output], {"features": row[np.newaxis].astype(np.float32)})
    return [float(value) for value in values[0]]


def test_the_runtimes_distances_of_the_graph_are_those_of_scipy(tmp_path: Path) -> None:
    path = write_features_graph(statistics(), tmp_path)
    reference = LedoitWolf().fit(features())
    inverse = np.linalg.inv(reference.covariance_)
    for row in features(5, seed=2).astype(np.float32):
        expected = distance_of_scipy(row.astype(float), features().mean(axis=0), inverse)
        assert mahalanobis(run(path, row, "whitened")) == pytest.approx(expected, rel=1e-5)


def test_vim_is_residual_times_alpha_plus_energy(tmp_path: Path) -> None:
    fitted = statistics()
    path = write_features_graph(fitted, tmp_path)
    assert fitted.residual is not None
    main = np.linalg.svd(features() - features().mean(axis=0))[2][: WIDTH // 2].T
    for row, logits in zip(features(5, seed=2).astype(np.float32), LOGITS, strict=False):
        away = row.astype(float) - features().mean(axis=0)
        left = np.linalg.norm(away - main @ (main.T @ away))
        expected = fitted.residual.alpha * left - log1p(np.exp(logits)).sum()
        seen = vim(run(path, row, "residual"), logits.tolist(), fitted.residual.alpha)
        assert seen == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_shapes_names_and_bytes(tmp_path: Path) -> None:
    first = write_features_graph(statistics(), tmp_path)
    graph, weights = first.read_bytes(), (tmp_path / "features.weights").read_bytes()
    signature = read_signature(first)
    assert signature.inputs == {"features": [1, WIDTH]}
    assert signature.outputs == {"whitened": [1, WIDTH], "residual": [1, WIDTH // 2]}
    assert signature.weight_files == {"features.weights"}
    write_features_graph(statistics(), tmp_path)
    assert (graph, weights) == (first.read_bytes(), (tmp_path / "features.weights").read_bytes())
    model = onnx.load(str(first), load_external_data=False)
    assert (model.ir_version, model.opset_import[0].version) == (10, 18)


def test_each_part_may_be_missing_but_not_both(tmp_path: Path) -> None:
    whole = statistics()
    for part, output in (
        (FeatureStatistics(whitening=whole.whitening), "whitened"),
        (FeatureStatistics(residual=whole.residual), "residual"),
    ):
        assert list(read_signature(write_features_graph(part, tmp_path)).outputs) == [output]
    with pytest.raises(ExportError, match=r"as many features each, not of \[\]"):
        write_features_graph(FeatureStatistics(), tmp_path)
    other = fit_whitening(features()[:, :5])
    with pytest.raises(ExportError, match=r"not of \[5, 24\]"):
        write_features_graph(FeatureStatistics(other, whole.residual), tmp_path)


def test_the_proof_is_against_float64(tmp_path: Path) -> None:
    write_features_graph(statistics(), tmp_path)
    assert 0 < prove_features_graph(statistics(), tmp_path, features(20, seed=3)) < 1e-5
    other = FeatureStatistics(fit_whitening(features(seed=5)))
    with pytest.raises(ExportError, match=r"features\.onnx gives 'whitened' that differs by .* from float64"):
        prove_features_graph(other, tmp_path, features(20, seed=3))


@pytest.mark.parametrize(("length", "scale"), [(0.5, 1.0), (1.0, 1.0), (40.0, 40.0)])
def test_outputs_may_differ_by_a_ten_thousandth(length: float, scale: float, tmp_path: Path) -> None:
    # One feature, given as it is: what another origin says is off by the origin, which is of 1, or of the length above.
    write_features_graph(FeatureStatistics(Whitening(np.zeros(1), np.eye(1), 0.0)), tmp_path)
    row = np.full((1, 1), length)
    for share in (0.9e-4, -0.9e-4):
        near = FeatureStatistics(Whitening(np.full(1, share * scale), np.eye(1), 0.0))
        assert prove_features_graph(near, tmp_path, row) == pytest.approx(0.9e-4, rel=1e-3)
    for share in (1.1e-4, -1.1e-4):
        far = FeatureStatistics(Whitening(np.full(1, share * scale), np.eye(1), 0.0))
        with pytest.raises(ExportError, match=r"differs by 0\.00011 of its norm from float64, and at most 0\.0001 is"):
            prove_features_graph(far, tmp_path, row)


def test_directions_that_hardly_vary_ask_too_much_of_float32(tmp_path: Path) -> None:
    spread = Whitening(np.full(2, 1 / 3), np.diag([1e8, 1.0]), 0.0)
    write_features_graph(FeatureStatistics(spread), tmp_path)
    with pytest.raises(ExportError, match="Some features hardly differ between the training images"):
        prove_features_graph(FeatureStatistics(spread), tmp_path, np.full((1, 2), 1 / 3))
