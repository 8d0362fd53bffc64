import shutil
from pathlib import Path

import pytest
import torch

from sitegen.bundle import GateSettings, Label, Licence
from sitegen.errors import BundleError
from sitegen.export.gradient_graph import export_gradient, last_feature_map
from sitegen.export.onnx_export import export_onnx
from sitegen.export.write_bundle import GOLDEN, Draft, drafted_bundle, write_bundle
from sitegen.networks.densenet import DenseNet, DenseNetSettings
from sitegen.networks.reconstruction import ReconstructionSettings, make_reconstruction
from sitegen.phantom import write_phantom
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import NetworkInput

INPUTS = {
    "classifier": NetworkInput("image", (1, 1, 32, 32), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,)),
    "gate": NetworkInput("image", (1, 1, 16, 16), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,)),
}


def draft(labels: int, gradient: bool = False) -> Draft:
    names = [Label(name=f"finding {number}", operating_point=0.5) for number in range(labels)]
    gate = GateSettings(metric="ssim", threshold=0.99)
    return Draft("tiny", "1.0", "Tiny", Licence(weights="Apache-2.0", data="none"), names, gate, gradient)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("exported")
    torch.manual_seed(0)
    classifier = DenseNet(DenseNetSettings(growth=4, blocks=(1, 1), stem=8, labels=2))
    export_onnx(classifier, (1, 1, 32, 32), "logits", tmp_path / "classifier.onnx")
    autoencoder = make_reconstruction(ReconstructionSettings(side=16, latent=4, widths=(4, 8)))
    export_onnx(autoencoder, (1, 1, 16, 16), ["reconstruction", "latent"], tmp_path / "gate.onnx")
    (tmp_path / "card.md").write_text("# Tiny\n", encoding="utf-8")
    write_phantom(tmp_path / GOLDEN, 0, 64)
    return tmp_path


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    return shutil.copytree(exported, tmp_path / "bundle")


def test_a_written_bundle_loads_and_its_golden_example_reproduces(folder: Path) -> None:
    bundle = write_bundle(folder, draft(labels=2), INPUTS)
    golden = bundle.description.golden
    assert golden.logits.keys() == {"finding 0", "finding 1"}
    assert golden.gate is not None
    assert golden.gate < 0.99  # a new autoencoder cannot draw; the golden example is measured all the same
    document = Predictor(bundle).predict(folder / GOLDEN, force=True)
    assert document["tensors"] == golden.tensors
    assert [finding["logit"] for finding in document["findings"]] == list(golden.logits.values())
    assert set(bundle.description.files) >= {"card.md", GOLDEN, "classifier.onnx", "gate.onnx"}


def test_labels_that_do_not_fit_the_graph_are_refused(folder: Path) -> None:
    with pytest.raises(BundleError, match="labels: there are 3"):
        write_bundle(folder, draft(labels=3), INPUTS)
    assert not (folder / "bundle.json").exists()


def test_a_draft_gives_what_the_written_bundle_gives_and_writes_nothing(folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    (folder / "card.md").unlink()
    drafted = drafted_bundle(folder, draft(labels=2), INPUTS)
    assert {path.name for path in folder.iterdir()} == before - {"card.md"}
    assert (drafted.description.golden, drafted.description.files["card.md"].bytes) == (None, 0)
    found = Predictor(drafted).predict(folder / GOLDEN, force=True)
    (folder / "card.md").write_text("# Tiny\n", encoding="utf-8")
    golden = write_bundle(folder, draft(labels=2), INPUTS).description.golden
    assert {finding["label"]: finding["logit"] for finding in found["findings"]} == golden.logits
    assert found["gate"]["score"] == golden.gate


@pytest.mark.parametrize("with_features", [False, True])
def test_a_gradient_graph_is_described_from_what_it_takes_and_gives(folder: Path, with_features: bool) -> None:
    features = last_feature_map(folder / "classifier.onnx") if with_features else None
    export_gradient(folder, features)
    bundle = write_bundle(folder, draft(labels=2, gradient=True), INPUTS)
    graphs = bundle.description.graphs
    image, seed = graphs["gradient"].inputs
    assert image == graphs["classifier"].inputs[0]
    assert (seed.name, seed.shape, seed.colour) == ("seed", [1, 2], None)
    found = {output.role: output.shape for output in graphs["gradient"].outputs}
    feature_shapes = {role: [1, 10, 4, 4] for role in ("features", "features-gradient")} if with_features else {}
    assert found == {"logits": [1, 2], "gradient": [1, 1, 32, 32]} | feature_shapes
    assert bundle.weights("gradient") == {"classifier.weights": "classifier.weights"}
    assert "gradient.onnx" in bundle.description.files


def test_a_gradient_graph_that_was_not_asked_for_stays_outside(folder: Path) -> None:
    export_gradient(folder)
    description = write_bundle(folder, draft(labels=2), INPUTS).description
    assert "gradient" not in description.graphs
    assert "gradient.onnx" not in description.files


def test_outputs_state_their_shapes(folder: Path) -> None:
    graphs = write_bundle(folder, draft(labels=2), INPUTS).description.graphs
    assert {role: graph.outputs[0].shape for role, graph in graphs.items()} == {
        "classifier": [1, 2],
        "gate": [1, 1, 16, 16],
    }
