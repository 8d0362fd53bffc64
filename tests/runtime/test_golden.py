"""The golden check, driven here in place of a browser: what each of two engines gives is made up."""

import io
import json
from array import array
from math import sqrt
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen.phantom import phantom
from sitegen_runtime import golden
from sitegen_runtime.browser import Session
from sitegen_runtime.bundle.model import Model, read_model
from sitegen_runtime.golden import Verdict, check_network, difference
from sitegen_runtime.requests import CellGrid, OpenImage, ReadFile, Request, RunGraph, SumCells
from tests.helpers.runtime.cell_sums import defined_sums
from tests.helpers.runtime.models import description


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "_images", {})


def model_with(image: str | None = "golden.png", **options: Any) -> Model:
    fields = json.loads(description(**options))
    named: dict[str, Any] | None = {"image": image, "tensors": {}, "gate": None, "logits": {}} if image else None
    return read_model(json.dumps(fields | {"golden": named}).encode())


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(phantom(1, 64)).save(buffer, "PNG")
    return buffer.getvalue()


class Engines:
    """Answers what a check asks for: on the card, `change` is added to the first value of `changed`, or of all."""

    def __init__(self, model: Model, change: float = 0.0, first: float = 0.5, changed: str = "") -> None:
        self.model, self.change, self.first, self.changed = model, change, first, changed
        self.asked: list[Request] = []

    def check(self, role: str) -> Verdict:
        check = check_network(self.model, role)
        answer = None
        while True:
            try:
                request = check.send(answer)
            except StopIteration as end:
                verdict: Verdict = end.value
                return verdict
            self.asked.append(request)
            answer = self.reply(request)

    def reply(self, request: Request) -> Any:
        if isinstance(request, ReadFile):
            return png()
        if isinstance(request, OpenImage):
            self.picture = Image.open(io.BytesIO(request.payload)).convert("RGBA")
            return self.picture.size
        if isinstance(request, SumCells):
            return [each for grid in request.grids for each in defined_sums(np.asarray(self.picture), grid)]
        if isinstance(request, RunGraph):
            length = len(request.feeds[0].values)
            return {name: array("f", [self.value(request, name)] + [0.25] * (length - 1)) for name in request.outputs}
        return None

    def value(self, request: RunGraph, output: str) -> float:
        """The first value of an output."""
        is_changed = not request.reference and output.startswith(self.changed)
        return self.first + self.change if is_changed else self.first

    def runs(self) -> list[RunGraph]:
        return [request for request in self.asked if isinstance(request, RunGraph)]


def test_both_engines_run_on_the_golden_image() -> None:
    engines = Engines(model_with())
    verdict = engines.check("classifier")
    assert verdict == Verdict("classifier", {"logits": 0.0}, None)
    card, reference = engines.runs()
    assert (card.reference, reference.reference) == (False, True)
    assert card.feeds == reference.feeds
    (feed,) = card.feeds
    assert (feed.name, feed.shape) == ("image", (1, 1, 16, 16))
    # The phantom of 64 x 64, averaged to the network's 16 x 16.
    cells = phantom(1, 64).reshape(16, 4, 16, 4).mean((1, 3)).ravel() / 255
    assert list(feed.values) == pytest.approx(cells.tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("first", "change", "is_good"),
    [(0.5, 0.9e-3, True), (0.5, 1.2e-3, False), (40.0, 39e-3, True), (40.0, 41e-3, False), (0.5, float("nan"), False)],
)
def test_logits_may_differ_by_so_much(first: float, change: float, is_good: bool) -> None:
    verdict = Engines(model_with(), change, first).check("classifier")
    assert (verdict.problem is None) is is_good


def test_what_is_wrong_is_named() -> None:
    verdict = Engines(model_with(), 0.5).check("classifier")
    assert verdict.problem == (
        "the network 'classifier' differs on the graphics card: logits by 5.0e-01 (at most 1e-03)"
    )


def test_the_gates_score_counts_too() -> None:
    verdict = Engines(model_with()).check("gate")
    assert verdict.differences == {"reconstruction": 0.0, "score": 0.0}
    changed = Engines(model_with(), 0.01).check("gate")
    assert 0 < changed.differences["reconstruction"] < golden.MAP_TOLERANCE
    assert changed.differences["score"] > 0


