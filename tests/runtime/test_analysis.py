"""The way of an image, driven by hand: which requests come in which order, and what becomes of every failure."""

from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from sitegen_runtime.analysis import Analysis
from sitegen_runtime.errors import Cancelled, DamagedImage, EngineFailed
from sitegen_runtime.pixels.geometry import square
from sitegen_runtime.requests import CellGrid, OpenImage, Progress, ReadPixels, Request, RunGraph, SumCells
from tests.helpers.runtime.drive import LOGITS, Machine, job
from tests.helpers.runtime.images import encode_png, picture, saved
from tests.helpers.runtime.models import model

PICTURE = picture(60, 44, colour=0.05)
DATA = saved(PICTURE, "PNG")
RGBA = np.asarray(PICTURE.convert("RGBA"))
ROUGH = 5.0  # noise in the reconstruction that no gate accepts


def analysed(machine: Machine, data: bytes = DATA, **options: Any) -> Analysis:
    force = options.pop("force", False)
    return machine.run(job(data, model(**options), force=force))


def test_order_of_requests() -> None:
    machine = Machine(RGBA)
    analysed(machine)
    assert machine.steps() == [
        "progress check",
        "progress pixels",
        "OpenImage",
        "progress pixels",
        "ReadPixels",
        "SumCells",
        "progress gate",
        "run gate",
        "progress classifier",
        "run classifier",
        "progress done",
    ]
    done = [request.done for request in machine.asked if isinstance(request, Progress)]
    assert all(0 <= share <= 1 for share in done)
    assert done[-1] == 1.0


def test_requests_say_what_is_needed() -> None:
    machine = Machine(RGBA)
    analysis = analysed(machine)
    sums = next(request for request in machine.asked if isinstance(request, SumCells))
    assert sums == SumCells((CellGrid(8, 0, 44, 44, 16, 16, "luma"), CellGrid(8, 0, 44, 44, 8, 8, "luma")))
    runs = {request.role: request for request in machine.asked if isinstance(request, RunGraph)}
    feeds = {role: request.feeds for role, request in runs.items()}
    assert [(feed.name, feed.shape) for feed in feeds["classifier"]] == [("image", (1, 1, 16, 16))]
    assert (runs["gate"].outputs, runs["classifier"].outputs) == (("reconstruction_out",), ("logits_out",))
    hashes = {role: sha256(feed.values.tobytes()).hexdigest() for role, (feed,) in feeds.items()}
    assert analysis.document["tensors"] == hashes
    assert analysis.squares == {"classifier": square(8, 0, 44), "gate": square(8, 0, 44)}


def test_accepted_image_has_findings() -> None:
    document = analysed(Machine(RGBA)).document
    assert document["gate"]["accepted"] is True
    assert [finding["logit"] for finding in document["findings"]] == list(LOGITS)
    assert document["image"]["sha256"] == sha256(DATA).hexdigest()
    assert document["timings"].keys() == {"check", "pixels", "gate", "classifier", "total"}
    assert all(time >= 0 for time in document["timings"].values())
    assert document["timings"]["total"] >= document["timings"]["pixels"]


def test_refused_image_has_no_findings_and_the_classifier_never_runs() -> None:
    machine = Machine(RGBA, gate_error=ROUGH)
    analysis = analysed(machine)
    assert analysis.document["gate"]["accepted"] is False
    assert analysis.document["findings"] == []
    assert "run classifier" not in machine.steps()
    assert machine.steps()[-1] == "progress done"
    assert analysis.decision is not None
    assert len(analysis.decision.errors) == 64


@pytest.mark.parametrize(
    ("gate_error", "force", "forced", "findings"),
    [(ROUGH, True, True, 3), (ROUGH, False, None, 0), (0.0, True, None, 3), (0.0, False, None, 3)],
)
def test_forced_is_true_where_refused_and_forced(
    gate_error: float, force: bool, forced: bool | None, findings: int
) -> None:
    document = analysed(Machine(RGBA, gate_error), force=force).document
    assert document.get("forced") is forced
    assert len(document["findings"]) == findings


def test_without_a_gate() -> None:
    machine = Machine(RGBA)
    analysis = analysed(machine, gate=False, force=True)
    assert analysis.document["gate"] is None
    assert analysis.document["tensors"].keys() == {"classifier"}
    assert "forced" not in analysis.document
    assert len(analysis.document["findings"]) == 3
    assert "run gate" not in machine.steps()
    assert analysis.decision is None


def test_score_equals_scikit_image() -> None:
    machine = Machine(RGBA, gate_error=0.1)
    analysis = analysed(machine, threshold=-1.0)
    values = next(request.feeds[0].values for request in machine.asked if isinstance(request, RunGraph))
    rebuilt = machine.answer(next(request for request in machine.asked if isinstance(request, RunGraph)))
    first, second = (np.array(part, dtype=np.float64).reshape(8, 8) for part in (values, rebuilt["reconstruction_out"]))
    score = structural_similarity(first, second, data_range=1.0)
    assert analysis.document["gate"]["score"] == pytest.approx(score, abs=1e-12)


def progress_count() -> int:
    machine = Machine(RGBA)
    analysed(machine)
    return sum(isinstance(request, Progress) for request in machine.asked)


