"""The page's side of the runtime, driven as the worker drives it: the same documents as `sitegen predict`."""

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from sitegen.bundle import Bundle
from sitegen.prediction import Predictor
from sitegen_runtime.browser import Session
from sitegen_runtime.maps import masked_runs
from sitegen_runtime.requests import CellGrid
from sitegen_runtime.wording.failures import CANCELLED, UNDECODABLE
from tests.helpers.runtime.cell_sums import defined_sums
from tests.helpers.runtime.images import picture, saved

ENGINE = {"runtime": "pyodide", "provider": "wasm", "threads": 1}
SMOOTH = picture(120, 90, seed=3, colour=0.05)
COLOURED = picture(120, 90, seed=3)  # which the gate takes for a colour photograph
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50), dtype=np.uint8))


class Worker:
    """What the worker does with the session's messages, in Python; a canvas is Pillow here."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.kinds: list[str] = []
        self.progress: list[dict[str, Any]] = []

    def session(self, data: bytes, name: str = "image", force: bool = False, **options: Any) -> Session:
        options_json = json.dumps({"kind": "analyse", "engine": ENGINE, "force": force} | options)
        # JavaScript hands over typed arrays, which arrive as buffers.
        return Session(memoryview(data), name, memoryview(self.bundle.description_bytes), options_json)

    def run(self, session: Session) -> tuple[dict[str, Any], bytes | None]:
        message = session.begin()
        while message[0] != "end":
            message = session.answer(self.reply(*message))
        assert message[2] is None or isinstance(message[2], bytes)
        return json.loads(message[1]), message[2]

    def reply(self, kind: str, text: str, payload: bytes | None) -> Any:
        self.kinds.append(kind)
        fields = json.loads(text)
        if kind == "open":
            assert payload is not None
            self.canvas = Image.open(io.BytesIO(payload)).convert("RGB").convert("RGBA")
            assert Image.MIME[str(Image.open(io.BytesIO(payload)).format)] == fields["type"]
            return json.dumps(self.canvas.size)
        if kind == "pixels":
            rows, columns = (
                [place["start"] + i * place["step"] for i in range(place["count"])] for place in fields.values()
            )
            return memoryview(np.asarray(self.canvas)[np.ix_(rows, columns)].tobytes())
        if kind == "sums":
            sums = (defined_sums(np.asarray(self.canvas), CellGrid(**grid)) for grid in fields["grids"])
            return memoryview(np.concatenate([*sums]).astype("<f8").tobytes())
        if kind == "file":
            return memoryview(self.bundle.path(fields["name"]).read_bytes())
        if kind == "run":
            return self.run_graph(fields, payload or b"")
        if kind == "progress":
            self.progress.append(fields)
        return None

    def run_graph(self, fields: dict[str, Any], values: bytes) -> list[memoryview]:
        graph = self.bundle.graph_path(fields["role"])
        sizes = [int(np.prod(entry["shape"])) for entry in fields["inputs"]]
        parts = np.split(np.frombuffer(values, "<f4"), np.cumsum(sizes)[:-1])
        feed = {
            entry["name"]: part.reshape(entry["shape"]) for entry, part in zip(fields["inputs"], parts, strict=True)
        }
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        results = onnxruntime.InferenceSession(str(graph), options).run(fields["outputs"], feed)
        return [memoryview(result.tobytes()) for result in results]


def test_an_unfinished_map_is_drawn_where_somebody_looks_at_it(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masked_runs, "RUNS", 40)
    options: dict[str, Any] = {"finding": "Effusion", "method": "cem"}
    data, worker, sketches = saved(SMOOTH, "PNG"), Worker(bundle), []
    session = worker.session(data, kind="explain", look={"opacity": 50}, **options)
    message = session.begin()
    while message[0] != "end":
        if message[0] == "sketch":
            sketches.append((json.loads(message[1]), message[2]))
        message = session.answer(worker.reply(*message))
    fields, (unfinished, drawn) = json.loads(message[1]), sketches[0]
    assert len(sketches) == 1
    assert unfinished.keys() == fields.keys()
    assert len(drawn) == len(message[2])
    assert unfinished["wording"]["made"].startswith("Not finished: from the first 32 of 40 masked copies")
    assert fields["wording"]["made"].startswith("From 40 masked copies")
    assert [unfinished["document"]["explanations"][0][key] for key in ("runs", "runs_asked")] == [32, 40]
    asked = Worker(bundle)
    asked.run(asked.session(data, explain=[options]))
    assert "sketch" not in asked.kinds  # nobody looks before the end


def same_apart_from_the_machine(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("engine", "timings")}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        saved(SMOOTH, "PNG"),
        saved(SMOOTH, "JPEG", quality=90),
        saved(COLOURED, "PNG"),
        saved(SMOOTH, "WEBP"),
        saved(SMOOTH.convert("RGBA"), "PNG"),
        saved(SMOOTH.quantize(16), "PNG"),
        saved(NOISE, "PNG"),
        saved(SMOOTH, "PNG")[:-50],
        b"no image",
    ],
    ids=["png", "jpeg", "colour", "webp", "alpha", "palette", "refused", "cut short", "no image"],
)
def test_documents_equal_those_of_predict(bundle: Bundle, data: bytes, force: bool) -> None:
    worker = Worker(bundle)
    end, _ = worker.run(worker.session(data, "a name", force))
    expected = Predictor(bundle).analyse(data, "a name", force=force).document
    assert same_apart_from_the_machine(end["document"]) == same_apart_from_the_machine(expected)
    assert end["document"]["engine"] == ENGINE
    assert end["document"]["timings"].keys() == expected["timings"].keys()


def test_messages_come_in_the_types_of_javascript(bundle: Bundle) -> None:
    worker = Worker(bundle)
    end, overlay = worker.run(worker.session(saved(SMOOTH, "PNG")))
    assert [kind for kind in worker.kinds if kind != "progress"] == ["open", "pixels", "sums", "run", "run"]
    assert [entry["stage"] for entry in worker.progress] == ["check", "pixels", "pixels", "gate", "classifier", "done"]
    assert end["orientation"] == 1
    assert end["squares"] == {"classifier": [15, 0, 90, 90], "gate": [15, 0, 90, 90]}
    assert end["overlay"] == 16
    assert overlay is not None
    assert len(overlay) == 2 * 16 * 16 * 4
    assert end["wording"]["outcome"] == "findings"
    assert end["inverted"] is False


def test_the_reconstruction_follows_the_overlay(bundle: Bundle) -> None:
    worker = Worker(bundle)
    _, pictures = worker.run(worker.session(saved(SMOOTH, "PNG")))
    assert pictures is not None
    red, green, blue, opacity = (np.frombuffer(pictures[16 * 16 * 4 :], np.uint8)[place::4] for place in range(4))
    decision = Predictor(bundle).analyse(saved(SMOOTH, "PNG"), "image").decision
    assert decision is not None
    assert set(opacity) == {255}
    assert np.array_equal(red, green)
    assert np.array_equal(green, blue)
    assert np.abs(red / 255 - np.array(decision.reconstruction)).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("correction", ["turn-90", "turn-180", "turn-270", "invert"])
def test_corrections_reach_the_document_and_the_page(bundle: Bundle, correction: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(SMOOTH, "JPEG", quality=90, exif=exif.tobytes())
    worker = Worker(bundle)
    end, _ = worker.run(worker.session(data, "a name", True, correction=correction))
    expected = Predictor(bundle).analyse(data, "a name", force=True, correction=correction).document
    assert same_apart_from_the_machine(end["document"]) == same_apart_from_the_machine(expected)
    assert end["document"]["correction"] == correction
    # Clockwise by 90 degrees as the file says, and then as was asked for.
    assert end["orientation"] == {"turn-90": 3, "turn-180": 8, "turn-270": 1, "invert": 6}[correction]
    assert end["inverted"] == (correction == "invert")


def test_an_unknown_correction_from_the_page(bundle: Bundle) -> None:
    worker = Worker(bundle)
    end, pictures = worker.run(worker.session(saved(SMOOTH, "PNG"), correction="mirror"))
    assert end["document"]["error"]["code"] == "bad-correction"
    assert pictures is None


def test_orientation_and_refusal_reach_the_page(bundle: Bundle) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    worker = Worker(bundle)
    end, overlay = worker.run(worker.session(saved(NOISE, "JPEG", quality=95, exif=exif.tobytes())))
    assert end["orientation"] == 6
    assert end["wording"]["outcome"] == "refused"
    assert end["document"]["findings"] == []
    assert overlay is not None


def test_a_failed_image_has_no_overlay(bundle: Bundle) -> None:
    end, overlay = Worker(bundle).run(Worker(bundle).session(b"no image"))
    assert end["wording"]["outcome"] == "failed"
    assert (end["overlay"], end["squares"], overlay) == (None, {}, None)


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        ("cancelled", "cancelled", CANCELLED),
        ("damaged-image", "damaged-image", UNDECODABLE),
        ("engine-failed", "engine-failed", "Why."),
        ("something new", "engine-failed", "Why."),
    ],
)
def test_failures_of_the_page(bundle: Bundle, said: str, code: str, message: str) -> None:
    session = Worker(bundle).session(saved(SMOOTH, "PNG"))
    assert session.begin()[0] == "progress"
    assert session.answer(None)[0] == "progress"
    assert session.answer(None)[0] == "open"
    kind, text, _ = session.fail(said, "Why.")
    assert kind == "end"
    assert json.loads(text)["document"]["error"] == {"code": code, "message": message}


def test_the_first_message(bundle: Bundle) -> None:
    message = Worker(bundle).session(saved(SMOOTH, "PNG")).begin()
    assert message == ["progress", json.dumps({"stage": "check", "done": 0.0}), None]


def test_gradients_equal_those_of_the_predictor(gradient_bundle: Bundle) -> None:
    seed = {"Effusion": 0.5}
    worker = Worker(gradient_bundle)
    end, values = worker.run(worker.session(saved(SMOOTH, "PNG"), "a name", kind="gradient", seed=seed))
    expected = Predictor(gradient_bundle).gradient(saved(SMOOTH, "PNG"), seed, name="a name")
    assert set(end) == {"document"}
    assert same_apart_from_the_machine(end["document"]) == same_apart_from_the_machine(expected.document)
    assert end["document"]["timings"].keys() == expected.document["timings"].keys()
    # One tensor after the other, in the order of the document, so that the page can cut them apart by their shapes.
    assert values == b"".join(part.tobytes() for part in expected.values.values())
    assert len(values) == 4 * sum(int(np.prod(entry["shape"])) for entry in end["document"]["gradients"])
    assert [kind for kind in worker.kinds if kind != "progress"] == ["open", "pixels", "sums", "run", "load", "run"]
    stages = [entry["stage"] for entry in worker.progress]
    assert list(dict.fromkeys(stages)) == ["check", "pixels", "gate", "session", "gradient", "done"]


def test_a_refused_image_has_no_values(gradient_bundle: Bundle) -> None:
    worker = Worker(gradient_bundle)
    end, values = worker.run(worker.session(saved(NOISE, "PNG"), kind="gradient", seed={"Effusion": 1}))
    assert end["document"]["gradients"] == []
    assert values is None


@pytest.mark.parametrize("seed", [None, {}, [], {"Mass": 1}, {"Effusion": None}])
def test_bad_seeds_from_the_page(gradient_bundle: Bundle, seed: Any) -> None:
    worker = Worker(gradient_bundle)
    end, values = worker.run(worker.session(saved(SMOOTH, "PNG"), kind="gradient", seed=seed))
    assert end["document"]["error"]["code"] == "bad-seed"
    assert (values, worker.kinds) == (None, [])


INTERVENTIONS = [{"regions": [[40, 30, 20.5, 20]], "filling": filling} for filling in ("black", "reconstruction")]


def test_what_was_tried_equals_that_of_the_predictor(bundle: Bundle) -> None:
    worker = Worker(bundle)
    options: dict[str, Any] = {"kind": "what-if", "what_if": INTERVENTIONS, "keep": "what-if 1"}
    end, content = worker.run(worker.session(saved(SMOOTH, "PNG"), "a name", **options))
    expected = Predictor(bundle).what_if(saved(SMOOTH, "PNG"), INTERVENTIONS, name="a name").document
    assert same_apart_from_the_machine(end["document"]) == same_apart_from_the_machine(expected)
    assert [each["title"].split(",")[0] for each in end["tries"]] == ["Black", "The gate's reconstruction"]
    assert content is None
    # The next question decodes nothing again, and is of its own regions alone.
    worker.kinds.clear()
    again, _ = worker.run(worker.session(saved(SMOOTH, "PNG"), "a name", **options | {"what_if": INTERVENTIONS[:1]}))
    assert "open" not in worker.kinds
    assert again["document"]["what_if"] == end["document"]["what_if"][:1]


def test_an_analysis_may_try_interventions_too(gradient_bundle: Bundle) -> None:
    worker = Worker(gradient_bundle)
    wanted = [{"finding": "Effusion", "method": "grad-cam"}]
    end, _ = worker.run(worker.session(saved(SMOOTH, "PNG"), explain=wanted, what_if=INTERVENTIONS))
    alone = Predictor(gradient_bundle).what_if(saved(SMOOTH, "PNG"), INTERVENTIONS).document
    assert end["document"]["what_if"] == alone["what_if"]
    assert [entry["method"] for entry in end["document"]["explanations"]] == ["grad-cam"]
    times = end["document"]["timings"]
    assert times["total"] >= times["explanation"] + times["what-if"] - 0.2  # each is rounded
    plain, _ = worker.run(worker.session(saved(SMOOTH, "PNG")))
    assert "what_if" not in plain["document"]


def test_bad_interventions_from_the_page(bundle: Bundle) -> None:
    end, _ = Worker(bundle).run(Worker(bundle).session(saved(SMOOTH, "PNG"), kind="what-if", what_if="all"))
    assert end["document"]["error"]["code"] == "bad-intervention"
    assert (end["tries"], end["wording"]["headline"]) == ([], "This image could not be analysed")


def test_a_refused_image_has_no_effects(bundle: Bundle) -> None:
    end, _ = Worker(bundle).run(Worker(bundle).session(saved(NOISE, "PNG"), kind="what-if", what_if=INTERVENTIONS))
    assert (end["document"]["what_if"], end["tries"]) == ([], [])
