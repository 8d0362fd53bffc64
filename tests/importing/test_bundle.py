"""From a model to its bundle: graphs and their proof, gate, card, provenance, and what stays away where it must."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from sitegen.bundle import load_bundle
from sitegen.data.tensors.cache import image_tensors
from sitegen.errors import BundleError, ExportError, SettingsError
from sitegen.export.agreement import apart
from sitegen.graphs.signature import stored_tensors
from sitegen.graphs.weight_forms import Weights
from sitegen.importing.bundle import ImportReport, check_target, import_bundle
from sitegen.importing.report.document_types import ImportDocument, StoredDocument
from sitegen.importing.settings import ImportSettings
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen.site.weight_layout import BYTES, HALVES, PLANES, layout_of
from sitegen_runtime.maps.methods import METHODS
from sitegen_runtime.page_maps import words_of_map
from sitegen_runtime.wording.explanations import OF_FLOAT, describe_methods
from tests.helpers.bundles import make_bundle
from tests.helpers.importing.fake_source import (
    LABELS,
    SIDE,
    WIDTH,
    TorchOriginal,
    fake_model,
    random_network,
    with_byte_weights,
    with_half_weights,
)
from tests.helpers.importing.report_documents import document
from tests.helpers.typed_documents import hold


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files, one wider than high."""
    folder = tmp_path_factory.mktemp("images")
    for seed in range(3):
        pixels = phantom(seed, 128)
        Image.fromarray(pixels[: 128 - 20 * seed]).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return random_network()


@pytest.fixture(scope="module")
def imported(network: nn.Module, images: Path, tmp_path_factory: pytest.TempPathFactory) -> ImportReport:
    return made(tmp_path_factory.mktemp("imported"), images, network=network)


def made(
    folder: Path,
    images: Path,
    settings: ImportSettings | None = None,
    *,
    gate: Path | None = None,
    weights: Weights = "float",
    **fields: Any,
) -> ImportReport:
    model = fake_model(**fields)
    given = settings or ImportSettings()
    return import_bundle(model, folder / "bundle", given, gate=gate, images=[images], report=None, weights=weights)


def test_the_bundle_gives_the_originals_probabilities(imported: ImportReport, network: nn.Module, images: Path) -> None:
    predictor, entry = Predictor(imported.bundle), imported.bundle.model.graphs["classifier"].images[0]
    for path in sorted(images.iterdir()):
        tensor = image_tensors(path.read_bytes(), {"image": entry})["image"]
        with torch.inference_mode():
            expected = torch.sigmoid(network(torch.from_numpy(tensor.copy())))[0].double().numpy()
        findings = predictor.predict(path)["findings"]
        assert [finding["label"] for finding in findings] == list(LABELS)
        assert np.abs([finding["probability"] for finding in findings] - expected).max() < 1e-6


def test_its_document_is_as_its_type_says(imported: ImportReport) -> None:
    hold(ImportDocument, [imported.document, document()])  # the second is written by hand, and has all that one can


def test_all_graphs_are_there_and_proved(imported: ImportReport) -> None:
    description = imported.bundle.description
    assert list(description.graphs) == ["classifier", "gradient", "cam", "guided"]
    assert description.feature_map is not None
    assert description.feature_map.shape == (len(LABELS), WIDTH + 1)
    assert description.gate is None
    assert description.golden is not None
    proof = imported.proof
    assert (proof.images, proof.library) == (4, f"PyTorch {torch.__version__}")  # the three, and the golden image
    files = ["classifier.onnx", "gradient.onnx", "cam.onnx", "guided.onnx", "final.weights"]
    assert list(proof.logits) == files
    assert all(0 <= value < 2e-6 for value in proof.logits.values())
    assert proof.gradients is not None
    assert proof.gradients.images == 4
    assert proof.gradients.largest < 1e-4


def test_gradients_and_maps_are_the_originals(imported: ImportReport, network: nn.Module, images: Path) -> None:
    path = images / "0.png"
    entry = imported.bundle.model.graphs["classifier"].images[0]
    tensor = image_tensors(path.read_bytes(), {"image": entry})["image"]
    expected = TorchOriginal(network).gradients(tensor.copy(), 1)
    given = Predictor(imported.bundle).gradient(path, {"Mass": 1})
    assert np.abs(np.frombuffer(given.values["gradient"], np.float32) - expected.ravel()).max() < 1e-5
    explained = Predictor(imported.bundle).explain(path, [{"finding": "Mass", "method": "cam"}], values=True)
    assert "error" not in explained.document["explanations"][0]


