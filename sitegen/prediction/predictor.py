"""Answers the runtime's requests in CPython."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from sitegen.bundle import Bundle
from sitegen.errors import SitegenError
from sitegen.prediction.images import OpenedImage
from sitegen.prediction.networks import Networks
from sitegen_runtime.analysis import Analysis, Job, analyse
from sitegen_runtime.document import Document, Draft
from sitegen_runtime.errors import AnalysisError, EngineFailed, UnreadableFile
from sitegen_runtime.formats import MAX_PIXELS
from sitegen_runtime.requests import OpenImage, ReadRows, Request, RunGraph


class Predictor:
    """Analyses images with one bundle; sessions are kept between images."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self.model = bundle.model
        self._networks = Networks(bundle, threads)
        self._engine = {"runtime": "cpython", "provider": "cpu", "threads": threads}

    def predict(self, path: Path, *, force: bool = False, max_pixels: int = MAX_PIXELS) -> Document:
        """Return the result document of a file; it has an `error` where the file cannot be read or analysed."""
        try:
            data = path.read_bytes()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            failure = UnreadableFile(f"{path} cannot be read: {reason}. Check the path and its permissions.")
            return Draft(str(path), self.model, self._engine).failure(failure)
        return self.analyse(data, str(path), force=force, max_pixels=max_pixels).document

    def analyse(self, data: bytes, name: str, *, force: bool = False, max_pixels: int = MAX_PIXELS) -> Analysis:
        """Return the analysis of a file's bytes, under the name it will have in the document."""
        job = Job(data, name, self.model, self._engine, force=force, max_pixels=max_pixels)
        return self._drive(analyse(job))

    def _drive(self, requests: Generator[Request, Any, Analysis]) -> Analysis:
        opened: list[OpenedImage] = []
        try:
            request = next(requests)
            while True:
                try:
                    answer = self._answer(request, opened)
                except (AnalysisError, MemoryError) as error:
                    request = requests.throw(error)
                else:
                    request = requests.send(answer)
        except StopIteration as end:
            analysis: Analysis = end.value
            return analysis

    def _answer(self, request: Request, opened: list[OpenedImage]) -> Any:
        match request:
            case OpenImage(media_type, payload):
                opened[:] = [OpenedImage(media_type, payload)]
                return opened[0].size
            case ReadRows(left, top, width, height):
                return opened[0].rows(left, top, width, height)
            case RunGraph(role=role):
                try:
                    return self._networks.run(request)
                except (SitegenError, MemoryError):
                    raise
                except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
                    raise EngineFailed(f"The network {role!r} could not be run: {error}") from error
        return None
