"""`sitegen train concepts`: its files and document, and what bad input gets."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.errors import SitegenError
from sitegen.evaluation.concepts.document import node_documents, place_of, strongest_of
from sitegen.evaluation.concepts.document_types import ConceptsDocument
from sitegen.evaluation.concepts.effects import INTERVENTIONS, ImageEffects
from sitegen.phantom import write_phantom
from tests.helpers.bundles import LABELS
from tests.helpers.typed_documents import hold

SETTINGS = """[concepts]
images = ["pictures"]
train = "all"
test = "all"
train_images = 4
test_images = 3
codes = 2
hidden = 4
epochs = 2
steps = 2
masks = 2
strongest = 2
"""


def invoked(folder: Path, bundle: Bundle, layer: str = "active", settings: str = SETTINGS) -> Any:
    (folder / "concepts.toml").write_text(settings, "utf-8")
    options = ["--bundle", str(bundle.folder), "--layer", layer, "--config", str(folder / "concepts.toml")]
    more = ["--out", str(folder / "out"), "--force", "--resamples", "20"]
    return CliRunner().invoke(app, ["train", "concepts", *options, *more])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("concepts")
    (place / "pictures").mkdir()
    for seed in range(8):
        write_phantom(place / "pictures" / f"{seed}.png", seed, 64)
    (place / "pictures" / "broken.png").write_bytes(b"nothing")
    return place


def test_it_writes_weights_document_and_table(folder: Path, gradient_bundle: Bundle) -> None:
    done = invoked(folder, gradient_bundle)
    assert done.exit_code == 0, done.output
    document = json.loads((folder / "out/concepts.json").read_text("utf-8"))
    hold(
        ConceptsDocument,
        [document],
        [] if document["unreadable"] else [("ProblemDocument", "file"), ("ProblemDocument", "problem")],
    )
    assert document["model"]["shape"] == [8, 14, 14]
    assert (document["train_images"], document["images"], len(document["losses"])) == (4, 3, 2)
    assert [node["node"] for node in document["nodes"]] == [0, 1]
    for node in document["nodes"]:
        assert list(node["effects"]) == list(INTERVENTIONS)
        assert [each["label"] for each in node["findings"]] == list(LABELS)
        mean = np.mean([each["logit"]["value"] for each in node["findings"]])
        assert node["effects"]["zero"]["logit"]["value"] == pytest.approx(mean)
        assert [each["value"] for each in node["strongest"]] == sorted(
            (each["value"] for each in node["strongest"]), reverse=True
        )
    rows = list(csv.DictReader((folder / "out/concepts.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 2 * len(INTERVENTIONS) * 3
    page = (folder / "out/concepts.html").read_text("utf-8")
    shown = [place["file"].rpartition("/")[2] for node in document["nodes"] for place in node["strongest"]]
    assert [told.split()[0] for told in re.findall('alt="([^"]*)', page)] == shown
    assert len(set(re.findall('src="([^"]*)', page))) == 4
    saved = torch.load(folder / "out/concepts.pt", weights_only=True)
    assert saved["layer"] == "active"
    assert saved["weights"]["middle.0.weight"].shape == (2, 4, 1, 1)


def test_where_a_concept_is_strongest() -> None:
    maps = [np.zeros((2, 4), np.float32), np.zeros((2, 4), np.float32)]
    maps[0][1, 3], maps[1][0, 1] = 2.0, 5.0
    assert strongest_of(maps, 2) == [1, 0]
    assert place_of(maps[1], "b") == {"file": "b", "left": 0.375, "top": 0.25, "value": 5.0}
    assert place_of(maps[0], "a") == {"file": "a", "left": 0.875, "top": 0.75, "value": 2.0}


@pytest.mark.parametrize(
    ("layer", "settings", "words"),
    [
        ("nowhere", SETTINGS, "It can be cut at 'convolved', 'active', 'pooled'"),
        ("active", SETTINGS.replace("codes = 2", "codes = 0"), "codes"),
        ("active", SETTINGS + "colour = 1\n", "colour"),
        ("active", "[other]\n", "must have one table, [concepts]; it has other."),
        ("active", "[concepts", "cannot be read as TOML"),
        ("active", SETTINGS.replace('test = "all"', 'test = "test"'), "no image of the split 'test' left among 9"),
    ],
)
def test_what_there_is_not_is_wrong_use(
    folder: Path, gradient_bundle: Bundle, layer: str, settings: str, words: str
) -> None:
    done = invoked(folder, gradient_bundle, layer, settings)
    assert isinstance(done.exception, SitegenError)
    assert done.exception.exit_code == 2
    assert words in str(done.exception)


def test_a_bundle_without_gradient_says_what_it_has(folder: Path, bundle: Bundle) -> None:
    done = invoked(folder, bundle)
    assert isinstance(done.exception, SitegenError)
    assert "it has 'classifier', 'gate'" in str(done.exception)


def test_what_is_told_of_the_most_probable_finding() -> None:
    made = []
    for top in (0, 2):
        effects = np.zeros((len(INTERVENTIONS), 1, 3))
        effects[0, 0] = [0.1, 0.2, 0.6]
        made.append(ImageEffects(effects, 2 * effects, np.zeros((1, 2, 2), np.float32), 0.0, top))
    (node,) = node_documents(made, ["a", "b"], ["one", "two"], LABELS, 1, 20, 0)
    zero = node["effects"]["zero"]
    assert zero["top"]["value"] == pytest.approx((0.1 + 0.6) / 2)
    assert zero["probability"]["value"] == pytest.approx(0.3)
    assert [each["logit"]["value"] for each in node["findings"]] == pytest.approx([0.2, 0.4, 1.2])
