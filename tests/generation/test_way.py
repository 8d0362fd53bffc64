"""The way of an image to its projection: its document, what the page is shown, and what is refused."""

import io
import json
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.generation.projection.graph_engine import Projector
from sitegen.prediction import Predictor
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.admission import Job
from sitegen_runtime.document_types import ProjectionDocument
from sitegen_runtime.page_projections import end_of_projection, sketch_of
from sitegen_runtime.projection.schedule import Wish
from sitegen_runtime.projection.way import OnItsWay, Reconstructed, reconstruct
from sitegen_runtime.requests import Sketch
from sitegen_runtime.saved_documents import described_again
from tests.helpers.bundles import make_bundle
from tests.helpers.typed_documents import hold

STEPS = 12


def png(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def projected(bundle: Bundle, data: bytes, wanted: Any) -> Reconstructed:
    return Predictor(bundle).drive(reconstruct(Job(data, "a.png", bundle.model, {}), wanted))


@pytest.fixture(scope="module")
def found(generating: Bundle, drawn_images: Path) -> Reconstructed:
    return projected(generating, read_image_file(drawn_images / "seed000000.png"), {"steps": STEPS})


def test_the_document_says_how_near_it_came(generating: Bundle, drawn_images: Path, found: Reconstructed) -> None:
    entry = found.document["projection"]
    hold(ProjectionDocument, [entry])
    assert (entry["steps"], entry["steps_asked"], entry["seed"], entry["space"]) == (STEPS, STEPS, 303, "w")
    assert [step for step, _ in entry["distances"]] == list(range(STEPS + 1))
    image = np.asarray(Image.open(drawn_images / "seed000000.png")).astype(np.float32) / 127.5 - 1
    projector = Projector(generating.model, generating.graph_path("generator"))
    apart = projector.project(array("f", image.tobytes()), Wish(STEPS)).distances
    np.testing.assert_allclose([4 * distance for _, distance in entry["distances"]], apart, rtol=1e-4)
    assert found.document["timings"].keys() >= {"projection", "total"}
    assert found.document["tensors"].keys() == {"classifier", "gate", "generator"}


def test_the_page_is_given_words_and_pictures(generating: Bundle, found: Reconstructed) -> None:
    fields, pixels = end_of_projection(found, generating.model)
    assert pixels is not None and len(pixels) == 2 * 4 * 32 * 32
    said = fields["projection"]["wording"]
    assert said["summary"].startswith(f"Reconstructed in {STEPS} steps: the mean squared error is ")
    assert said["curve"][0][0] == 0 and said["curve"][-1][0] == 1
    assert fields["square"] == [0, 0, 32, 32]
    json.dumps(fields)


def test_what_the_gate_refuses_is_projected_too(generating: Bundle) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 48), np.uint8)  # and the centred square of another shape
    done = projected(generating, png(noise), {"steps": 2})
    assert done.document["gate"]["accepted"] is False and done.document["findings"] == []
    assert done.document["projection"]["steps"] == 2
    assert done.closer is not None and (done.closer.square.top, done.closer.square.height) == (8, 48)


def test_the_time_is_up_after_a_step(generating: Bundle, drawn_images: Path) -> None:
    data = read_image_file(drawn_images / "seed000000.png")
    done = projected(generating, data, {"steps": 1000, "seconds": 1e-6})
    assert done.document["projection"]["steps"] < 1000
    said = end_of_projection(done, generating.model)[0]["projection"]["wording"]["summary"]
    assert "of 1000 steps; more may come nearer" in said


def test_sketches_on_the_way(generating: Bundle, drawn_images: Path) -> None:
    predictor, shown = Predictor(generating), []
    way = reconstruct(
        Job(read_image_file(drawn_images / "seed000000.png"), "a.png", generating.model, {}), {"steps": 3}
    )

    def watched() -> Any:
        answer = None
        while True:
            try:
                request = way.send(answer)
            except StopIteration:
                return
            if isinstance(request, Sketch):
                assert isinstance(request.made, OnItsWay)
                fields, pixels = sketch_of(request.made)
                shown.append((json.loads(fields)["step"], len(pixels)))
            answer = yield request

    predictor.drive(watched())
    assert shown == [(step, 4 * 32 * 32) for step in (1, 2, 3)]


@pytest.mark.parametrize("wanted", [{"steps": 0}, {"space": "z"}, [], None, {"other": 1}])
def test_what_is_no_projection_is_refused(wanted: Any, generating: Bundle, drawn_images: Path) -> None:
    done = projected(generating, read_image_file(drawn_images / "seed000000.png"), wanted)
    assert done.document["error"]["code"] == "bad-projection"
    assert end_of_projection(done, generating.model)[1] is None


def test_a_bundle_without_generator(tmp_path: Path, drawn_images: Path) -> None:
    done = projected(make_bundle(tmp_path / "plain"), read_image_file(drawn_images / "seed000000.png"), {"steps": 1})
    error = done.document["error"]
    assert error["code"] == "missing-network"
    assert "no network of the role 'generator'" in error["message"] and "sitegen attach" in error["message"]


def test_a_saved_document_is_described_again(generating: Bundle, found: Reconstructed) -> None:
    text = json.dumps(found.document)
    again = described_again(text.encode(), generating.model)
    assert again is not None
    expected = end_of_projection(found, generating.model)[0]["projection"]["wording"]
    assert again[1]["projection"] == json.loads(json.dumps(expected))
    wrongs: list[dict[str, Any]] = [
        {"steps_asked": 0},
        {"space": "z"},
        {"distances": [[1]]},
        {"error": "1"},
        {"worst": {}},
    ]
    for wrong in wrongs:
        entry = {**found.document["projection"], **wrong}
        assert described_again(json.dumps({**found.document, "projection": entry}).encode(), generating.model) is None
