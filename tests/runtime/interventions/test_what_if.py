"""What if: effects of networks that can be worked out by hand, the gate's answer, refusals and failures."""

import json
from typing import Any

import numpy as np
import pytest

from sitegen_runtime.errors import Cancelled, EngineFailed
from sitegen_runtime.requests import Progress, Request, RunGraph
from tests.helpers.runtime.drive import job
from tests.helpers.runtime.images import picture, saved
from tests.helpers.runtime.known_networks import CELLS, Knowing, linear, linear_weights, patch_seer, two_layers
from tests.helpers.runtime.models import model

SIDE = 64  # pixels of the picture, four for each cell
PICTURE = picture(SIDE, SIDE, colour=0.0)
DATA = saved(PICTURE, "PNG")
RGBA = np.asarray(PICTURE.convert("RGBA"))
SEEN = (RGBA[..., 0] / 255).reshape(CELLS, 4, CELLS, 4).mean((1, 3))  # what the classifier is given
ROUGH = 5.0


def cells(top: int, left: int, rows: int, columns: int) -> list[list[int]]:
    return [[4 * left, 4 * top, 4 * columns, 4 * rows]]


def tried(network: Any, *wanted: Any, **options: Any) -> Any:
    given = {name: options.pop(name) for name in ("force", "correction") if name in options}
    rebuilding = {name: options.pop(name) for name in ("gate_error", "known") if name in options}
    asked = [{"regions": regions, "filling": filling} for regions, filling in wanted]
    machine = Knowing(RGBA, network, **rebuilding)
    return machine.what_if(job(DATA, model(**options), **given), {"interventions": asked}).document


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize("network", [linear, two_layers, patch_seer])
@pytest.mark.parametrize("filling", ["black", "mean"])
def test_effects_are_those_of_the_network_on_the_changed_image(network: Any, filling: str) -> None:
    (entry,) = tried(network, (cells(4, 9, 3, 5), filling))["what_if"]
    changed = SEEN.copy()
    changed[4:7, 9:14] = 0.0 if filling == "black" else SEEN.mean()
    before, after = network(SEEN), network(changed)
    assert entry["cells"] == 15
    assert [found["label"] for found in entry["findings"]] == ["Atelectasis", "Pneumonia", "Effusion"]
    for key, expected in (
        ("logit_effect", after - before),
        ("effect", sigmoid(after) - sigmoid(before)),
        ("before", sigmoid(before)),
        ("after", sigmoid(after)),
    ):
        assert np.allclose([found[key] for found in entry["findings"]], expected, atol=2e-6), key


def test_a_linear_model_loses_what_its_cells_gave() -> None:
    (entry,) = tried(linear, (cells(2, 3, 4, 4), "black"))["what_if"]
    expected = -(linear_weights() * SEEN)[:, 2:6, 3:7].sum((1, 2))
    assert np.allclose([found["logit_effect"] for found in entry["findings"]], expected, atol=2e-6)


def test_only_the_planted_patch_matters() -> None:
    entries = tried(patch_seer, (cells(4, 10, 4, 4), "black"), (cells(8, 0, 8, 16), "black"))["what_if"]
    within, without = ([found["logit_effect"] for found in entry["findings"]] for entry in entries)
    light = 8 * SEEN[4:8, 10:14].mean()
    assert np.allclose(within, [-light, light, 0], atol=1e-5)
    assert without == [0.0, 0.0, 0.0]


def test_each_is_tried_on_the_image_as_it_is() -> None:
    first, second = (cells(0, 0, 8, 8), "black"), (cells(8, 8, 8, 8), "black")
    together = tried(two_layers, first, second)
    apart = [tried(two_layers, one)["what_if"][0] for one in (first, second)]
    assert together["what_if"] == apart


def test_the_reconstruction_is_the_gates() -> None:
    known = np.full((8, 8), 0.25)
    (entry,) = tried(linear, (cells(2, 3, 4, 4), "reconstruction"), known=known, threshold=-1.0)["what_if"]
    expected = (linear_weights() * (0.25 - SEEN))[:, 2:6, 3:7].sum((1, 2))
    assert np.allclose([found["logit_effect"] for found in entry["findings"]], expected, atol=2e-6)