# Of 256 values, 0.5 and the rest 0.25, the norm is sqrt(0.25 + 255 / 16) = 4.023.
@pytest.mark.parametrize("output", ["gradient", "features", "features-gradient"])
@pytest.mark.parametrize(("change", "is_good"), [(0.0398, True), (0.0406, False), (-0.0398, True), (-0.0406, False)])
def test_maps_may_differ_by_a_hundredth_of_their_norm(output: str, change: float, is_good: bool) -> None:
    verdict = Engines(model_with(gradient=True, features=True), change, changed=f"{output}_out").check("gradient")
    assert verdict.differences[output] == pytest.approx(abs(change) / sqrt(0.25 + 255 / 16), rel=1e-5)
    assert sum(value > 0 for value in verdict.differences.values()) == 1
    assert (verdict.problem is None) is is_good
    assert is_good or f"{output} by 1.0e-02 (at most 1e-02)" in str(verdict.problem)


@pytest.mark.parametrize(("change", "is_good"), [(0.01, True), (0.0108, False), (-0.01, True), (-0.0108, False)])
def test_the_gates_score_may_differ_by_a_thousandth(change: float, is_good: bool) -> None:
    verdict = Engines(model_with(), change).check("gate")
    assert verdict.differences["score"] == pytest.approx(1e-3, rel=0.1)
    assert verdict.differences["reconstruction"] < 0.006
    assert verdict.problem == (
        None if is_good else "the network 'gate' differs on the graphics card: score by 1.0e-03 (at most 1e-03)"
    )


def test_a_gradient_graph_gets_a_seed_of_unequal_weights() -> None:
    engines = Engines(model_with(gradient=True))
    assert engines.check("gradient").problem is None
    _, seed = engines.runs()[0].feeds
    assert (seed.name, seed.shape) == ("seed", (1, 3))
    assert list(seed.values) == pytest.approx([1.0, 1 - 1 / 6, 1 - 2 / 6])


def test_the_image_is_decoded_once() -> None:
    engines = Engines(model_with(gradient=True))
    for role in ("classifier", "gradient", "classifier"):
        engines.check(role)
    assert sum(isinstance(request, ReadFile) for request in engines.asked) == 1


def test_without_a_golden_image_nothing_can_be_said() -> None:
    engines = Engines(model_with(None))
    assert engines.check("classifier").problem == (
        "The bundle has no golden image, so that no graphics card can be checked."
    )
    assert engines.runs() == []


def test_differences_in_their_measures() -> None:
    assert difference("logits", [0.25, 10.5], [0.0, 10.0]) == 0.25  # of 10, 0.5 is a twentieth
    assert difference("gradient", [3.0, 4.5], [3.0, 4.0]) == pytest.approx(0.1)
    assert difference("gradient", [0.0, 0.0], [0.0, 0.0]) == 0.0


def test_the_pages_session_gives_the_verdict() -> None:
    model = model_with()
    engines = Engines(model)
    named = json.loads(description()) | {"golden": {"image": "golden.png"}}
    session = Session(b"", "golden", json.dumps(named).encode(), '{"kind": "golden", "role": "gate", "engine": {}}')
    message = session.begin()
    seen = []
    while message[0] != "end":
        kind, fields = message[0], json.loads(message[1])
        seen.append((kind, fields.get("reference")))
        if kind == "run":
            values = array("f", [0.5] * 64).tobytes()
            message = session.answer([values for _ in fields["outputs"]])
        elif kind == "open":
            engines.picture = Image.open(io.BytesIO(message[2])).convert("RGBA")
            message = session.answer(json.dumps(engines.picture.size))
        elif kind == "sums":
            request = SumCells(tuple(CellGrid(**grid) for grid in fields["grids"]))
            message = session.answer(array("d", engines.reply(request)))
        else:
            message = session.answer(png() if kind == "file" else None)
    assert [entry for entry in seen if entry[0] == "run"] == [("run", False), ("run", True)]
    verdict = {"role": "gate", "differences": {"reconstruction": 0.0, "score": 0.0}, "problem": None}
    assert json.loads(message[1]) == {"verdict": verdict}
