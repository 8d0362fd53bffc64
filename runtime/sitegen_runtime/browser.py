"""What the page's worker calls: an analysis, a gradient or a map, one request at a time, in types of JavaScript.

A request becomes a list [kind, JSON text, bytes or None]; bytes go out as they are and come back as buffers. Where
there are several tensors, their values follow each other.
"""

import contextlib
import json
from array import array
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, cast

from sitegen_runtime.admission import Job
from sitegen_runtime.analysis import Analysis, Seen, analyse
from sitegen_runtime.bundle.model import Model, read_model
from sitegen_runtime.errors import AnalysisError, Cancelled, DamagedImage, EngineFailed
from sitegen_runtime.explanation import Explained, explain
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.formats.told import Tell
from sitegen_runtime.gate.decision import Decision
from sitegen_runtime.golden import check_network
from sitegen_runtime.gradient import Gradient, differentiate
from sitegen_runtime.interventions.what_if import Tried, try_out
from sitegen_runtime.maps.heat_map import Look, drawn, error_overlay
from sitegen_runtime.page_maps import KeptImages, draw_again, end_of_map, noisy_picture, read_look
from sitegen_runtime.page_projections import end_of_projection, sketch_of
from sitegen_runtime.pixels.tensor import little_endian
from sitegen_runtime.projection.way import OnItsWay, reconstruct
from sitegen_runtime.requests import (
    DecodeFrame,
    LoadGraph,
    OpenImage,
    Progress,
    Question,
    ReadFile,
    ReadPixels,
    ReadRows,
    Request,
    RunGraph,
    ShadeCells,
    Sketch,
    SumCells,
)
from sitegen_runtime.running import image_input
from sitegen_runtime.saved_documents import described_again
from sitegen_runtime.wording.changes import describe_choices, describe_what_if
from sitegen_runtime.wording.explanations import describe_methods
from sitegen_runtime.wording.failures import MESSAGES
from sitegen_runtime.wording.projection import describe_offer
from sitegen_runtime.wording.results import describe

Message = list[Any]
End = tuple[dict[str, Any], bytes | None]
_FAILURES = {error.code: error for error in (Cancelled, DamagedImage, EngineFailed)}
_SKETCHED = ("explain", "project")
_kept = KeptImages()