@pytest.mark.parametrize("number", range(6))
def test_cancelled_at_every_progress(number: int) -> None:
    assert progress_count() == 6
    seen: list[Request] = []

    def cancel(request: Request) -> BaseException | None:
        seen.extend([request] if isinstance(request, Progress) else [])
        return Cancelled("Stopped.") if len(seen) > number and isinstance(request, Progress) else None

    machine = Machine(RGBA)
    analysis = machine.run(job(DATA, model()), cancel)
    assert analysis.document["error"] == {"code": "cancelled", "message": "Stopped."}
    assert "findings" not in analysis.document
    assert "gate" not in analysis.document
    assert isinstance(machine.asked[-1], Progress)  # nothing was asked afterwards
    assert "total" in analysis.document["timings"]


@pytest.mark.parametrize("kind", [OpenImage, ReadPixels, SumCells, RunGraph])
@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (DamagedImage("It is cut short."), "damaged-image", "It is cut short."),
        (EngineFailed("It is out of order."), "engine-failed", "It is out of order."),
        (MemoryError(), "engine-failed", "not enough memory"),
        (KeyError("surprise"), "internal-error", "Unexpected KeyError: 'surprise'"),
        (AssertionError(), "internal-error", "Unexpected AssertionError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_failures_of_the_driver_become_documents(
    kind: type[Request], failure: Exception, code: str, message: str
) -> None:
    machine = Machine(RGBA)
    document = machine.run(job(DATA, model()), lambda request: failure if isinstance(request, kind) else None).document
    assert document["error"]["code"] == code
    assert message in document["error"]["message"]
    assert document["image"]["width"] == 60
    assert isinstance(machine.asked[-1], kind)


def test_a_closed_analysis_is_no_failure() -> None:
    # What ends the interpreter or the generator must pass through.
    with pytest.raises(KeyboardInterrupt):
        Machine(RGBA).run(job(DATA, model()), lambda request: KeyboardInterrupt())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_logits_that_are_not_finite(bad: float) -> None:
    document = analysed(Machine(RGBA, logits=(0.0, bad, 1.0))).document
    assert document["error"]["code"] == "engine-failed"
    assert "'classifier' gave numbers that are not finite" in document["error"]["message"]


def test_a_reconstruction_that_is_not_finite() -> None:
    document = analysed(Machine(RGBA, gate_error=float("nan"))).document
    assert document["error"]["code"] == "engine-failed"
    assert "'gate' gave numbers that are not finite" in document["error"]["message"]


def test_a_wrong_number_of_logits() -> None:
    assert analysed(Machine(RGBA, logits=(0.0, 1.0))).document["error"]["code"] == "internal-error"


def test_a_decoder_that_finds_another_size() -> None:
    document = analysed(Machine(RGBA[:-1])).document
    assert document["error"] == {
        "code": "damaged-image",
        "message": "The file announces 60 x 44 pixels but holds 60 x 43. Copy it again from its source.",
    }


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "damaged-image"),
        (b"GIF89a" + bytes(100), "unsupported-type"),
        (DATA[:-30], "damaged-image"),
        (saved(picture(60, 15), "PNG"), "too-small"),
    ],
)
def test_bad_files_are_refused_before_any_decoder(data: bytes, code: str) -> None:
    machine = Machine(RGBA)
    document = analysed(machine, data).document
    assert document["error"]["code"] == code
    assert document["image"]["sha256"] == sha256(data).hexdigest()
    assert {type(request) for request in machine.asked} == {Progress}


def test_too_many_pixels() -> None:
    machine = Machine(RGBA)
    document = machine.run(job(DATA, model(), max_pixels=60 * 44 - 1)).document
    assert document["error"]["code"] == "too-large"
    assert "2,640 pixels; the limit is 2,639" in document["error"]["message"]
    assert "findings" in Machine(RGBA).run(job(DATA, model(), max_pixels=60 * 44)).document


def test_a_small_image_is_enlarged_with_a_note() -> None:
    small = picture(40, 20)
    document = analysed(Machine(np.asarray(small.convert("RGBA"))), saved(small, "PNG"), cells=32).document
    assert document["notes"] == ["The image is smaller (20 pixels) than what the model looks at (32): it was enlarged."]
    assert analysed(Machine(RGBA), cells=32).document["notes"] == []
    # As many pixels as cells is no enlargement.
    assert analysed(Machine(RGBA), cells=44).document["notes"] == []


def test_notes_of_the_file_are_in_the_document() -> None:
    frames = [picture(40, 40, seed=seed) for seed in range(2)]
    data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    document = analysed(Machine(np.asarray(frames[0].convert("RGBA"))), data).document
    assert "error" not in document
    assert len(document["notes"]) == 1
    assert "first" in document["notes"][0]
    assert document["image"]["notes"] == document["notes"]


def test_python_decodes_16_bits_of_colour_without_asking_the_machine() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (30, 20, 3))
    machine = Machine(RGBA)
    document = analysed(machine, encode_png(samples, 2, 16), force=True).document  # noise has too much of colour
    assert document["image"]["bits"] == 16
    assert not any(isinstance(request, OpenImage | SumCells) for request in machine.asked)
    assert len(document["findings"]) == 3


def test_grey_of_16_bits_is_what_the_two_bytes_that_the_machine_decodes_say() -> None:
    samples = np.random.default_rng(0).integers(0, 65536, (30, 20, 1))
    machine = Machine(np.concatenate([samples >> 8, samples & 255, samples & 0, samples | 255], 2).astype(np.uint8))
    document = analysed(machine, encode_png(samples, 0, 16)).document
    grids = next(request for request in machine.asked if isinstance(request, SumCells)).grids
    assert {grid.samples for grid in grids} == {"pair"}
    colour = np.repeat(samples, 3, 2)  # which the runtime decodes itself
    assert document["tensors"] == analysed(Machine(RGBA), encode_png(colour, 2, 16)).document["tensors"]
