"""Feature maps of bundles: which output, which final weights, and what is wrong with others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sitegen.bundle import Bundle, describe_files, load_bundle
from sitegen.errors import BundleError

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def gradient_folder(gradient_bundle: Bundle, tmp_path: Path) -> Path:
    """A copy of the bundle with a gradient graph, to break."""
    return Path(shutil.copytree(gradient_bundle.folder, tmp_path / "bundle"))


def changed(folder: Path, change: Change) -> Path:
    """Change the fields of `bundle.json`."""
    path = folder / "bundle.json"
    fields = json.loads(path.read_text("utf-8"))
    change(fields)
    path.write_text(json.dumps(fields), encoding="utf-8")
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    return str(caught.value)


FINAL = {"graph": "gradient", "output": "active", "weights": "final.weights", "shape": [3, 9]}


def with_final_weights(folder: Path, change: Change = lambda fields: None) -> Path:
    """Add what class activation maps are made of: 3 labels, 8 channels and a bias."""
    (folder / "final.weights").write_bytes(bytes(4 * 3 * 9))

    def add(fields: dict[str, Any]) -> None:
        fields["files"]["final.weights"] = describe_files(folder, ["final.weights"])["final.weights"].model_dump()
        fields["feature_map"] = dict(FINAL)
        change(fields)

    return changed(folder, add)


def test_a_feature_map_names_output_and_final_weights(gradient_folder: Path) -> None:
    feature_map = load_bundle(with_final_weights(gradient_folder)).description.feature_map
    assert feature_map is not None
    assert (feature_map.output, feature_map.weights, feature_map.shape) == ("active", "final.weights", (3, 9))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda fields: fields["feature_map"].update(output="logits"),
            "feature_map.output is 'logits', but graphs.gradient has no output of this name with the role 'features'",
        ),
        (lambda fields: fields["graphs"].pop("gradient"), "feature_map.output is 'active', but graphs.gradient has no"),
        (
            lambda fields: fields["feature_map"].update(shape=[9, 3]),
            "feature_map.shape is [9, 3]; [labels, channels + 1] is [3, 9] for 3 label(s) and the feature map",
        ),
        (lambda fields: fields["feature_map"].update(shape=[3, 8]), "of 108 bytes; the shape [3, 8] needs 96"),
        (lambda fields: fields["feature_map"].update(shape=[3]), "feature_map.shape"),
        (lambda fields: fields["feature_map"].update(shape=[3, 0]), "feature_map.shape.1"),
        (lambda fields: fields["feature_map"].update(graph="classifier"), "feature_map.graph"),
        (lambda fields: fields["feature_map"].pop("weights"), "feature_map.weights: Field required"),
        (
            lambda fields: fields["files"].pop("final.weights"),
            "feature_map.weights is 'final.weights', which is not listed in files",
        ),
        (
            lambda fields: [each.update(shape=[1, 8, 196]) for each in fields["graphs"]["gradient"]["outputs"][2:]],
            "the shape of 'active' must be [1, channels, rows, columns], not [1, 8, 196]",
        ),
    ],
)
def test_a_wrong_feature_map(gradient_folder: Path, change: Change, named: str) -> None:
    assert named in complaint(with_final_weights(gradient_folder, change))


def test_damaged_final_weights_are_noticed(gradient_folder: Path) -> None:
    folder = with_final_weights(gradient_folder)
    (folder / "final.weights").write_bytes(bytes(107) + b"\1")
    assert "final.weights was changed: its SHA-256 is not the one in bundle.json" in complaint(folder)