def test_provenance_says_where_the_model_is_from_and_how_it_was_proved(imported: ImportReport) -> None:
    made_by = imported.bundle.description.provenance
    assert made_by["import"] == {"source": "fake", "file": {"name": "fake.pt", "sha256": "0" * 64}}
    assert made_by["proof"]["tolerance"] == 1e-5
    assert (made_by["gate"], made_by["weights"]) == (None, None)
    assert made_by["preprocessing"]["images"] == 3
    assert made_by["remarks"] == ["One thing was renamed."]


def test_the_card_says_what_is_known_and_what_is_not(imported: ImportReport) -> None:
    card = (imported.bundle.folder / "card.md").read_text("utf-8")
    assert card.startswith("# A fake model\n\n**Not for diagnostic use.**")
    for words in (
        "| Effusion | 0.3 | piecewise-linear |",
        "| Mass | 0.5 | none |",
        f"| input | {SIDE} x {SIDE} grey, the centred square |",
        f"- file, sha256: {'0' * 64}",
        "none: nothing checks whether an image is of the right kind",
        "Nobody has looked yet.",
        "- One thing was renamed.",
    ):
        assert words in card, words
    assert "run by PyTorch" in " ".join(card.split())


def test_settings_go_into_the_bundle_and_onto_the_card(images: Path, tmp_path: Path) -> None:
    (tmp_path / "about.md").write_text("## What it may have learned\nNothing that lasts.\n", encoding="utf-8")
    settings = ImportSettings(
        version="2.0", licence_weights="CC0", licence_data="none", card="about.md", folder=str(tmp_path)
    )
    bundle = made(tmp_path, images, settings).bundle
    assert bundle.description.version == "2.0"
    assert (bundle.description.licence.weights, bundle.description.licence.data) == ("CC0", "none")
    card = (bundle.folder / "card.md").read_text("utf-8")
    assert card.endswith("## What it may have learned\nNothing that lasts.\n")
    assert "Nobody has looked yet" not in card
    with pytest.raises(SettingsError, match=r"missing\.md cannot be read.*name it as card"):
        made(tmp_path, images, ImportSettings(card="missing.md", folder=str(tmp_path)))


def test_a_bundle_that_differs_from_the_original_is_refused_and_nothing_is_left(images: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"classifier\.onnx gives logits that differ by 0\.01 from those of PyTorch"):
        made(tmp_path, images, shift=0.01)
    assert list(tmp_path.iterdir()) == []


def test_an_original_with_other_labels_is_refused(images: Path, tmp_path: Path) -> None:
    class Narrow(TorchOriginal):
        def logits(self, images: Any) -> Any:
            return super().logits(images)[:, :2]

    with pytest.raises(ExportError, match=r"logits \[4, 2\], classifier.onnx gives \[4, 3\]"):
        made(tmp_path, images, original=Narrow(random_network()))


def test_weights_that_are_no_numbers_are_refused(images: Path, tmp_path: Path) -> None:
    network: Any = random_network()
    with torch.no_grad():
        network.last.weight[1, 2] = torch.nan
    with pytest.raises(ExportError, match=r"logits that are no numbers"):
        made(tmp_path, images, network=network, original=None)


def test_without_an_original_the_graphs_are_compared_with_the_classifier(images: Path, tmp_path: Path) -> None:
    report = made(tmp_path, images, original=None, resized=None)
    assert report.proof.library is None
    assert list(report.proof.logits) == ["gradient.onnx", "cam.onnx", "guided.onnx", "final.weights"]
    assert (report.proof.probability, report.proof.gradients) == (None, None)
    card = (report.bundle.folder / "card.md").read_text("utf-8")
    assert "There was no original to compare the classifier with." in card
    page = report.report.read_text("utf-8")
    assert "there was no original to compare with" in page
    assert "The source says nothing of how it makes numbers of an image file" in page