class Session:
    """One job of the page: an analysis, a gradient, a map, or a map that is drawn in another look."""

    def __init__(self, data: Any, name: str, bundle_json: Any, options_json: str, tell: Tell | None = None) -> None:
        """Start with the file's bytes and the options {"kind": "analyse", "engine": {...}, "force": bool}.

        `tell` is called with the share of the stage "check" that is done (see `Job`).
        The option "correction" may be one of those of `Job`, or null. What other kinds need beside:

        - "analyse" may have "explain", a list of {"finding", "method"}, with "values" (bool); "what_if", interventions;
          and "keep": the name under which later maps find what was seen
        - "gradient": "seed", {label: weight}
        - "explain": "finding", "method", "look" (see `page_maps.read_look`) and, where there is one, "keep"
        - "what-if": "what_if", the interventions (see `interventions.regions`) and, where there is one, "keep". The
          answer has the pictures with noise, RGBA, one after the other, each of "size", rows and columns of pixels
        - "project": "project" (see `projection.schedule.read_wish`) and, where there is one, "keep"
        - "draw": "look" and "shape"; the data are a map's values
        - "words": nothing; the data are a result document that was made before
        - "picture": nothing; the worker has kept what `ShadeCells` asked for
        - "golden": "role", the network that is to be checked (see `golden`); there are no data
        """
        options = json.loads(options_json)
        self._model = read_model(bytes(bundle_json))
        self._options, self._data = options, bytes(data)
        given = {name: options.get(name) for name in ("force", "correction")}
        job = Job(self._data, name, self._model, options["engine"], tell=tell, **given)
        start: dict[str, Callable[[], Generator[Request, Any, Any]]] = {
            "analyse": lambda: self._analysis(job),
            "gradient": lambda: self._gradient(job),
            "explain": lambda: self._map(job),
            "what-if": lambda: self._what_if(job),
            "project": lambda: self._projection(job),
            "draw": self._drawing,
            "words": self._words,
            "picture": lambda: _picture(job),
            "golden": self._verdict,
        }
        self._generator = start[options["kind"]]()
        self._read: Callable[[Any], Any] = _nothing

    def begin(self) -> Message:
        """Return the first request."""
        return self._step(lambda: next(self._generator))

    def answer(self, value: Any) -> Message:
        """Send the answer to the last request; return the next one, or the end."""
        return self._step(lambda: self._generator.send(self._read(value)))

    def fail(self, code: str, message: str) -> Message:
        """Say that the last request could not be met; return the next request, or the end.

        The message counts where there are no words for the code.
        """
        error: AnalysisError = _FAILURES.get(code, EngineFailed)(MESSAGES.get(code, message))
        return self._step(lambda: self._generator.throw(error))

    def _step(self, advance: Callable[[], Request]) -> Message:
        try:
            request = advance()
            while isinstance(request, Sketch) and self._options["kind"] not in _SKETCHED:  # nobody looks before the end
                request = self._generator.send(None)
        except StopIteration as end:
            fields, content = end.value
            return ["end", json.dumps(fields), content]
        self._read = _reader(request)
        return self._sketch(request) if isinstance(request, Sketch) else _message(request)

    def _sketch(self, request: Sketch) -> Message:
        """What is not finished, as it would be shown if it were."""
        if self._options["kind"] == "project":
            return ["sketch", *sketch_of(cast(OnItsWay, request.made))]
        fields, content = end_of_map(cast(Explained, request.made), self._model, self._look())
        return ["sketch", json.dumps(fields), content]

    def _analysis(self, job: Job) -> Generator[Request, Any, End]:
        wanted = self._options.get("explain")
        way = explain(job, wanted, values=bool(self._options.get("values"))) if wanted else analyse(job)
        analysis: Analysis = yield from way
        if (tried := self._options.get("what_if")) is not None and analysis.seen:
            analysis = yield from _trying(job, tried, analysis, analysis.seen)
        _kept.put(self._options.get("keep"), analysis.seen)
        return _end_of_analysis(analysis, self._model)

    def _gradient(self, job: Job) -> Generator[Request, Any, End]:
        return _end_of_gradient((yield from differentiate(job, self._options["seed"])))

    def _map(self, job: Job) -> Generator[Request, Any, End]:
        keep = self._options.get("keep")
        wanted = [{name: self._options[name] for name in ("finding", "method")}]
        look = self._look()
        explained: Explained = yield from explain(job, wanted, seen=_kept.get(keep))
        _kept.put(keep, explained.seen)
        return end_of_map(explained, self._model, look)

    def _what_if(self, job: Job) -> Generator[Request, Any, End]:
        keep = self._options.get("keep")
        seen = _kept.get(keep)
        analysis: Tried = yield from try_out(job, self._options["what_if"], seen=seen)
        if seen is None and analysis.seen:
            _kept.put(keep, replace(analysis.seen, draft=replace(analysis.seen.draft, what_if=None)))
        document = analysis.document
        words = describe(document, self._model)
        said = {"headline": words["headline"], "details": words["details"]}
        pictures = b"".join(noisy_picture(values, self._model) for values in analysis.noisy)
        return {
            "document": document,
            "wording": said,
            "tries": describe_what_if(document, self._model),
            "size": image_input(self._model, "classifier").grid,
        }, pictures or None

    def _projection(self, job: Job) -> Generator[Request, Any, End]:
        seen = _kept.get(self._options.get("keep"))
        return end_of_projection((yield from reconstruct(job, self._options["project"], seen=seen)), self._model)

    def _look(self) -> Look:
        return read_look(self._options.get("look"))

    def _drawing(self) -> Generator[Request, Any, End]:
        yield from ()  # no network has to run
        return draw_again(self._data, self._options["shape"], self._model, read_look(self._options["look"]))

    def _words(self) -> Generator[Request, Any, End]:
        """Say anew what is to be said of a document; nothing where it is none of this model's."""
        yield from ()  # no network has to run
        document, wording = described_again(self._data, self._model) or (None, None)
        return {"document": document, "wording": wording and wording | {"explanations": None}}, None

    def _verdict(self) -> Generator[Request, Any, End]:
        verdict = yield from check_network(self._model, self._options["role"])
        return {"verdict": verdict.fields()}, None


