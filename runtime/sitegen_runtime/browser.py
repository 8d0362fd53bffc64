"""What the page's worker calls: an analysis or a gradient, one request at a time, in types that JavaScript can read.

A request becomes a list [kind, JSON text, bytes or None]; bytes go out as they are and come back as buffers. Where
there are several tensors, their values follow each other.
"""

import json
from array import array
from collections.abc import Callable, Generator
from typing import Any

from sitegen_runtime.admission import Job
from sitegen_runtime.analysis import Analysis, analyse
from sitegen_runtime.errors import AnalysisError, Cancelled, DamagedImage, EngineFailed
from sitegen_runtime.gate import Decision
from sitegen_runtime.gradient import Gradient, differentiate
from sitegen_runtime.heat_map import drawn, error_overlay
from sitegen_runtime.model import Model, read_model
from sitegen_runtime.requests import LoadGraph, OpenImage, Progress, ReadRows, Request, RunGraph
from sitegen_runtime.tensor import little_endian
from sitegen_runtime.wording import describe

Message = list[Any]
_FAILURES = {error.code: error for error in (Cancelled, DamagedImage, EngineFailed)}


class Session:
    """One job of the page: an analysis, or a gradient."""

    def __init__(self, data: Any, name: str, bundle_json: Any, options_json: str) -> None:
        """Start with the file's bytes and the options {"kind": "analyse", "engine": {...}, "force": bool}.

        The option "correction" may be one of those of `Job`, or null. The kind "gradient" needs the option "seed" too:
        {label: weight}.
        """
        options = json.loads(options_json)
        self._model = read_model(bytes(bundle_json))
        given = {name: options.get(name) for name in ("force", "correction")}
        job = Job(bytes(data), name, self._model, options["engine"], **given)
        self._generator: Generator[Request, Any, Analysis | Gradient] = (
            differentiate(job, options["seed"]) if options["kind"] == "gradient" else analyse(job)
        )
        self._read: Callable[[Any], Any] = _nothing

    def begin(self) -> Message:
        """Return the first request."""
        return self._step(lambda: next(self._generator))

    def answer(self, value: Any) -> Message:
        """Send the answer to the last request; return the next one, or the end."""
        return self._step(lambda: self._generator.send(self._read(value)))

    def fail(self, code: str, message: str) -> Message:
        """Say that the last request could not be met; return the next request, or the end."""
        error: AnalysisError = _FAILURES.get(code, EngineFailed)(message)
        return self._step(lambda: self._generator.throw(error))

    def _step(self, advance: Callable[[], Request]) -> Message:
        try:
            request = advance()
        except StopIteration as end:
            ended = end.value
            return _end_of_gradient(ended) if isinstance(ended, Gradient) else _end(ended, self._model)
        self._read = _reader(request)
        return _message(request)


def _message(request: Request) -> Message:
    match request:
        case Progress(stage, done):
            return ["progress", json.dumps({"stage": stage, "done": done}), None]
        case OpenImage(media_type, payload):
            return ["open", json.dumps({"type": media_type}), payload]
        case ReadRows(left, top, width, height):
            return ["rows", json.dumps({"left": left, "top": top, "width": width, "height": height}), None]
        case LoadGraph(role):
            return ["load", json.dumps({"role": role}), None]
        case RunGraph(role, feeds, outputs):
            inputs = [{"name": feed.name, "shape": feed.shape} for feed in feeds]
            fields = {"role": role, "inputs": inputs, "outputs": outputs}
            return ["run", json.dumps(fields), b"".join(feed.values.tobytes() for feed in feeds)]


def _reader(request: Request) -> Callable[[Any], Any]:
    match request:
        case OpenImage():
            return json.loads
        case ReadRows():
            return _bytes
        case RunGraph(outputs=outputs):
            return lambda buffers: {name: array("f", bytes(part)) for name, part in zip(outputs, buffers, strict=True)}
    return _nothing


def _bytes(buffer: Any) -> memoryview:
    return memoryview(buffer)


def _nothing(_: Any) -> None:
    return None


def _end(analysis: Analysis, model: Model) -> Message:
    decision = analysis.decision
    squares = {role: [square.left, square.top, square.side] for role, square in analysis.squares.items()}
    fields = {
        "document": analysis.document,
        "wording": describe(analysis.document, model.gate),
        "orientation": analysis.orientation,
        "inverted": analysis.inverted,
        "squares": squares,
        "overlay": decision.side if decision else None,
    }
    return ["end", json.dumps(fields), _pictures(decision) if decision else None]


def _pictures(decision: Decision) -> bytes:
    """The error overlay, and the reconstruction after it: RGBA, of `decision.side` squared pixels each."""
    return error_overlay(decision.errors) + drawn(decision.reconstruction, decision.channels)


def _end_of_gradient(gradient: Gradient) -> Message:
    """The values follow each other in the order of the document's `gradients`."""
    values = b"".join(little_endian(gradient.values[entry["role"]]) for entry in gradient.document.get("gradients", ()))
    return ["end", json.dumps({"document": gradient.document}), values or None]
