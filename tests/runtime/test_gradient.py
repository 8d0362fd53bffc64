"""The way of an image to a gradient, driven by hand: requests, seeds, refusals, and the document to the letter."""

import json
import math
from fractions import Fraction
from hashlib import sha256
from typing import Any

import numpy as np
import pytest

from sitegen_runtime.bundle.model import Vector
from sitegen_runtime.errors import Cancelled, EngineFailed
from sitegen_runtime.gradient import Gradient
from sitegen_runtime.requests import Progress, Request, RunGraph
from tests.helpers.runtime.drive import FEATURES, LOGITS, Machine, job
from tests.helpers.runtime.images import picture, saved
from tests.helpers.runtime.models import LABELS, model

PICTURE = picture(60, 44, colour=0.05)
DATA = saved(PICTURE, "PNG")
RGBA = np.asarray(PICTURE.convert("RGBA"))
ROUGH = 5.0  # noise in the reconstruction that no gate accepts
SEED = {"Pneumonia": 0.5, "Atelectasis": -2}


def differentiated(machine: Machine, seed: Any = SEED, data: bytes = DATA, **options: Any) -> Gradient:
    force = options.pop("force", False)
    return machine.differentiate(job(data, model(**{"gradient": True} | options), force=force), seed)


def test_order_of_requests() -> None:
    machine = Machine(RGBA)
    differentiated(machine)
    assert machine.steps() == [
        "progress check",
        "progress pixels",
        "OpenImage",
        "progress pixels",
        "ReadPixels",
        "SumCells",
        "progress gate",
        "run gate",
        "progress session",
        "load gradient",
        "progress gradient",
        "run gradient",
        "progress done",
    ]


def test_the_graph_gets_the_classifiers_tensor_and_the_seed_in_the_order_of_the_labels() -> None:
    machine, classifying = Machine(RGBA), Machine(RGBA)
    document = differentiated(machine).document
    (image, seed), outputs = next(
        (request.feeds, request.outputs)
        for request in machine.asked
        if isinstance(request, RunGraph) and request.role == "gradient"
    )
    assert (seed.name, seed.shape, list(seed.values)) == ("seed", (1, 3), [-2.0, 0.5, 0.0])
    assert (image.name, image.shape) == ("image", (1, 1, 16, 16))
    assert outputs == ("logits_out", "gradient_out")
    tensors = classifying.run(job(DATA, model())).document["tensors"]
    assert document["tensors"] == {"gradient": tensors["classifier"], "gate": tensors["gate"]}
    assert sha256(image.values.tobytes()).hexdigest() == tensors["classifier"]


def test_the_document() -> None:
    machine = Machine(RGBA)
    gradient = differentiated(machine)
    image = next(request for request in machine.asked if isinstance(request, RunGraph) and len(request.feeds) == 2)
    expected = (np.array(image.feeds[0].values) * -1.5).astype("<f4")
    document = gradient.document
    assert list(document) == [
        *("schema", "image", "bundle", "engine", "tensors", "seen", "gate"),
        *("seed", "logits", "gradients", "timings", "notes"),
    ]
    assert document["schema"] == "sitegen.gradient/1"
    assert document["seed"] == {"Atelectasis": -2.0, "Pneumonia": 0.5}
    assert document["logits"] == dict(zip(LABELS, LOGITS, strict=True))
    assert document["gate"]["accepted"] is True
    assert document["gradients"] == [
        {
            "role": "gradient",
            "shape": [1, 1, 16, 16],
            "min": float(expected.min()),
            "max": float(expected.max()),
            "sha256": sha256(expected.tobytes()).hexdigest(),
        }
    ]
    assert list(gradient.values) == ["gradient"]
    assert list(gradient.values["gradient"]) == expected.tolist()
    assert document["timings"].keys() == {"check", "pixels", "gate", "session", "gradient", "total"}
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_the_head_is_that_of_a_result_document() -> None:
    result = Machine(RGBA).run(job(DATA, model(gradient=True))).document
    document = differentiated(Machine(RGBA)).document
    for key in ("image", "bundle", "engine", "gate", "notes"):
        assert document[key] == result[key]


def test_feature_map_and_its_gradient_where_the_bundle_has_them() -> None:
    gradient = differentiated(Machine(RGBA), features=True)
    roles = [entry["role"] for entry in gradient.document["gradients"]]
    assert roles == ["gradient", "features", "features-gradient"] == list(gradient.values)
    features, pulled = gradient.document["gradients"][1:]
    assert (features["shape"], features["min"], features["max"]) == ([1, 2, 1, 1], *FEATURES)
    assert (pulled["min"], pulled["max"]) == (-2.0, 0.5)
    assert pulled["sha256"] == sha256(np.array([-2.0, 0.5], "<f4").tobytes()).hexdigest()


@pytest.mark.parametrize(
    "seed",
    [
        {"Effusion": 1},
        {"Effusion": 1.0},
        {"Effusion": np.float32(1)},
        {"Effusion": np.int64(1)},
        {"Effusion": Fraction(1)},
    ],
)
def test_weights_are_real_numbers_of_any_type(seed: dict[str, Any]) -> None:
    document = differentiated(Machine(RGBA), seed).document
    assert document["seed"] == {"Effusion": 1.0}
    assert type(document["seed"]["Effusion"]) is float