def _trying(job: Job, wanted: Any, before: Analysis, seen: Seen) -> Generator[Request, Any, Analysis]:
    """Try interventions on what an analysis has seen; its times stay in the document."""
    analysis = yield from try_out(job, wanted, seen=seen)
    times, more = before.document["timings"], analysis.document["timings"]
    total = round(times["total"] + more["total"], 1)
    analysis.document["timings"] = {**times, **more, "total": total}
    return analysis


def _picture(job: Job) -> Generator[Request, Any, End]:
    """Ask once more for what makes a DICOM image's picture, where it has one."""
    from sitegen_runtime.pixels.grey_cells import luma_of  # here: who opens no DICOM imports nothing of it

    with contextlib.suppress(AnalysisError):  # the map is shown without it
        yield from luma_of(inspect_image(job.data, max_pixels=job.max_pixels))
    return {}, None


def _message(request: Question) -> Message:
    match request:
        case Progress(stage, done):
            return ["progress", json.dumps({"stage": stage, "done": done}), None]
        case OpenImage(media_type, payload):
            return ["open", json.dumps({"type": media_type}), payload]
        case ReadRows(left, top, width, height):
            return ["rows", json.dumps({"left": left, "top": top, "width": width, "height": height}), None]
        case ReadPixels(rows, columns):
            return ["pixels", json.dumps({"rows": _steps(rows), "columns": _steps(columns)}), None]
        case SumCells(grids):
            return ["sums", json.dumps({"grids": [vars(grid) for grid in grids]}), None]
        case DecodeFrame(codec, frame, columns, rows, precision):
            fields = {"codec": codec, "columns": columns, "rows": rows, "precision": precision}
            return ["decode", json.dumps(fields), frame]
        case ShadeCells(width, height, cell_bytes, cells, table):
            fields = {"width": width, "height": height, "cell_bytes": cell_bytes}
            return ["shade", json.dumps(fields), b"".join((table, cells))]
        case LoadGraph(role):
            return ["load", json.dumps({"role": role}), None]
        case ReadFile(file):
            return ["file", json.dumps({"name": file}), None]
        case RunGraph(role, feeds, outputs, reference):
            inputs = [{"name": feed.name, "shape": feed.shape} for feed in feeds]
            fields = {"role": role, "inputs": inputs, "outputs": outputs, "reference": reference}
            return ["run", json.dumps(fields), b"".join(feed.values.tobytes() for feed in feeds)]


def _reader(request: Request) -> Callable[[Any], Any]:
    match request:
        case OpenImage():
            return json.loads
        case ReadRows() | ReadPixels() | ReadFile() | DecodeFrame() | ShadeCells():
            return _bytes
        case SumCells():
            return _doubles
        case RunGraph(outputs=outputs):
            return lambda buffers: {name: array("f", bytes(part)) for name, part in zip(outputs, buffers, strict=True)}
    return _nothing


def _bytes(buffer: Any) -> memoryview:
    return memoryview(buffer)


def _doubles(buffer: Any) -> "memoryview[float]":
    return memoryview(buffer).cast("B").cast("d")


def _steps(places: range) -> dict[str, int]:
    return {"start": places.start, "step": places.step, "count": len(places)}


def _nothing(_: Any) -> None:
    return None


def _end_of_analysis(analysis: Analysis, model: Model) -> End:
    decision = analysis.decision
    squares = {role: [place.left, place.top, place.width, place.height] for role, place in analysis.squares.items()}
    wording = describe(analysis.document, model)
    found = bool(wording["findings"])
    offers = {
        "explanations": describe_methods(model) if found else None,
        "what_if_choices": describe_choices(model) if found else None,
        "projection_offer": describe_offer(model) if analysis.seen else None,
    }
    fields = {
        "document": analysis.document,
        "wording": wording | offers,
        "orientation": analysis.orientation,
        "inverted": analysis.inverted,
        "squares": squares,
        "overlay": decision.side if decision else None,
    }
    return fields, _pictures(decision) if decision else None


def _pictures(decision: Decision) -> bytes:
    """The error overlay, and the reconstruction after it: RGBA, of `decision.side` squared pixels each."""
    return error_overlay(decision.errors) + drawn(decision.reconstruction, decision.channels)


def _end_of_gradient(gradient: Gradient) -> End:
    """The values follow each other in the order of the document's `gradients`."""
    values = b"".join(little_endian(gradient.values[entry["role"]]) for entry in gradient.document.get("gradients", ()))
    return {"document": gradient.document}, values or None
