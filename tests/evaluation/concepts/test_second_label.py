"""Units that raise a second label, set to zero: drawn networks whose answer can be worked out by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.errors import DataError, SitegenError
from sitegen.evaluation.concepts.document_types import SecondLabelDocument
from sitegen.evaluation.concepts.effects import as_values
from sitegen.evaluation.concepts.layers import Cut
from sitegen.evaluation.concepts.second_label import SecondLabel, halves, raises, random_sets, without
from sitegen.phantom import write_phantom
from sitegen.prediction import Predictor
from tests.evaluation.concepts.test_effects import linear_layer
from tests.helpers.bundles import LABELS
from tests.helpers.typed_documents import hold

COUNT = 6


def drawn(layer: np.ndarray) -> np.ndarray:
    """Three labels of six units: Z = units 2 and 5, Y = twice unit 5 less unit 1, W = unit 3."""
    means = layer[0].astype(np.float64).mean((1, 2))
    return np.array([means[2] + means[5], 2 * means[5] - means[1], means[3]])


def test_what_raises_a_label_and_what_the_others_lose_with_it() -> None:
    layer = np.random.default_rng(0).uniform(1, 2, (1, 6, 3, 3)).astype(np.float32)
    means = layer[0].mean((1, 2))
    np.testing.assert_allclose(raises(drawn, layer, 0), [0, 0, means[2], 0, 0, means[5]], atol=1e-6)
    np.testing.assert_allclose(raises(drawn, layer, 1), [0, -means[1], 0, 0, 0, 2 * means[5]], atol=1e-6)
    lost = drawn(without(layer, [2, 5])) - drawn(layer)
    np.testing.assert_allclose(lost, [-means[2] - means[5], -2 * means[5], 0], atol=1e-6)


def test_halves_share_no_patient_and_random_sets_come_again() -> None:
    patients = ["a", "b", "a", "c", "d", "b"]
    for seed in range(5):
        first, second = halves(patients, seed)
        assert sorted(first + second) == list(range(6))
        names = [{patients[at] for at in half} for half in (first, second)]
        assert not names[0] & names[1] and [len(each) for each in names] == [2, 2]
    with pytest.raises(DataError, match="1 of them cannot be halved"):
        halves(["a", "a"], 0)
    asked = SecondLabel("Mass", "conv", draws=40, seed=1)
    sets = random_sets(6, 2, asked)
    assert sets == random_sets(6, 2, asked)
    assert all(len(set(each)) == 2 for each in sets) and {at for each in sets for at in each} == set(range(6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("second")
    for seed in range(COUNT):
        write_phantom(place / f"{seed}.png", seed, 64)
    return place


def invoked(folder: Path, bundle: Bundle, **changed: str) -> Any:
    options = {"bundle": str(bundle.folder), "second": LABELS[0], "layer": "active", "units": "2", "runs": "4"}
    options |= {"resamples": "20", "json": str(folder / "a.json")} | changed
    named = [f"--{name}={value}" for name, value in options.items() if value]
    return CliRunner().invoke(app, ["evaluate", "effects", str(folder), "--force", *named])


def test_effects_of_a_linear_head_are_the_terms_of_the_units(folder: Path, gradient_bundle: Bundle) -> None:
    done = invoked(folder, gradient_bundle)
    assert done.exit_code == 0, done.output
    document = json.loads((folder / "a.json").read_text("utf-8"))
    hold(SecondLabelDocument, [document], [("ProblemDocument", "file"), ("ProblemDocument", "problem")])
    predictor, cut = Predictor(gradient_bundle), Cut(gradient_bundle, "active")
    paths = sorted(folder.glob("*.png"))
    seen = [predictor.analyse(path.read_bytes(), path.name, force=True).seen for path in paths]
    means = np.array([cut.front(as_values(each.image.values))[0].mean((1, 2)) for each in seen if each])
    terms = means[:, :, None].astype(np.float64) * linear_layer(gradient_bundle)  # [images, units, labels]
    choosing, measured = halves([str(path) for path in paths], 0)
    mean = terms[choosing].mean(0)[:, 0]
    best = [int(at) for at in np.argsort(-mean)[:2] if mean[at] > 0]
    assert [each["unit"] for each in document["units"]] == best and best
    assert [each["raises"] for each in document["units"]] == pytest.approx([mean[at] for at in best], abs=1e-5)
    sets = random_sets(8, len(best), SecondLabel(LABELS[0], "active", 2, 4))
    for label, finding in enumerate(document["findings"]):
        effects = -terms[measured][:, best, label].sum(1)
        random = -np.mean([terms[measured][:, each, label].sum(1) for each in sets], axis=0)
        assert finding["label"] == LABELS[label]
        assert finding["logit_effect"]["value"] == pytest.approx(effects.mean(), abs=1e-5)
        assert finding["logit_difference"]["value"] == pytest.approx((effects - random).mean(), abs=1e-5)
        logits = np.array([cut.back(cut.front(as_values(seen[at].image.values)))[label] for at in measured])
        shares = [1 / (1 + np.exp(-each)) for each in (logits + effects, logits)]
        assert finding["effect"]["value"] == pytest.approx((shares[0] - shares[1]).mean(), abs=1e-5)
    assert (document["chosen_on"], document["images"], document["patients"]) == (3, 3, 3)
    assert "chosen on 3 image(s)" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"second": "Hernia"}, "has no finding 'Hernia'. It has"),
        ({"layer": "nowhere"}, "It can be cut at 'convolved', 'active', 'pooled'"),
        ({"layer": ""}, "--second LABEL and --layer NAME go together"),
        ({"boxes": "boxes.csv"}, "not with --boxes"),
    ],
)
def test_what_there_is_not_is_wrong_use(
    folder: Path, gradient_bundle: Bundle, changed: dict[str, str], words: str
) -> None:
    done = invoked(folder, gradient_bundle, **changed)
    assert isinstance(done.exception, SitegenError)
    assert done.exception.exit_code == 2
    assert words in str(done.exception)
