"""The bundle that ships: it loads, it is small, and it gives what it says it gives."""

import json

import pytest

from sitegen.bundle import load_bundle
from sitegen.bundle.folder import Bundle
from sitegen.prediction import Predictor
from sitegen.resources import default_bundle
from sitegen.site.weight_layout import HALVES, layout_of


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(default_bundle())


def test_it_is_small(bundle: Bundle) -> None:
    assert sum(entry.bytes for entry in bundle.description.files.values()) <= 16_000_000
    for file in ("classifier.weights", "gate.weights"):  # sites pack them with 16 bits a number
        assert layout_of(bundle.path(file).read_bytes()) == HALVES


def test_its_golden_example_comes_out_as_recorded(bundle: Bundle) -> None:
    golden = bundle.description.golden
    document = Predictor(bundle).predict(bundle.path(golden.image))
    assert document["tensors"] == golden.tensors
    assert document["gate"]["accepted"]
    assert document["gate"]["score"] == pytest.approx(golden.gate, abs=1e-6)
    assert len(document["findings"]) == 11
    for finding in document["findings"]:
        assert finding["logit"] == pytest.approx(golden.logits[finding["label"]], abs=1e-4)


def test_its_card_warns_names_the_data_and_has_the_figures_of_the_description(bundle: Bundle) -> None:
    card = " ".join(bundle.path("card.md").read_text(encoding="utf-8").split())
    for phrase in (
        "Not for diagnostic use",
        "NIH Clinical",
        "CVPR 2017",
        "nihcc.app.box.com",
        "CC BY 4.0",
        "Apache-2.0",
    ):
        assert phrase in card
    for split in ("valid", "test"):
        for finding in bundle.description.metrics[split]["findings"].values():
            for part in (finding, *finding["by_source"].values()):
                if measured := part["auc"]:
                    assert f"{measured['value']:.3f} ({measured['low']:.3f}–{measured['high']:.3f})" in card


def test_its_card_looked_for_shortcuts_and_names_the_command(bundle: Bundle) -> None:
    card = bundle.path("card.md").read_text(encoding="utf-8")
    for phrase in (
        "## What is told by things that are not anatomy",
        "| sharpness |",
        "shuffled labels",
        "| Pneumonia: folder |",
        "MedNIST",
        "Hannover",
        "Its body began with the published weights efficientnet-lite0",
        "sitegen build --recipe recipes/chest-radiograph",
    ):
        assert phrase in card
    assert "@" not in card


def test_it_names_no_machine(bundle: Bundle) -> None:
    text = json.dumps(json.loads(bundle.description_bytes)) + bundle.path("card.md").read_text(encoding="utf-8")
    for trace in ("/Users/", "/home/", "/root/"):
        assert trace not in text
