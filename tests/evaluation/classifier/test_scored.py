from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import expit

from sitegen.bundle.folder import Bundle
from sitegen.data.records import Record
from sitegen.errors import DataError
from sitegen.evaluation.classifier.scored import (
    Scored,
    network_logits,
    score_bundle,
    score_checkpoint,
    with_operating_points,
)
from sitegen.networks.registry import make_network, network_document, read_network
from sitegen.networks.trained import TrainedClassifier
from sitegen.phantom import phantom
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.bundles import LABELS, make_bundle
from tests.helpers.scored_images import known_images, scored

INPUT = NetworkInput("image", (1, 1, 16, 16), "grey", 1.0, (-1.0, 1.0), (0.0,), (1.0,))


@pytest.fixture(scope="module")
def trained() -> TrainedClassifier:
    settings = read_network({"name": "densenet-tiny", "labels": 2})
    torch.manual_seed(5)
    made_by = {"recipe": {"name": "two-findings"}}
    return TrainedClassifier(make_network(settings).eval(), network_document(settings), ("A", "B"), INPUT, made_by)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("scored") / "bundle")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """Four phantoms, one image of noise that the gate refuses, and a damaged file in their middle."""
    folder = tmp_path_factory.mktemp("images")
    for seed in range(4):
        Image.fromarray(phantom(seed, 96)).save(folder / f"{seed}.png")
    noise = np.random.default_rng(1).integers(0, 256, (96, 96), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    (folder / "damaged.png").write_bytes((folder / "0.png").read_bytes()[:-30])
    names = ["0.png", "1.png", "damaged.png", "2.png", "3.png", "noise.png"]
    return [Record(folder / name, name, {"Effusion": float(at % 2)}) for at, name in enumerate(names)]


def tensors(count: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(count, 1, 16, 16)).astype(np.float32)


def test_a_checkpoint_says_what_its_network_says(trained: TrainedClassifier) -> None:
    records, given = known_images([[1, None], [0, 1], [1, 0]], "AB"), tensors(3)
    seen = score_checkpoint(trained, records, given)
    with torch.inference_mode():
        expected = torch.cat([trained.network(torch.from_numpy(given[at : at + 1])) for at in range(3)]).numpy()
    assert seen.logits == pytest.approx(expected, abs=1e-5)
    assert seen.probabilities == pytest.approx(expit(seen.logits), abs=1e-15)
    assert (seen.calibrated == seen.probabilities).all()
    assert seen.operating_points == (None, None)
    assert seen.accepted is None
    np.testing.assert_array_equal(seen.targets, [[1, np.nan], [0, 1], [1, 0]])
    assert seen.model["name"] == "two-findings"
    assert seen.model["parameters"] == sum(part.numel() for part in trained.network.parameters())


def test_batches_change_nothing(trained: TrainedClassifier) -> None:
    given = tensors(70)
    assert network_logits(trained.network, given)[64:] == pytest.approx(
        network_logits(trained.network, given[64:]), abs=1e-5
    )


def test_images_without_a_finite_number_are_left_out(trained: TrainedClassifier) -> None:
    given = tensors(3)
    given[1] = np.nan
    records = known_images([[1, 1], [0, 0], [0, 1]], "AB")
    seen = score_checkpoint(trained, records, given, [(records[0].path, "an older problem")])
    assert [record.path.name for record in seen.records] == ["0.png", "2.png"]
    assert len(seen.logits) == len(seen.probabilities) == len(seen.calibrated) == 2
    assert [(path.name, problem) for path, problem in seen.unreadable] == [
        ("0.png", "an older problem"),
        ("1.png", "The network gives no finite number for it."),
    ]


def test_tensors_must_be_of_the_records(trained: TrainedClassifier) -> None:
    with pytest.raises(ValueError, match="2 records and tensors of 3 images"):
        score_checkpoint(trained, known_images([[1, 1], [0, 0]], "AB"), tensors(3))


def test_no_image_at_all_is_an_error(trained: TrainedClassifier, bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="None of 0 images"):
        score_checkpoint(trained, [], tensors(0))
    with pytest.raises(DataError, match=r"None of 1 images can be used\. The first is .*missing\.png"):
        score_bundle(bundle, [Record(tmp_path / "missing.png", "a", {})])


def test_a_bundle_says_what_a_prediction_says(bundle: Bundle, images: list[Record]) -> None:
    seen = score_bundle(bundle, images)
    assert [record.path.name for record in seen.records] == ["0.png", "1.png", "2.png", "3.png", "noise.png"]
    ((path, problem),) = seen.unreadable
    assert path.name == "damaged.png"
    assert problem
    assert seen.labels == LABELS
    predictor = Predictor(bundle)
    for row, record in enumerate(seen.records):
        document = predictor.predict(record.path, force=True)
        for column, finding in enumerate(document["findings"]):
            assert seen.logits[row, column] == finding["logit"]
            assert seen.probabilities[row, column] == finding["probability"]
            assert seen.calibrated[row, column] == finding["calibrated"]
        assert seen.accepted is not None
        assert seen.accepted[row] == document["gate"]["accepted"]
    assert seen.accepted.tolist() == [True, True, True, True, False]
    assert seen.operating_points == tuple(label.operating_point for label in bundle.description.labels)
    np.testing.assert_array_equal(seen.targets[:, 2], [0, 1, 1, 0, 1])
    assert np.isnan(seen.targets[:, :2]).all()


def test_a_bundle_without_gate_and_calibration(images: list[Record], tmp_path: Path) -> None:
    plain = make_bundle(tmp_path / "plain", gate=False, calibrated=False)
    seen = score_bundle(plain, images[:2])
    assert seen.accepted is None
    assert (seen.calibrated == seen.probabilities).all()


@pytest.mark.slow
def test_several_processes_say_the_same(bundle: Bundle, images: list[Record]) -> None:
    one, two = (score_bundle(bundle, images, workers) for workers in (1, 2))
    assert (one.logits == two.logits).all()
    assert one.records == two.records
    assert one.unreadable == two.unreadable


def given(logits: list[float], targets: list[int], points: tuple[None, ...] = (None,)) -> Scored:
    return scored(known_images([[value] for value in targets], "A"), "A", [[value] for value in logits], points)


def test_operating_points_come_from_other_images() -> None:
    measured = given([-9.0, 9.0], [1, 0])
    chosen = with_operating_points(measured, given([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1]))
    assert chosen.operating_points == (0.5,)  # halfway between sigmoid(-1) and sigmoid(1)
    assert chosen.chosen_on == "chosen on 4 images of test"
    assert (chosen.logits == measured.logits).all()


def test_weights_of_validation_images_move_the_operating_point() -> None:
    validation = given([-2.0, -1.0, 1.0, 2.0], [0, 1, 0, 1])
    cautious = with_operating_points(validation, validation, [1, 1, 9, 1])
    eager = with_operating_points(validation, validation, [9, 1, 1, 1])
    assert cautious.operating_points[0] == pytest.approx((expit(1) + expit(2)) / 2)
    assert eager.operating_points[0] == pytest.approx((expit(-2) + expit(-1)) / 2)


def test_a_label_of_one_class_has_no_operating_point() -> None:
    assert with_operating_points(given([0.0], [1]), given([1.0, 2.0], [1, 1])).operating_points == (None,)


def test_some_of_the_images_keep_what_is_theirs() -> None:
    several = given([1.0, 2.0, 3.0], [0, 1, 1])
    some = several.only([2, 0])
    assert [record.path.name for record in some.records] == ["2.png", "0.png"]
    assert some.logits.tolist() == [[3.0], [1.0]]
    assert some.targets.tolist() == [[1.0], [0.0]]
