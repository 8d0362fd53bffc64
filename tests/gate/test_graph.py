"""Gates in bundles: a trained network's graph with its latent, scores of both stages, and what another bundle takes."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from sitegen.bundle import (
    Bundle,
    FeatureMap,
    Graph,
    GraphOutput,
    Label,
    Licence,
    describe_files,
    load_bundle,
    write_description,
)
from sitegen.errors import BundleError, ExportError
from sitegen.export.classifier_bundle import classifier_input, write_classifier
from sitegen.export.golden import write_golden
from sitegen.export.write_bundle import Draft, write_bundle
from sitegen.gate.feature_statistics import fit_residual, fit_whitening
from sitegen.gate.features_graph import FeatureStatistics, write_features_graph
from sitegen.gate.fitted import Combining, fit_gate
from sitegen.gate.graph import gate_input, prove_gate, write_gate
from sitegen.gate.taken import take_gate
from sitegen.graphs.signature import read_signature
from sitegen.networks.reconstruction import ReconstructionSettings, make_reconstruction, reconstruction_document
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.networks.trained_gate import TrainedGate
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.bundles import make_bundle
from tests.helpers.trained import lived_in

LICENCE = Licence(weights="Apache-2.0", data="none")
LABELS = ("Mass", "Nodule", "Effusion")
SIDE = 32


def trained_gate(kind: Any = "autoencoder") -> TrainedGate:
    torch.manual_seed(4)
    settings = ReconstructionSettings(kind, side=SIDE, latent=6, widths=(4, 8))
    entry = NetworkInput("picture", (1, 1, SIDE, SIDE), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))
    return TrainedGate(make_reconstruction(settings).eval(), reconstruction_document(settings), entry)


def trained_classifier() -> TrainedClassifier:
    settings = read_network({"name": "densenet", "growth": 4, "blocks": (1, 1), "stem": 8, "labels": 3})
    torch.manual_seed(2)
    entry = NetworkInput("picture", (1, 1, SIDE, SIDE), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))
    return TrainedClassifier(lived_in(make_network(settings)), network_document(settings), LABELS, entry)


def images(count: int = 4) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 1, (count, 1, SIDE, SIDE)).astype(np.float32)


@pytest.mark.parametrize("kind", ["autoencoder", "variational", "ali"])
def test_the_graph_gives_reconstruction_and_latent(kind: str, tmp_path: Path) -> None:
    gate = trained_gate(kind)
    assert write_gate(gate, tmp_path) == replace(gate.image, name="image") == gate_input(gate)
    signature = read_signature(tmp_path / "gate.onnx")
    assert signature.inputs == {"image": [1, 1, SIDE, SIDE]}
    assert signature.outputs == {"reconstruction": [1, 1, SIDE, SIDE], "latent": [1, 6]}
    assert signature.weight_files == {"gate.weights"}
    assert 0 <= prove_gate(tmp_path, gate, images()) <= 1e-5


def test_another_network_is_told(tmp_path: Path) -> None:
    write_gate(trained_gate(), tmp_path)
    other: Any = trained_gate()
    other.network.decoder[0].bias.data += 0.1
    with pytest.raises(ExportError, match=r"gate\.onnx gives reconstructions or latents that differ by"):
        prove_gate(tmp_path, other, images())
    other = trained_gate()
    other.network.encoder[-1].weight.data *= float("nan")
    with pytest.raises(ExportError, match="differ by nan"):
        prove_gate(tmp_path, other, images())


class Shifted(torch.nn.Module):
    """A network whose first pixel is off by `pixel`, and whose latents by `share` of their length, or of 1."""

    def __init__(self, network: torch.nn.Module, pixel: float = 0.0, share: float = 0.0) -> None:
        super().__init__()
        self.network, self.pixel, self.share = network, pixel, share

    def forward(self, given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        drawn, latents = self.network(given)
        drawn, latents = drawn.double(), latents.double()
        drawn[:, 0, 0, 0] += self.pixel
        latents[:, -1] += self.share * latents.norm(dim=1).clamp(min=1)
        return drawn, latents


@pytest.mark.parametrize("length", [0.1, 50.0])
def test_pixels_and_latents_may_differ_by_a_hundred_thousandth(length: float, tmp_path: Path) -> None:
    gate = trained_gate()
    with torch.inference_mode():
        seen = gate.network(torch.from_numpy(images()))[1].norm(dim=1).max().item()
        for parameter in gate.network.encoder[-1].parameters():
            parameter.mul_(length / seen)
        assert gate.network(torch.from_numpy(images()))[1].norm(dim=1).max().item() == pytest.approx(length, rel=1e-3)
    write_gate(gate, tmp_path)
    # Engines differ by rounding, far below a millionth: what is added decides.
    for off in ({"pixel": 0.8e-5}, {"pixel": -0.8e-5}, {"share": 0.8e-5}, {"share": -0.8e-5}):
        shifted: Any = Shifted(gate.network, **off)
        assert prove_gate(tmp_path, replace(gate, network=shifted), images()) == pytest.approx(0.8e-5, abs=1e-6)
    for off in ({"pixel": 1.2e-5}, {"pixel": -1.2e-5}, {"share": 1.2e-5}, {"share": -1.2e-5}):
        shifted = Shifted(gate.network, **off)
        with pytest.raises(ExportError, match="and at most 1e-05 is allowed"):
            prove_gate(tmp_path, replace(gate, network=shifted), images())


def test_a_latent_or_an_image_of_another_size_than_the_settings_say(tmp_path: Path) -> None:
    gate = trained_gate()
    with pytest.raises(ExportError, match=r"a latent \[1, 6\]; its settings say .* and \[1, 64\]"):
        write_gate(replace(gate, network_settings={**gate.network_settings, "latent": 64}), tmp_path)
    with pytest.raises(ExportError, match=r"does not take images of \[1, 1, 64, 64\]"):
        write_gate(replace(gate, image=replace(gate.image, shape=(1, 1, 64, 64))), tmp_path)
    assert not list(tmp_path.iterdir())


@dataclass(frozen=True)
class Whole:
    """A bundle with scores of both stages."""

    bundle: Bundle
    classifier: TrainedClassifier
    gate: TrainedGate


def whole_bundle(folder: Path) -> Whole:
    """Write a bundle whose gate refuses by scores of both stages, fitted to random values."""
    classifier, gate = trained_classifier(), trained_gate()
    image = classifier_input(classifier)
    feature_map = write_classifier(classifier, folder, pooled=True)
    random = np.random.default_rng(6)
    with torch.inference_mode():
        maps = classifier.network.feature_maps(torch.from_numpy(images(40) * 2 - 1))
        features, logits = maps.mean((2, 3)).numpy(), classifier.network.head(maps).numpy()
    statistics = FeatureStatistics(fit_whitening(features), fit_residual(features, logits))
    write_features_graph(statistics, folder)
    (folder / "card.md").write_text("# Card\n", encoding="utf-8")
    write_golden(folder, image)
    metrics = ("ssim", "latent", "turned", "mahalanobis", "vim")
    combining = Combining(("ssim", "vim"), {"noise": {metric: random.normal(1, 1, 30) for metric in metrics}})
    scores = {metric: random.normal(0, 1, 60) for metric in metrics}
    refusing = ("latent", "turned", "mahalanobis", "vim", "combined")
    assert statistics.residual is not None
    settings = fit_gate(
        scores, ["one"] * 60, refusing, combining=combining, vim_alpha=statistics.residual.alpha
    ).settings
    labels = [Label(name=name, operating_point=0.5) for name in LABELS]
    draft = Draft("whole", "1", "Whole", LICENCE, labels, settings, True, feature_map, features=True)
    return Whole(write_bundle(folder, draft, {"classifier": image, "gate": write_gate(gate, folder)}), classifier, gate)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return whole_bundle(tmp_path_factory.mktemp("whole"))


def outputs(bundle: Bundle, role: Any) -> dict[str, list[int] | None]:
    return {output.role: output.shape for output in bundle.description.graphs[role].outputs}


def test_a_bundle_describes_all_outputs_and_gives_all_scores(whole: Whole) -> None:
    bundle = whole.bundle
    assert outputs(bundle, "gate") == {"reconstruction": [1, 1, SIDE, SIDE], "latent": [1, 6]}
    assert outputs(bundle, "classifier") == {"logits": [1, 3], "features": [1, 10]}
    assert outputs(bundle, "features") == {"whitened": [1, 10], "residual": [1, 5]}
    assert set(outputs(bundle, "gradient")) == {"logits", "gradient", "features", "features-gradient"}
    (entry,) = bundle.description.graphs["features"].inputs
    assert (entry.name, entry.shape, entry.colour) == ("features", [1, 10], None)
    assert "features.onnx" in bundle.description.files
    document = Predictor(bundle).predict(bundle.path("golden.png"), force=True)
    found = {score["metric"]: score["value"] for score in document["gate"]["scores"]}
    assert set(found) == {"latent", "turned", "mahalanobis", "vim", "combined"}
    tensor = golden_tensor(bundle)
    with torch.inference_mode():
        _, latent = whole.gate.network(torch.from_numpy(tensor))
    assert found["latent"] == pytest.approx(float(latent.norm()), rel=1e-5)


def golden_tensor(bundle: Bundle) -> np.ndarray:
    from sitegen.data.tensors.cache import image_tensors

    (entry,) = bundle.model.graphs["gate"].images
    return np.asarray(image_tensors(bundle.path("golden.png").read_bytes(), {"gate": entry})["gate"])


def test_what_needs_the_gates_network_alone_is_taken_over(whole: Whole, tmp_path: Path) -> None:
    taken = take_gate(whole.bundle, tmp_path)
    assert [score.metric for score in taken.settings.scores] == ["latent", "turned"]
    assert taken.settings.quantiles is not None
    assert set(taken.settings.quantiles.values) == {"ssim", "latent", "turned"}
    assert (taken.settings.combination, taken.settings.vim_alpha) == (None, None)
    assert {output.role for output in taken.graph.outputs} == {"reconstruction", "latent"}
    (warning,) = taken.warnings
    assert "The gate of whole also refuses by mahalanobis, vim, combined" in warning
    assert "own classifier" in warning
    for name in ("gate.onnx", "gate.weights"):
        assert (tmp_path / name).read_bytes() == whole.bundle.path(name).read_bytes()


def test_a_combination_of_the_gates_own_scores_is_taken_over(whole: Whole, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    scores = {metric: random.normal(size=40) for metric in ("ssim", "latent")}
    altered = {"noise": {metric: random.normal(2, 1, 40) for metric in scores}}
    settings = fit_gate(scores, ["one"] * 40, ("combined",), combining=Combining(("ssim", "latent"), altered)).settings
    description = whole.bundle.description.model_copy(update={"gate": settings})
    taken = take_gate(replace(whole.bundle, description=description), tmp_path)
    assert taken.settings == settings
    assert taken.warnings == []


def test_scores_are_the_same_in_the_bundle_that_took_the_gate(whole: Whole, tmp_path: Path) -> None:
    feature_map = write_classifier(whole.classifier, tmp_path)
    bundle = with_gate_of(whole.bundle, tmp_path, whole.classifier, feature_map)
    golden = whole.bundle.path("golden.png")
    theirs, ours = (Predictor(each).predict(golden, force=True)["gate"] for each in (whole.bundle, bundle))
    assert ours["scores"] == [score for score in theirs["scores"] if score["metric"] in ("latent", "turned")]
    assert ours["position"] == theirs["position"] is not None


def test_a_gate_is_taken_over_with_its_settings_and_decides_alike(tmp_path: Path) -> None:
    made = trained_classifier()
    feature_map = write_classifier(made, tmp_path)
    source = load_bundle(default_bundle())
    bundle = with_gate_of(source, tmp_path, made, feature_map)
    assert bundle.description.gate == source.description.gate
    assert bundle.description.feature_map == feature_map
    assert "final.weights" in bundle.description.files
    golden, theirs = bundle.description.golden, source.description.golden
    assert golden is not None
    assert theirs is not None
    assert golden.gate == pytest.approx(theirs.gate, abs=1e-9)
    assert golden.tensors["gate"] == theirs.tensors["gate"]


def test_a_gate_may_have_other_names_and_hardly_any_weights(tmp_path: Path) -> None:
    made = trained_classifier()
    (tmp_path / "bundle").mkdir()
    feature_map = write_classifier(made, tmp_path / "bundle")
    source = renamed_gate(make_bundle(tmp_path / "source"))
    bundle = with_gate_of(source, tmp_path / "bundle", made, feature_map)
    golden = bundle.path("golden.png")
    own, other = (Predictor(each).predict(golden)["gate"] for each in (bundle, source))
    assert own == other
    assert bundle.weights("gate") == {}
    assert bundle.description.graphs["gate"].outputs[0].name == "rebuilt"


def renamed_gate(bundle: Bundle) -> Bundle:
    """Write the gate, of nine weights, again: in a folder of its own, and with another name for what it draws."""
    model = onnx.load(str(bundle.path("gate.onnx")))
    model.graph.output[0].name = model.graph.node[-1].output[0] = "rebuilt"
    (bundle.folder / "networks").mkdir()
    onnx.save(model, str(bundle.path("networks/drawer.onnx")))
    old = bundle.description
    gate = Graph(
        file="networks/drawer.onnx",
        inputs=old.graphs["gate"].inputs,
        outputs=[GraphOutput(name="rebuilt", role="reconstruction")],
    )
    files = describe_files(bundle.folder, ["card.md", "classifier.onnx", "classifier.weights", gate.file])
    write_description(bundle.folder, old.model_copy(update={"graphs": {**old.graphs, "gate": gate}, "files": files}))
    return load_bundle(bundle.folder)


def with_gate_of(source: Bundle, folder: Path, made: TrainedClassifier, feature_map: FeatureMap | None) -> Bundle:
    taken = take_gate(source, folder)
    assert taken.origin["name"] == source.description.name
    image = classifier_input(made)
    golden = write_golden(folder, image)
    assert golden.shape == (1, 1, 32, 32)
    (folder / "card.md").write_text("# Card\n", encoding="utf-8")
    labels = [replace_label(source, name) for name in LABELS]
    draft = Draft("test", "1", "Test", source.description.licence, labels, taken.settings, True, feature_map)
    return write_bundle(folder, draft, {"classifier": image, "gate": taken.graph})


def replace_label(source: Bundle, name: str) -> Any:
    return source.description.labels[0].model_copy(update={"name": name})


def test_a_bundle_without_a_gate_has_none_to_give(tmp_path: Path) -> None:
    source = make_bundle(tmp_path / "source", gate=False)
    with pytest.raises(BundleError, match=r"has no gate\. Name one that has, or leave out --gate"):
        take_gate(source, tmp_path)