class Largest(nn.Module):
    """The largest cell of each channel: no average over the image."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.amax((2, 3))


class Arctangent(nn.Module):
    """An operator that has no rule for its gradient."""

    def forward(self, maps: Tensor) -> Tensor:
        return torch.atan(maps).mean((2, 3))


def test_without_an_average_grad_cam_has_the_last_feature_map(images: Path, tmp_path: Path) -> None:
    report = made(tmp_path, images, network=random_network(end=Largest()))
    assert report.bundle.description.feature_map is None
    assert list(report.bundle.description.graphs) == ["classifier", "gradient", "cam", "guided"]
    assert any("there are no class activation maps. Grad-CAM draws over" in line for line in report.warnings)
    wanted = [{"finding": "Mass", "method": method} for method in ("grad-cam", "cam")]
    explained = Predictor(report.bundle).explain(images / "0.png", wanted, values=True)
    drawn, missing = explained.document["explanations"]
    assert drawn["shape"] == [SIDE // 4, SIDE // 4]
    assert "error" in missing


def test_an_operator_without_gradient_costs_the_maps_and_nothing_else(images: Path, tmp_path: Path) -> None:
    report = made(tmp_path, images, network=random_network(end=Arctangent()))
    assert list(report.bundle.description.graphs) == ["classifier"]
    assert report.bundle.description.feature_map is None
    files = {path.name for path in report.bundle.folder.iterdir()}
    assert files == {"bundle.json", "card.md", "classifier.onnx", "classifier.weights", "golden.png"}
    assert [line for line in report.warnings if "gives no gradients" in line and "Atan" in line]
    assert list(report.proof.logits) == ["classifier.onnx"]


def test_another_bundles_gate_is_taken_over(images: Path, tmp_path: Path) -> None:
    source = make_bundle(tmp_path / "source", threshold=0.4)
    report = made(tmp_path, images, gate=source.folder)
    gate = report.bundle.description.gate
    assert gate is not None
    assert gate.threshold == 0.4
    origin = report.bundle.description.provenance["gate"]
    assert (origin["name"], origin["version"]) == ("test-model", "1.0")
    mine, theirs = (Predictor(each).predict(images / "0.png")["gate"] for each in (report.bundle, source))
    assert mine["score"] == theirs["score"]
    assert "taken over from test-model 1.0" in report.report.read_text("utf-8")


def test_a_gate_that_is_none_is_refused_before_any_work(images: Path, tmp_path: Path) -> None:
    source = make_bundle(tmp_path / "source", gate=False)
    with pytest.raises(SettingsError, match=r"has no gate\. Name one that has, or leave out --gate"):
        made(tmp_path, images, gate=source.folder)
    assert not (tmp_path / "bundle").exists()


def test_the_report_goes_where_it_is_wanted(images: Path, tmp_path: Path, imported: ImportReport) -> None:
    assert imported.report == imported.bundle.folder.parent / "fake-model-import.html"
    assert json.loads(imported.report.with_suffix(".json").read_text("utf-8")) == imported.document
    page = tmp_path / "reports" / "mine.html"
    model = fake_model(original=None, resized=None)
    import_bundle(model, tmp_path / "b", ImportSettings(), gate=None, images=[images], report=page)
    assert sorted(path.name for path in page.parent.iterdir()) == ["mine.html", "mine.json"]
    with pytest.raises(SettingsError, match="is where the report's figures go"):
        import_bundle(model, tmp_path / "b", ImportSettings(), gate=None, images=[], report=tmp_path / "r.json")


@pytest.mark.parametrize(
    ("name", "force", "refused"), [("fake-model", False, False), ("other", False, True), ("other", True, False)]
)
def test_the_bundle_of_another_model_is_not_replaced(
    imported: ImportReport, name: str, force: bool, refused: bool
) -> None:
    def check() -> None:
        check_target(imported.bundle.folder, name, force=force)

    if refused:
        with pytest.raises(BundleError, match="holds the bundle of another model, 'fake-model'; this one is 'other'"):
            check()
    else:
        check()


def test_an_import_is_repeated_to_the_byte(imported: ImportReport, network: nn.Module, images: Path) -> None:
    folder = imported.bundle.folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    made(folder.parent, images, network=network)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after.pop("notes.txt") == b"mine"  # what people added stays
    (folder / "notes.txt").unlink()
    assert after == before


@pytest.mark.parametrize(
    ("form", "layout", "rounded"), [("half", HALVES, with_half_weights), ("int8", BYTES, with_byte_weights)]
)
def test_rounded_weights_are_less_to_pack_and_are_the_rounded_networks(
    images: Path, tmp_path: Path, imported: ImportReport, form: Weights, layout: str, rounded: Any
) -> None:
    report = made(tmp_path, images, weights=form)
    folders = [each.bundle.folder for each in (report, imported)]
    assert [_layout(folder) for folder in folders] == [layout, PLANES]
    tensors = [
        image_tensors(path.read_bytes(), {"image": report.bundle.model.graphs["classifier"].images[0]})["image"]
        for path in sorted(images.iterdir())
    ]
    expected = TorchOriginal(rounded(random_network())).logits(np.concatenate(tensors))
    logits = [
        [finding["logit"] for finding in Predictor(report.bundle).predict(path)["findings"]]
        for path in sorted(images.iterdir())
    ]
    assert apart(np.array(logits), expected) < 1e-5
    assert apart(np.array(logits), TorchOriginal(random_network()).logits(np.concatenate(tensors))) > 1e-5
    stored = report.document["weights"]
    hold(StoredDocument, [stored])
    assert (stored["form"], stored["numbers"]) == (form, 25 * WIDTH + 9 * WIDTH**2)
    assert max(stored["logits"].values()) < 1e-6
    assert 0 < stored["mean"] <= stored["largest"] < 0.05
    card = " ".join((report.bundle.folder / "card.md").read_text("utf-8").split())
    assert f"Weights are rounded to {16 if form == 'half' else 8} bits" in card
    assert "Whether the model tells findings as well as before was not measured here" in card
    assert load_bundle(report.bundle.folder).description.feature_map is not None


def test_whole_numbers_keep_the_maps_of_the_float_network_and_say_so(
    tmp_path: Path, imported: ImportReport, network: nn.Module
) -> None:
    (tmp_path / "images").mkdir()
    for seed in range(20):
        Image.fromarray(phantom(seed, 96)).save(tmp_path / "images" / f"{seed}.png")
    report = made(tmp_path, tmp_path / "images", weights="static-int8", network=network)
    folders = [each.bundle.folder for each in (report, imported)]
    same = [
        (folder / "gradient.onnx").read_bytes() + (folder / "classifier.weights").read_bytes() for folder in folders
    ]
    assert same[0] == same[1]
    graph = onnx.load(str(folders[0] / "classifier.onnx"), load_external_data=False).graph
    quantised = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    assert len(quantised) > 2
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    assert {types[node.input[2]] for node in quantised} == {onnx.TensorProto.UINT8}
    stored = report.document["weights"]
    # A step of an activation or a weight is 1/255 or 1/63 of its range; a probability moves a quarter of its logit.
    assert (stored["form"], stored["logits"]) == ("static-int8", {})
    assert 0 < stored["mean"] <= stored["largest"] < 0.1
    words = [describe_methods(each.bundle.model)["methods"] for each in (report, imported)]
    for now, before in zip(*words, strict=True):
        told = f"{before['sentence']} {OF_FLOAT}" if METHODS[now["method"]].needs else before["sentence"]
        assert now["sentence"] == told
    explained = Predictor(report.bundle).explain(
        tmp_path / "images" / "3.png", [{"finding": LABELS[0], "method": "saliency"}]
    )
    assert words_of_map(explained, explained.maps[0])["made"] == OF_FLOAT
    of_float = Predictor(imported.bundle).explain(
        tmp_path / "images" / "3.png", [{"finding": LABELS[0], "method": "saliency"}]
    )
    assert explained.maps == of_float.maps
    assert words_of_map(of_float, of_float.maps[0])["made"] is None


def test_whole_numbers_need_images_and_no_groups(images: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Name some, 32 or more, with --images"):
        import_bundle(
            fake_model(), tmp_path / "b", ImportSettings(), gate=None, images=[], report=None, weights="static-int8"
        )
    with pytest.raises(ExportError, match="static-int8 needs 8 at least"):
        made(tmp_path, images, weights="static-int8")
    assert list(tmp_path.iterdir()) == []


def _layout(folder: Path) -> str:
    return layout_of((folder / "classifier.weights").read_bytes(), stored_tensors(folder / "classifier.onnx"))


def test_weights_that_16_bits_do_not_hold_are_refused(images: Path, tmp_path: Path) -> None:
    network: Any = random_network()
    with torch.no_grad():
        network.second.weight[0, 0, 0, 0] = 70000
    with pytest.raises(
        ExportError,
        match=r"values of up to 7e\+04, and 16 bits hold 65504 at most. Take another form: --weights int8, or none",
    ):
        made(tmp_path, images, network=network, original=None, weights="half")
    assert list(tmp_path.iterdir()) == []
