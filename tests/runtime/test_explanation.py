"""The way of an image to explanations, driven by hand: requests, maps to the number, refusals, failures, documents."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

import json
from array import array
from hashlib import sha256
from typing import Any

import numpy as np
import pytest

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.errors import Cancelled, EngineFailed
from sitegen_runtime.explanation import Explained
from sitegen_runtime.maps.arithmetic import COPIES, STEPS, between, noisy
from sitegen_runtime.maps.methods import METHODS, unavailable
from sitegen_runtime.requests import Progress, ReadFile, Request, RunGraph
from tests.helpers.runtime.drive import FINAL, Machine, job
from tests.helpers.runtime.images import picture, saved
from tests.helpers.runtime.models import model

PICTURE = picture(60, 44, colour=0.05)
DATA = saved(PICTURE, "PNG")
RGBA = np.asarray(PICTURE.convert("RGBA"))
ROUGH = 5.0  # noise in the reconstruction that no gate accepts
WHOLE = {"gradient": True, "cam": True, "guided": True, "final": True}


def explained(machine: Machine, *wanted: str, data: bytes = DATA, values: bool = True, **options: Any) -> Explained:
    """Ask for METHOD:FINDING."""
    given = {name: options.pop(name) for name in ("force", "correction") if name in options}
    asked = [dict(zip(("method", "finding"), text.split(":"), strict=True)) for text in wanted]
    return machine.explain(job(data, model(**WHOLE | options), **given), asked, values=values)


def entry(*wanted: str, **options: Any) -> Any:
    """The only explanation of a document."""
    (found,) = explained(Machine(RGBA), *wanted, **options).document["explanations"]
    return found


def classified(machine: Machine) -> array[float]:
    """The image that the classifier saw."""
    return next(
        asked.feeds[0].values for asked in machine.asked if isinstance(asked, RunGraph) and asked.role == "classifier"
    )


def test_order_of_requests() -> None:
    machine = Machine(RGBA)
    explained(machine, "saliency:Pneumonia", "cam:Effusion", "guided-grad-cam:all")
    assert machine.steps()[machine.steps().index("run classifier") :] == [
        "run classifier",
        *("progress session", "load gradient", "progress explanation", "run gradient"),
        *("read final.weights", "progress session", "load cam", "progress explanation", "run cam"),
        *("progress session", "load cam", "progress explanation", "run cam"),
        *("progress session", "load guided", "progress explanation", "run guided"),
        "progress done",
    ]


def test_progress_rises_over_all_that_is_asked_for() -> None:
    machine = Machine(RGBA)
    explained(machine, "cam:Effusion", "integrated-gradients:Effusion")
    done = [asked.done for asked in machine.asked if isinstance(asked, Progress) and asked.stage == "explanation"]
    assert done == [0, *(0.5 + step / (2 * STEPS) for step in range(STEPS))]


def test_saliency_is_the_positive_gradient_of_one_logit() -> None:
    machine = Machine(RGBA)
    (found,) = explained(machine, "saliency:Pneumonia").maps
    (seed,) = [asked.feeds[1] for asked in machine.asked if isinstance(asked, RunGraph) and asked.role == "gradient"]
    assert list(seed.values) == [0, 1, 0]
    assert (found.shape, found.finding, found.method) == ((16, 16), "Pneumonia", "saliency")
    assert found.values == classified(machine)  # this machine's gradient is the image


def test_all_is_the_sum_of_all_logits() -> None:
    (one,) = explained(Machine(RGBA), "saliency:Pneumonia").maps
    (every,) = explained(Machine(RGBA), "saliency:all").maps
    assert np.allclose(np.array(every.values), 3 * np.array(one.values), rtol=1e-6)


def test_a_class_activation_map_weighs_the_features_without_the_bias() -> None:
    assert entry("cam:Atelectasis")["values"] == [1, 2, 3, 4]
    assert entry("cam:Pneumonia")["values"] == [0.5, 0, 0, 4]
    assert entry("cam:Effusion")["values"] == [1.5, 4, 6, 4]
    assert entry("cam:all")["values"] == [3, 6, 9, 12]


def test_grad_cam_weighs_the_features_with_the_means_of_their_gradients() -> None:
    assert entry("grad-cam:Pneumonia") == {
        "finding": "Pneumonia",
        "method": "grad-cam",
        "shape": [2, 2],
        "min": 0.0,
        "max": 0.75,
        "sha256": sha256(np.array([0, 0.5, 0.75, 0], "<f4").tobytes()).hexdigest(),
        "values": [0.0, 0.5, 0.75, 0.0],
    }


def test_guided_grad_cam_is_the_guided_gradient_times_the_enlarged_map() -> None:
    values = np.array(entry("guided-grad-cam:Pneumonia")["values"]).reshape(16, 16)  # this machine's gradient is 1
    assert values[0, 0] == 0
    assert values[0, 15] == 0.5
    assert values[15, 0] == 0.75
    assert values[8, 8] == pytest.approx((1 * 0.25 * 0.5 + 0.5 * 0.75 + 0.5 * 0.5) / 2, abs=0.1)


def test_smoothgrad_and_integrated_gradients_run_on_many_images() -> None:
    machine = Machine(RGBA)
    explained(machine, "smoothgrad:Pneumonia", "integrated-gradients:Pneumonia")
    fed = [asked.feeds for asked in machine.asked if isinstance(asked, RunGraph) and asked.role == "gradient"]
    image = classified(machine)
    black = array("f", [0.0] * len(image))
    expected = [
        *(noisy(image, copy) for copy in range(COPIES)),
        *(between(image, black, step) for step in range(STEPS)),
    ]
    assert [feeds[0].values for feeds in fed] == expected
    assert {tuple(feeds[1].values) for feeds in fed} == {(0.0, 1.0, 0.0)}


def test_integrated_gradients_follow_the_path_from_black() -> None:
    # The machine's gradient at x is x: the integral of x·t over t from 0 to 1, times x, is x² / 2.
    machine = Machine(RGBA)
    (found,) = explained(machine, "integrated-gradients:Pneumonia").maps
    assert np.allclose(np.array(found.values), np.array(classified(machine)) ** 2 / 2, rtol=1e-5)


def test_the_rest_of_the_document_is_the_analysis() -> None:
    machine = Machine(RGBA)
    document: Any = explained(machine, "grad-cam:all", values=False).document
    plain: Any = Machine(RGBA).run(job(DATA, model(**WHOLE))).document
    timings, explanations = document.pop("timings"), document.pop("explanations")
    assert set(timings) == set(plain.pop("timings")) | {"session", "explanation"}
    assert document == plain
    assert [set(found) for found in explanations] == [{"finding", "method", "shape", "min", "max", "sha256"}]


def test_documents_are_json() -> None:
    document = explained(Machine(RGBA), *(f"{method}:all" for method in METHODS)).document
    assert json.loads(json.dumps(document)) == document


def test_nothing_asked_for_is_an_empty_list_and_an_analysis_has_none() -> None:
    assert explained(Machine(RGBA)).document["explanations"] == []
    assert "explanations" not in Machine(RGBA).run(job(DATA, model(**WHOLE))).document


def test_a_refused_image_is_not_explained_unless_by_force() -> None:
    machine = Machine(RGBA, gate_error=ROUGH)
    refused = explained(machine, "saliency:all")
    assert (refused.document["explanations"], refused.maps) == ([], ())
    assert not [step for step in machine.steps() if step.startswith("load")]
    forced = explained(Machine(RGBA, gate_error=ROUGH), "saliency:all", force=True)
    assert forced.document["forced"]
    assert len(forced.maps) == 1


def test_a_correction_comes_before_the_map_and_is_said() -> None:
    turned = explained(Machine(RGBA), "saliency:Pneumonia", correction="turn-180")
    upright = explained(Machine(RGBA), "saliency:Pneumonia")
    assert turned.document["correction"] == "turn-180"
    assert turned.orientation == 3
    assert list(turned.maps[0].values) == list(upright.maps[0].values)[::-1]
    assert explained(Machine(RGBA), "saliency:Pneumonia", correction="invert").inverted


@pytest.mark.parametrize(
    ("wanted", "options", "code", "words"),
    [
        ("saliency:Fracture", {}, "bad-explanation", "'Fracture'. It has 'Atelectasis', 'Pneumonia', 'Effusion'"),
        ("magic:Pneumonia", {}, "bad-explanation", "no method 'magic'. The methods are 'saliency'"),
        ("cam:Pneumonia", {"final": False}, "undefined-method", "one linear layer. Use 'grad-cam'"),
        ("cam:Pneumonia", {"final": False, "cam": False}, "undefined-method", "one linear layer."),
        ("grad-cam:Pneumonia", {"cam": False}, "missing-network", "role 'cam', which the method 'grad-cam' needs"),
        ("guided-grad-cam:Pneumonia", {"guided": False}, "missing-network", "role 'guided'"),
        ("saliency:Pneumonia", {"gradient": False}, "missing-network", "role 'gradient'"),
        ("smoothgrad:Pneumonia", {"gradient": False}, "missing-network", "role 'gradient'"),
    ],
)
def test_what_cannot_be_had_says_so_in_its_place(wanted: str, options: Any, code: str, words: str) -> None:
    result = explained(Machine(RGBA), wanted, "cam:Effusion" if options == {} else wanted, **options)
    first, second = result.document["explanations"]
    assert first["error"]["code"] == code
    assert words in first["error"]["message"]
    assert set(first) == {"finding", "method", "error"}
    assert len(result.document["findings"]) == 3
    assert ("error" in second) == (options != {})
    assert len(result.maps) == (options == {})


def test_a_gradient_network_that_gives_features_stands_in_for_cam() -> None:
    machine = Machine(RGBA)
    (found,) = explained(machine, "grad-cam:Atelectasis", cam=False, features=True).maps
    assert found.shape == (1, 1)
    assert "load gradient" in machine.steps()
    assert list(found.values) == [0.25]  # features 0.25 and 0.5, their gradient 1 and 0


def test_unavailable_gives_a_reason_for_each_method() -> None:
    bare: Model = model()
    assert all(unavailable(bare, method) for method in METHODS if METHODS[method].needs != ("classifier",))
    assert not any(unavailable(model(**WHOLE), method) for method in METHODS)


@pytest.mark.parametrize("wanted", ["saliency", [["saliency"]], [{"method": "cam"}], {"method": "cam"}, None, [{}]])
def test_what_is_no_list_of_questions_is_refused_before_any_work(wanted: Any) -> None:
    machine = Machine(RGBA)
    document = machine.explain(job(DATA, model(**WHOLE)), wanted).document
    assert document["error"]["code"] == "bad-explanation"
    assert machine.steps() == []


def test_questions_may_name_anything() -> None:
    wanted = [{"finding": ["x"], "method": {"a": 1}}, {"finding": None, "method": "cam"}]
    entries = Machine(RGBA).explain(job(DATA, model(**WHOLE)), wanted).document["explanations"]
    assert [found["error"]["code"] for found in entries] == ["bad-explanation", "bad-explanation"]


def test_a_label_called_all_is_itself() -> None:
    machine = Machine(RGBA)
    whole = model(**WHOLE)
    labels = tuple(type(label)("all" if label.name == "Effusion" else label.name, 0.5, None) for label in whole.labels)
    named = type(whole)(**{**vars(whole), "labels": labels})
    (found,) = machine.explain(job(DATA, named), [{"finding": "all", "method": "cam"}]).maps
    assert list(found.values) == [1.5, 4, 6, 4]


def failing(role: str, error: BaseException) -> Any:
    return lambda request: error if isinstance(request, RunGraph) and request.role == role else None


def test_a_failing_network_costs_its_own_map_alone() -> None:
    machine, whole = Machine(RGBA), job(DATA, model(**WHOLE))
    wanted = [{"finding": "all", "method": method} for method in ("saliency", "grad-cam")]
    result = machine.explain(whole, wanted, failing("gradient", EngineFailed("broken")))
    first, second = result.document["explanations"]
    assert first["error"] == {"code": "engine-failed", "message": "broken"}
    assert "error" not in second
    assert "error" not in result.document


def test_too_little_memory_costs_its_own_map_alone() -> None:
    result = Machine(RGBA).explain(
        job(DATA, model(**WHOLE)), [{"finding": "all", "method": "saliency"}], failing("gradient", MemoryError())
    )
    assert result.document["explanations"][0]["error"]["code"] == "engine-failed"
    assert len(result.document["findings"]) == 3


def test_cancelled_between_two_runs() -> None:
    def stop(request: Request) -> BaseException | None:
        is_late = isinstance(request, Progress) and request.stage != "pixels" and request.done > 0.3
        return Cancelled("stopped") if is_late else None

    machine = Machine(RGBA)
    document = machine.explain(job(DATA, model(**WHOLE)), [{"finding": "all", "method": "smoothgrad"}], stop).document
    assert document["error"] == {"code": "cancelled", "message": "stopped"}
    assert 0 < machine.steps().count("run gradient") < COPIES


def test_final_weights_of_another_length_are_refused() -> None:
    class Damaged(Machine):
        def answer(self, request: Request) -> Any:
            return FINAL[:-1].tobytes() if isinstance(request, ReadFile) else super().answer(request)

    found = explained(Damaged(RGBA), "cam:all").document["explanations"][0]
    assert found["error"]["code"] == "engine-failed"
    assert "3 x 3 weights" in found["error"]["message"]


def test_what_was_seen_is_not_looked_at_again() -> None:
    first, second = Machine(RGBA), Machine(RGBA)
    whole = job(DATA, model(**WHOLE))
    analysis = first.run(whole)
    again = second.explain(whole, [{"finding": "Effusion", "method": "grad-cam"}], seen=analysis.seen)
    assert second.steps() == ["progress session", "load cam", "progress explanation", "run cam", "progress done"]
    fresh = Machine(RGBA).explain(whole, [{"finding": "Effusion", "method": "grad-cam"}])
    ours: Any = again.document
    theirs: Any = fresh.document
    assert set(ours.pop("timings")) == {"session", "explanation", "total"}
    theirs.pop("timings")
    assert ours == theirs
    assert again.squares == fresh.squares
    assert "explanations" not in analysis.document


def test_what_a_refused_image_showed_can_be_kept_too() -> None:
    whole = job(DATA, model(**WHOLE))
    analysis = Machine(RGBA, gate_error=ROUGH).run(whole)
    again = Machine(RGBA).explain(whole, [{"finding": "all", "method": "saliency"}], seen=analysis.seen)
    assert again.document["explanations"] == []