def test_a_weight_of_zero_is_a_weight() -> None:
    gradient = differentiated(Machine(RGBA), {"Effusion": 0})
    assert set(gradient.values["gradient"]) == {0.0}


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (None, "The seed must give a weight to one label at least. The labels are 'Atelectasis', "),
        ({}, "The seed must give a weight to one label at least."),
        ([1.0], "The seed must give a weight to one label at least."),
        ("Effusion", "The seed must give a weight to one label at least."),
        (
            {"Mass": 1.0},
            "The seed has a label 'Mass', which the model has not. "
            "Its labels are 'Atelectasis', 'Pneumonia', 'Effusion'.",
        ),
        ({"Effusion": math.nan}, "The seed's weight of 'Effusion' is NaN; it must be a finite number of float32."),
        ({"Effusion": -math.inf}, "weight of 'Effusion' is -Infinity"),
        ({"Effusion": 1e39}, "weight of 'Effusion' is 1e+39"),
        ({"Effusion": -(10**400)}, "weight of 'Effusion' is -1000"),
        ({"Effusion": None}, "weight of 'Effusion' is null"),
        ({"Effusion": True}, "weight of 'Effusion' is true"),
        ({"Effusion": "1"}, "weight of 'Effusion' is \"1\""),
        ({"Effusion": 1j}, "weight of 'Effusion' is \"1j\""),
    ],
)
def test_what_is_no_seed_is_refused_before_anything_is_done(seed: Any, message: str) -> None:
    machine = Machine(RGBA)
    gradient = differentiated(machine, seed)
    assert gradient.document["error"]["code"] == "bad-seed"
    assert message in gradient.document["error"]["message"]
    assert gradient.values == {}
    assert machine.asked == []


def test_the_largest_float32_is_a_weight() -> None:
    assert "error" not in differentiated(Machine(RGBA * 0), {"Effusion": float(np.finfo(np.float32).max)}).document


def test_a_bundle_without_a_gradient_graph() -> None:
    machine = Machine(RGBA)
    document = machine.differentiate(job(DATA, model()), SEED).document
    assert document["error"]["code"] == "missing-network"
    assert "The bundle literal has no network of the role 'gradient'" in document["error"]["message"]
    assert document["schema"] == "sitegen.gradient/1"
    assert machine.asked == []


def test_a_refused_image_has_no_gradient_and_the_graph_is_not_even_loaded() -> None:
    machine = Machine(RGBA, gate_error=ROUGH)
    gradient = differentiated(machine)
    document = gradient.document
    assert document["gate"]["accepted"] is False
    assert (document["seed"], document["logits"], document["gradients"]) == (
        {"Atelectasis": -2.0, "Pneumonia": 0.5},
        {},
        [],
    )
    assert gradient.values == {}
    assert "forced" not in document
    assert machine.steps()[-2:] == ["run gate", "progress done"]


def test_a_refused_image_that_is_forced() -> None:
    gradient = differentiated(Machine(RGBA, gate_error=ROUGH), force=True)
    assert gradient.document["forced"] is True
    assert gradient.document["gate"]["accepted"] is False
    assert len(gradient.values["gradient"]) == 256


def test_without_a_gate() -> None:
    machine = Machine(RGBA)
    document = differentiated(machine, gate=False, force=True).document
    assert document["gate"] is None
    assert "forced" not in document
    assert document["tensors"].keys() == {"gradient"}
    assert "run gate" not in machine.steps()


@pytest.mark.parametrize("number", range(7))
def test_cancelled_at_every_progress(number: int) -> None:
    seen: list[Request] = []

    def cancel(request: Request) -> BaseException | None:
        seen.extend([request] if isinstance(request, Progress) else [])
        return Cancelled("Stopped.") if len(seen) > number and isinstance(request, Progress) else None

    machine = Machine(RGBA)
    gradient = machine.differentiate(job(DATA, model(gradient=True)), SEED, cancel)
    assert gradient.document["error"] == {"code": "cancelled", "message": "Stopped."}
    assert gradient.values == {}
    assert len(seen) == number + 1
    assert isinstance(machine.asked[-1], Progress)


@pytest.mark.parametrize("role", ["load gradient", "run gradient"])
def test_a_graph_that_fails(role: str) -> None:
    machine = Machine(RGBA)
    failure = EngineFailed("It is out of order.")
    gradient = machine.differentiate(
        job(DATA, model(gradient=True)), SEED, lambda request: failure if machine.steps()[-1] == role else None
    )
    assert gradient.document["error"] == {"code": "engine-failed", "message": "It is out of order."}
    assert gradient.document["image"]["width"] == 60


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_not_finite(bad: float) -> None:
    document = differentiated(Machine(RGBA, logits=(0.0, bad, 1.0))).document
    assert document["error"]["code"] == "engine-failed"
    assert "'gradient' gave numbers that are not finite" in document["error"]["message"]


def test_a_gradient_that_is_not_finite() -> None:
    # The seed's sum is beyond float32: so is the gradient of this machine.
    document = differentiated(Machine(RGBA), {"Atelectasis": 3e38, "Pneumonia": 3e38}).document
    assert document["error"]["code"] == "engine-failed"


def test_damaged_files_are_refused_as_ever() -> None:
    document = differentiated(Machine(RGBA), data=DATA[:-30]).document
    assert document["error"]["code"] == "damaged-image"
    assert document["image"]["sha256"] == sha256(DATA[:-30]).hexdigest()


def test_a_small_image_is_noted() -> None:
    small = picture(40, 20, colour=0.05)
    machine = Machine(np.asarray(small.convert("RGBA")))
    document = differentiated(machine, data=saved(small, "PNG"), cells=32).document
    assert document["notes"] == ["The image is smaller (20 pixels) than what the model looks at (32): it was enlarged."]


def test_the_seed_is_read_as_what_is_no_image() -> None:
    graph = model(gradient=True).graphs["gradient"]
    assert graph.vectors == (Vector("seed", (1, 3)),)
    assert [entry.name for entry in graph.images] == ["image"]
    assert graph.outputs["gradient"].shape == (1, 1, 16, 16)
