"""Bundles: what loads, and what every kind of damage and inconsistency says."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from sitegen.bundle import Bundle, Description, describe_files, load_bundle, write_description
from sitegen.errors import BundleError, SitegenError
from tests.helpers.bundles import LABELS, classifier, make_bundle

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    """A copy of the bundle, to break."""
    return Path(shutil.copytree(bundle.folder, tmp_path / "bundle"))


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
    assert caught.value.exit_code == 2
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_loads(bundle: Bundle) -> None:
    description = bundle.description
    assert [label.name for label in description.labels] == list(LABELS)
    assert description.labels[0].operating_point == 0.25
    assert bundle.graph_path("classifier") == bundle.folder / "classifier.onnx"
    assert bundle.weights("classifier") == {"classifier.weights": "classifier.weights"}
    assert bundle.weights("gate") == {"gate.weights": "gate.weights"}
    assert bundle.model.name == "test-model"
    assert bundle.model.graphs["classifier"].images[0].grid == (32, 32)
    assert bundle.model.gate is not None
    assert bundle.model.gate.threshold == 0.5


def test_the_shipped_bundle_loads() -> None:
    from sitegen import resources

    bundle = load_bundle(resources.default_bundle())
    assert [label.name for label in bundle.description.labels] == [
        "Atelectasis", "Cardiomegaly", "Edema", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia",
        "Pneumothorax", "Other finding", "No finding",
    ]  # fmt: skip
    assert sum(entry.bytes for entry in bundle.description.files.values()) <= 16e6
    assert bundle.description.golden is not None


def test_without_a_gate_there_is_no_graph_of_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, gate=False)
    assert bundle.model.gate is None
    with pytest.raises(BundleError, match="no network of the role 'gate'"):
        bundle.graph_path("gate")


def test_round_trip(bundle: Bundle, tmp_path: Path) -> None:
    write_description(tmp_path, bundle.description)
    written = (tmp_path / "bundle.json").read_bytes()
    assert written == bundle.description_bytes
    assert Description.model_validate_json(written) == bundle.description
    assert json.loads(written)["schema"] == "sitegen.bundle/1"


def test_unknown_keys_are_ignored(folder: Path) -> None:
    def add(fields: dict[str, Any]) -> None:
        fields["of_the_future"] = {"a": 1}
        fields["labels"][0]["colour"] = "red"
        fields["graphs"]["classifier"]["inputs"][0]["window"] = [1, 2]

    assert load_bundle(changed(folder, add)).description.name == "test-model"


@pytest.mark.parametrize("name", ["card.md", "classifier.onnx", "classifier.weights", "gate.onnx"])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert f"{name} is missing" in complaint(folder)


@pytest.mark.parametrize("name", ["card.md", "classifier.onnx", "classifier.weights", "gate.weights"])
def test_a_changed_byte(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert f"{name} was changed: its SHA-256 is not the one in bundle.json" in complaint(folder)


def test_another_size(folder: Path) -> None:
    size = (folder / "gate.weights").stat().st_size
    (folder / "gate.weights").write_bytes(bytes(size - 1))
    assert f"gate.weights has {size - 1} bytes instead of {size}" in complaint(folder)


def test_all_damage_is_listed_at_once(folder: Path) -> None:
    (folder / "card.md").unlink()
    (folder / "gate.weights").write_bytes(b"")
    message = complaint(folder)
    assert "card.md is missing" in message
    assert "gate.weights has 0 bytes" in message


@pytest.mark.parametrize("kind", ["no folder", "empty folder", "a file"])
def test_no_bundle(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "bundle"
    if kind == "a file":
        folder.write_text("{}")
    elif kind == "empty folder":
        folder.mkdir()
    assert "is not a bundle: it has no bundle.json" in complaint(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe{}", b'{"schema": "sitegen.bundle/1"'])
def test_a_description_that_is_not_json(folder: Path, content: bytes) -> None:
    (folder / "bundle.json").write_bytes(content)
    assert "is not a valid description of a bundle" in complaint(folder)


def classifier_input(fields: dict[str, Any]) -> dict[str, Any]:
    return fields["graphs"]["classifier"]["inputs"][0]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda fields: fields.update(schema="sitegen.bundle/2"), "schema: Input should be 'sitegen.bundle/1'"),
        (lambda fields: fields.pop("licence"), "licence: Field required"),
        (lambda fields: fields.update(name="With Spaces"), "name: String should match"),
        (lambda fields: fields.update(labels=[]), "labels: List should have at least 1 item"),
        (lambda fields: fields["graphs"].pop("classifier"), "graphs has no 'classifier'"),
        (lambda fields: fields["graphs"].update(oracle=fields["graphs"]["gate"]), "graphs.oracle"),
        (lambda fields: fields["graphs"].pop("gate"), "gate is set, but graphs.gate"),
        (lambda fields: fields["graphs"]["gate"]["outputs"][0].update(role="image"), "gate is set, but graphs.gate"),
        (lambda fields: fields["graphs"]["classifier"]["outputs"][0].update(role="scores"), "the role 'logits'"),
        (lambda fields: fields["labels"][1].update(name="Effusion"), "labels repeat: ['Effusion']"),
        (lambda fields: fields["labels"][1].update(name=""), "labels.1.name"),
        (lambda fields: fields["labels"][2].update(operating_point=1.0), "labels.2.operating_point"),
        (lambda fields: fields["labels"][2].update(operating_point=0), "labels.2.operating_point"),
        (lambda fields: fields["labels"][0].update(calibration={"method": "magic"}), "labels.0.calibration.method"),
        (lambda fields: fields["gate"].update(metric="mse"), "gate.metric"),
        (lambda fields: classifier_input(fields).update(shape=[1, 3, 32, 32]), "must be [1, 1, rows, columns]"),
        (
            lambda fields: classifier_input(fields).update(shape=[1, 1, 32, 31]),
            "an input of [1, 1, 32, 31] is no square",
        ),
        (lambda fields: classifier_input(fields).update(shape=[2, 1, 32, 32]), "not [2, 1, 32, 32]"),
        (lambda fields: classifier_input(fields).update(shape=[1, 1, 0, 0]), "shape.2"),
        (lambda fields: classifier_input(fields).update(mean=[0.0, 0.0]), "need 1 value(s) each"),
        (lambda fields: classifier_input(fields).update(std=[0.0]), "std.0"),
        (lambda fields: classifier_input(fields).update(range=[1.0, 1.0]), "range must rise"),
        (lambda fields: classifier_input(fields)["crop"].update(fraction=1.5), "crop.fraction"),
        (lambda fields: classifier_input(fields)["crop"].update(mode="left"), "crop.mode"),
        (lambda fields: fields["files"].pop("card.md"), "the card is 'card.md', which is not listed in files"),
        (lambda fields: fields["files"].pop("gate.onnx"), "graphs.gate.file is 'gate.onnx', which is not listed"),
        (lambda fields: fields["files"]["card.md"].update(sha256="0"), "files.card.md.sha256"),
        (lambda fields: fields["files"]["card.md"].update(bytes=-1), "files.card.md.bytes"),
        (
            lambda fields: fields.update(golden={"image": "golden.png", "tensors": {}, "gate": None, "logits": {}}),
            "golden.image is 'golden.png', which is not listed in files",
        ),
    ],
)
def test_a_wrong_description(folder: Path, change: Change, named: str) -> None:
    assert named in complaint(changed(folder, change))


@pytest.mark.parametrize("name", ["../card.md", "/etc/hostname", "a/../../card.md", "..\\card.md"])
def test_paths_must_stay_inside(folder: Path, name: str) -> None:
    def escape(fields: dict[str, Any]) -> None:
        fields["files"][name] = fields["files"]["card.md"]

    assert f"files names {name!r}; paths must stay inside the bundle" in complaint(changed(folder, escape))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("place", "named"),
    [
        (lambda fields, bad: fields["labels"][0].update(operating_point=bad), "labels.0.operating_point"),
        (lambda fields, bad: fields["gate"].update(threshold=bad), "gate.threshold"),
        (lambda fields, bad: classifier_input(fields).update(range=[0.0, bad]), "inputs.0.range.1"),
        (lambda fields, bad: classifier_input(fields).update(mean=[bad]), "inputs.0.mean.0"),
        (lambda fields, bad: classifier_input(fields).update(std=[bad]), "inputs.0.std.0"),
    ],
)
def test_numbers_must_be_finite(folder: Path, place: Callable[[Any, float], Any], named: str, bad: float) -> None:
    assert named in complaint(changed(folder, lambda fields: place(fields, bad)))


def test_a_label_too_many(folder: Path) -> None:
    extra = {"name": "Mass", "operating_point": 0.5, "calibration": None}
    message = complaint(changed(folder, lambda fields: fields["labels"].append(extra)))
    assert "labels: there are 4, but the output 'logits' of classifier.onnx has the shape [1, 3]" in message


def test_another_input_shape(folder: Path) -> None:
    message = complaint(changed(folder, lambda fields: classifier_input(fields).update(shape=[1, 1, 64, 64])))
    assert "graphs.classifier: input 'image' has the shape [1, 1, 32, 32] in classifier.onnx" in message
    assert "not [1, 1, 64, 64]" in message


def test_unknown_inputs_and_outputs(folder: Path) -> None:
    def rename(fields: dict[str, Any]) -> None:
        classifier_input(fields)["name"] = "picture"
        fields["graphs"]["gate"]["outputs"][0]["name"] = "rebuilt"

    message = complaint(changed(folder, rename))
    assert "graphs.classifier: classifier.onnx has no input 'picture', only ['image']" in message
    assert "graphs.gate: gate.onnx has no output 'rebuilt', only ['reconstruction']" in message


def test_weights_that_are_not_listed(folder: Path) -> None:
    message = complaint(changed(folder, lambda fields: fields["files"].pop("classifier.weights")))
    assert "classifier.onnx keeps weights in 'classifier.weights', which is not listed in files" in message


def test_a_file_that_is_no_onnx(folder: Path) -> None:
    (folder / "gate.onnx").write_bytes(b"This is no network.")

    def describe(fields: dict[str, Any]) -> None:
        fields["files"]["gate.onnx"] = describe_files(folder, ["gate.onnx"])["gate.onnx"].model_dump()

    assert "gate.onnx: not a readable ONNX file" in complaint(changed(folder, describe))


def test_a_free_batch_dimension_fits(folder: Path) -> None:
    network = classifier()
    network.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save_model(network, str(folder / "classifier.onnx"))

    def describe(fields: dict[str, Any]) -> None:
        fields["files"]["classifier.onnx"] = describe_files(folder, ["classifier.onnx"])["classifier.onnx"].model_dump()

    assert load_bundle(changed(folder, describe)).weights("classifier") == {}


def test_errors_are_of_the_family_that_the_command_line_prints() -> None:
    assert issubclass(BundleError, SitegenError)


def test_weights_are_found_beside_a_graph_in_a_folder(folder: Path) -> None:
    (folder / "networks").mkdir()
    for name in ("gate.onnx", "gate.weights"):
        (folder / name).replace(folder / "networks" / name)

    def describe(fields: dict[str, Any]) -> None:
        fields["graphs"]["gate"]["file"] = "networks/gate.onnx"
        for name in ("gate.onnx", "gate.weights"):
            fields["files"][f"networks/{name}"] = fields["files"].pop(name)

    loaded = load_bundle(changed(folder, describe))
    assert loaded.weights("gate") == {"gate.weights": "networks/gate.weights"}


def test_a_classifier_of_something_other_than_an_image_is_refused(folder: Path) -> None:
    def describe(fields: dict[str, Any]) -> None:
        fields["graphs"]["classifier"]["inputs"][0]["colour"] = None

    with pytest.raises(BundleError, match=r"graphs\.classifier must have one input, an image"):
        load_bundle(changed(folder, describe))


def test_numbers_that_json_lacks_are_not_written(bundle: Bundle, tmp_path: Path) -> None:
    description = bundle.description.model_copy(update={"metrics": {"auc": float("nan")}})
    with pytest.raises(BundleError, match="finite"):
        write_description(tmp_path, description)


@pytest.fixture
def gradient_folder(gradient_bundle: Bundle, tmp_path: Path) -> Path:
    """A copy of the bundle with a gradient graph, to break."""
    return Path(shutil.copytree(gradient_bundle.folder, tmp_path / "bundle"))


def gradient_part(fields: dict[str, Any], key: str, index: int) -> dict[str, Any]:
    return fields["graphs"]["gradient"][key][index]


def test_a_gradient_graph_shares_the_classifiers_weights(gradient_bundle: Bundle) -> None:
    graph = gradient_bundle.description.graphs["gradient"]
    assert gradient_bundle.weights("gradient") == {"classifier.weights": "classifier.weights"}
    assert [entry.name for entry in graph.images] == ["image"]
    features = graph.output("features")
    assert features is not None
    assert (features.name, features.shape) == ("active", [1, 8, 14, 14])
    assert gradient_bundle.model.graphs["gradient"].vectors[0].shape == (1, 3)
    assert graph.output("scores") is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda fields: gradient_part(fields, "inputs", 1).update(colour="grey", shape=[1, 1, 3, 3]), "two inputs"),
        (lambda fields: gradient_part(fields, "inputs", 0).update(colour=None), "must have two inputs, an image and"),
        (lambda fields: fields["graphs"]["gradient"]["inputs"].pop(1), "must have two inputs, an image and a seed"),
        (
            lambda fields: gradient_part(fields, "inputs", 1).update(shape=[1, 4]),
            "graphs.gradient: the seed 'seed' has the shape [1, 4]; it must be [1, 3], one weight for each label",
        ),
        (
            lambda fields: gradient_part(fields, "inputs", 0).update(range=[-1.0, 1.0]),
            "graphs.gradient: the image's range is (-1.0, 1.0), but the classifier's is (0.0, 1.0)",
        ),
        (lambda fields: gradient_part(fields, "inputs", 0).update(shape=[1, 1, 16, 16]), "the image's shape is"),
        (lambda fields: gradient_part(fields, "inputs", 0).update(mean=[0.5]), "the image's mean is [0.5], but"),
        (lambda fields: gradient_part(fields, "inputs", 0).update(std=[2.0]), "the image's std is [2.0], but"),
        (lambda fields: gradient_part(fields, "inputs", 0)["crop"].update(fraction=0.5), "the image's crop is"),
        (lambda fields: gradient_part(fields, "outputs", 0).update(role="x"), "no output with the role 'logits'"),
        (lambda fields: gradient_part(fields, "outputs", 1).update(role="x"), "no output with the role 'gradient'"),
        (
            lambda fields: gradient_part(fields, "outputs", 1).update(shape=None),
            "graphs.gradient: the output 'grad_image' must have the image's shape, [1, 1, 32, 32], not None",
        ),
        (lambda fields: fields["graphs"]["gradient"]["outputs"].pop(2), "needs outputs of both roles, 'features'"),
        (lambda fields: fields["graphs"]["gradient"]["outputs"].pop(3), "needs outputs of both roles, 'features'"),
        (
            lambda fields: gradient_part(fields, "outputs", 3).update(shape=None),
            "the outputs 'active' and 'grad_active' must state one shape, not [1, 8, 14, 14] and None",
        ),
        (lambda fields: gradient_part(fields, "outputs", 2).update(shape=[1, 8, 0, 0]), "outputs.2.shape"),
    ],
)
def test_a_wrong_gradient_graph(gradient_folder: Path, change: Change, named: str) -> None:
    assert named in complaint(changed(gradient_folder, change))


def test_a_feature_map_of_another_shape_than_the_graphs(gradient_folder: Path) -> None:
    def state(fields: dict[str, Any]) -> None:
        for index in (2, 3):
            gradient_part(fields, "outputs", index).update(shape=[1, 8, 7, 7])

    message = complaint(changed(gradient_folder, state))
    assert "graphs.gradient: output 'active' has the shape [1, 8, 14, 14] in gradient.onnx, not [1, 8, 7, 7]" in message


def test_a_gradient_graph_without_a_feature_map_loads(gradient_folder: Path) -> None:
    def drop(fields: dict[str, Any]) -> None:
        del fields["graphs"]["gradient"]["outputs"][2:]

    assert load_bundle(changed(gradient_folder, drop)).model.graphs["gradient"].outputs.keys() == {
        "logits",
        "gradient",
    }


def test_a_gradient_graph_of_another_classifier(gradient_folder: Path) -> None:
    """Its logits are told from the number of labels, as the classifier's are."""
    message = complaint(changed(gradient_folder, lambda fields: fields["labels"].pop()))
    assert "the seed 'seed' has the shape [1, 3]; it must be [1, 2]" in message


@pytest.mark.parametrize("content", ["Größe".encode("latin-1"), "Card".encode("utf-16"), b"cut off \xe2\x82"])
def test_a_card_that_is_no_text(folder: Path, content: bytes) -> None:
    (folder / "card.md").write_bytes(content)
    entry = describe_files(folder, ["card.md"])["card.md"]
    changed(folder, lambda fields: fields["files"]["card.md"].update(entry.model_dump()))
    assert "card.md is not UTF-8 text (" in complaint(folder)