def test_the_gate_judges_the_changed_image() -> None:
    known = (RGBA[..., 0] / 255).reshape(8, 8, 8, 8).mean((1, 3))  # rebuilt as it was, whatever it is given
    document = tried(linear, (cells(0, 0, 8, 16), "black"), (cells(0, 0, 1, 1), "black"), known=known, threshold=0.9)
    half, corner = (entry["gate"] for entry in document["what_if"])
    assert document["gate"]["accepted"]
    assert not half["accepted"]
    assert "unlike" in half["reason"]
    assert half["score"] < 0.9
    assert set(half) == set(document["gate"])
    assert corner["score"] == document["gate"]["score"]  # no centre of the gate's larger cells lies in it


def test_a_turned_picture_is_changed_where_it_was() -> None:
    wanted = (cells(2, 3, 4, 4), "black")
    (turned,) = tried(linear, wanted, correction="turn-180")["what_if"]
    expected = -(linear_weights() * SEEN[::-1, ::-1])[:, 10:14, 9:13].sum((1, 2))
    assert np.allclose([found["logit_effect"] for found in turned["findings"]], expected, atol=2e-6)


def test_without_a_gate_there_is_no_reconstruction() -> None:
    first, second = tried(linear, (cells(0, 0, 4, 4), "reconstruction"), (cells(0, 0, 4, 4), "blur"), gate=False)[
        "what_if"
    ]
    assert first["error"]["code"] == "bad-intervention"
    assert "no gate" in first["error"]["message"]
    assert second["gate"] is None
    assert len(second["findings"]) == 3


def test_what_cannot_be_tried_says_so_in_its_place() -> None:
    wanted = [(cells(0, 20, 2, 2), "black"), (cells(0, 0, 16, 16), "black"), (cells(0, 0, 1, 1), "white")]
    document = tried(linear, *wanted, (cells(0, 0, 1, 1), "black"))
    assert [entry.get("error", {}).get("code") for entry in document["what_if"]] == [*["bad-intervention"] * 3, None]
    assert [set(entry) for entry in document["what_if"][:3]] == [{"regions", "filling", "error"}] * 3
    assert json.loads(json.dumps(document)) == document


def test_what_is_no_list_of_interventions_is_refused_before_any_work() -> None:
    machine = Knowing(RGBA, linear)
    document = machine.what_if(job(DATA, model()), [{"filling": "black"}]).document
    assert document["error"]["code"] == "bad-intervention"
    assert machine.steps() == []


def test_a_refused_image_is_not_tried_unless_by_force() -> None:
    wanted = (cells(0, 0, 4, 4), "black")
    assert tried(linear, wanted, gate_error=ROUGH)["what_if"] == []
    forced = tried(linear, wanted, gate_error=ROUGH, force=True)
    assert forced["forced"]
    assert len(forced["what_if"][0]["findings"]) == 3


def test_what_was_seen_is_not_looked_at_again() -> None:
    first, second = Knowing(RGBA, linear), Knowing(RGBA, linear)
    wanted = [{"regions": cells(0, 0, 4, 4), "filling": "mean"}]
    analysis = first.run(job(DATA, model()))
    again: Any = second.what_if(job(DATA, model()), wanted, seen=analysis.seen).document
    fresh: Any = Knowing(RGBA, linear).what_if(job(DATA, model()), wanted).document
    assert [step for step in second.steps() if step.startswith("run")] == ["run gate", "run classifier"]
    assert set(again.pop("timings")) == {"what-if", "total"}
    fresh.pop("timings")
    assert again == fresh
    assert "what_if" not in analysis.document


def test_a_failing_network_and_a_cancel() -> None:
    wanted = [{"regions": cells(0, 0, 4, 4), "filling": "mean"}] * 2
    runs = 0

    def break_second(request: Request) -> BaseException | None:
        nonlocal runs
        asks = isinstance(request, RunGraph) and request.role == "classifier"
        runs += asks
        return EngineFailed("broken") if asks and runs == 2 else None  # the first is of the image as it is

    broken = Knowing(RGBA, linear).what_if(job(DATA, model()), wanted, break_second).document["what_if"]
    assert [entry.get("error", {}).get("message") for entry in broken] == ["broken", None]

    def stop(request: Request) -> BaseException | None:
        return Cancelled("stopped") if isinstance(request, Progress) and request.stage == "what-if" else None

    assert Knowing(RGBA, linear).what_if(job(DATA, model()), wanted, stop).document["error"]["code"] == "cancelled"
