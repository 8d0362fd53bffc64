"""Adversarial noise as an intervention: the attack's own numbers, the gate's input changed alike, wrong wishes."""

from array import array
from typing import Any

import numpy as np
import pytest

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen_runtime.attacks.methods import Wish
from sitegen_runtime.calibration import sigmoid
from sitegen_runtime.errors import BadIntervention, Cancelled
from sitegen_runtime.interventions.regions import Noise, read_interventions
from sitegen_runtime.interventions.what_if import Tried
from sitegen_runtime.requests import Progress
from tests.helpers.browser.support import encoded

DATA = encoded(seed=3, size=64)


@pytest.fixture(scope="module")
def predictor(gradient_bundle: Bundle) -> Predictor:
    return Predictor(gradient_bundle)


def noise(**wish: Any) -> dict[str, Any]:
    return {"attack": {"method": "fgsm", **wish}}


def test_the_entry_has_the_attacks_numbers(predictor: Predictor) -> None:
    wanted = [noise(method="pgd", strength=0.1, steps=3, finding="Effusion", seed=4), noise()]
    tried = predictor.what_if(DATA, wanted, force=True)
    seen = predictor.explain(DATA, [], force=True).seen
    assert isinstance(tried, Tried)
    assert seen is not None
    wishes = (Wish("pgd", 0.1, 3, "Effusion", 4), Wish())
    for entry, wish, image in zip(tried.document["what_if"], wishes, tried.noisy, strict=True):
        expected = predictor.attack(seen.image.values, wish)
        assert image == expected.image
        assert entry["attack"] == vars(wish)
        assert entry["loss"] == dict(zip(("before", "after"), expected.losses, strict=True))
        assert [each["before"] for each in entry["findings"]] == [sigmoid(logit) for logit in expected.before]
        assert [each["after"] for each in entry["findings"]] == [sigmoid(logit) for logit in expected.after]
        assert "regions" not in entry


def test_the_gate_judges_the_image_with_the_noise(predictor: Predictor) -> None:
    """Its input is the classifier's at half the size, so that every cell of it is the mean of four."""
    tried = predictor.what_if(DATA, [noise(strength=0.2)], force=True)
    assert isinstance(tried, Tried)
    assert tried.seen is not None
    (image,), entry = tried.noisy, predictor.model.graphs["classifier"].images[0]
    gate = predictor.model.graphs["gate"].images[0]
    assert (entry.side, gate.side) == (32, 16)
    shares = [
        (np.array(values).reshape(-1, 32, 32) * entry.std[0] + entry.mean[0] - entry.range[0])
        / (entry.range[1] - entry.range[0])
        for values in (image, tried.seen.image.values)
    ]
    change = (shares[0] - shares[1]).mean(0).reshape(16, 2, 16, 2).mean((1, 3))
    before = np.array(tried.seen.image.gate).reshape(16, 16) * gate.std[0] + gate.mean[0]
    low, high = gate.range
    held = np.clip((before - low) / (high - low) + change, 0, 1)
    values = array("f", ((held * (high - low) + low - gate.mean[0]) / gate.std[0]).ravel().tolist())
    (found,) = tried.document["what_if"]
    assert found["gate"] is not None
    assert found["gate"]["score"] == pytest.approx(predictor.judge(values).score, abs=1e-6)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"strength": 2}, "An attack of the strength 2 is none"),
        ({"steps": 0}, "takes 1 to 1000 steps, not 0"),
        ({"finding": "Fracture"}, "no finding 'Fracture'"),
        ({"method": "jsma"}, "no attack 'jsma'. There are 'fgsm', 'bim', 'pgd'"),
    ],
)
def test_what_there_is_not_is_told_in_its_place(predictor: Predictor, wish: dict[str, Any], said: str) -> None:
    first, second = predictor.what_if(DATA, [noise(**wish), noise()], force=True).document["what_if"]
    assert first["error"]["code"] == "bad-attack"
    assert said in first["error"]["message"]
    assert "findings" in second


def test_a_bundle_without_gradients_says_so(bundle: Bundle) -> None:
    (entry,) = Predictor(bundle).what_if(DATA, [noise()], force=True).document["what_if"]
    assert entry["error"]["code"] == "missing-network"
    assert "has no network of the role 'gradient'" in entry["error"]["message"]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "must be"),
        ({"method": "fgsm", "size": 1}, "must be"),
        ([], "must be"),
        ({"method": 3}, "The method of the attack 1 cannot be 3"),
        ({"method": "fgsm", "strength": True}, "The strength of the attack 1 cannot be True"),
        ({"method": "fgsm", "steps": 1.5}, "cannot be 1.5"),
    ],
)
def test_wishes_that_are_none(wish: Any, said: str) -> None:
    with pytest.raises(BadIntervention, match=said):
        read_interventions([{"attack": wish}])
    with pytest.raises(BadIntervention):
        read_interventions([{"attack": {"method": "fgsm"}, "filling": "black"}])


def test_what_is_not_said_is_the_papers() -> None:
    (found,) = read_interventions([{"attack": {"method": "bim"}}])
    assert found == Noise({"method": "bim", "strength": 0.3, "steps": 10, "finding": None, "seed": 0})


def test_noise_ends_where_it_is_cancelled(predictor: Predictor) -> None:
    from sitegen_runtime.admission import Job
    from sitegen_runtime.interventions.what_if import try_out

    engine = {"runtime": "cpython", "provider": "cpu", "threads": 1}
    way = try_out(Job(DATA, "a.png", predictor.model, engine, True), [noise(method="bim", steps=5)])

    def stopped() -> Any:
        answer, error = None, None
        while True:
            request = way.throw(error) if error else way.send(answer)
            isnt_far = not (isinstance(request, Progress) and request.stage == "attack" and request.done > 0.3)
            error = None if isnt_far else Cancelled("stopped")
            answer = (yield request) if isnt_far else None

    def followed() -> Any:
        try:
            yield from stopped()
        except RuntimeError as ended:  # a generator's end, raised inside of another
            assert isinstance(ended.__cause__, StopIteration)
            return ended.__cause__.value

    assert predictor.drive(followed()).document["error"]["code"] == "cancelled"
