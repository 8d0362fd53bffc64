"""Answers the runtime's requests in CPython."""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sitegen.bundle import Bundle
from sitegen.errors import BundleError, SitegenError
from sitegen.prediction.networks import Networks
from sitegen.prediction.pixels import PixelSource
from sitegen.prediction.reading import read_image_file
from sitegen.prediction.saliency_attack import JSMA, saliency_attack
from sitegen_runtime.admission import Job
from sitegen_runtime.analysis import Analysis, Seen, analyse
from sitegen_runtime.attacks.methods import Attacked, Wish, attack
from sitegen_runtime.document import ResultDraft
from sitegen_runtime.document_types import ResultDocument
from sitegen_runtime.errors import AnalysisError, EngineFailed
from sitegen_runtime.explanation import Explained, explain
from sitegen_runtime.formats import MAX_PIXELS
from sitegen_runtime.gate.decision import Decision
from sitegen_runtime.gradient import Gradient, GradientDraft, differentiate
from sitegen_runtime.interventions.expectation import Drawn, draw_effects
from sitegen_runtime.interventions.what_if import scene_of, try_out
from sitegen_runtime.requests import LoadGraph, ReadFile, Request, RunGraph
from sitegen_runtime.stage_one import judge

T = TypeVar("T")


class Predictor:
    """Analyses images with one bundle; sessions are kept between images."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self.model = bundle.model
        self._bundle = bundle
        self._networks = Networks(bundle, threads)
        self._engine = {"runtime": "cpython", "provider": "cpu", "threads": threads}

    def predict(
        self,
        image: Path | bytes,
        *,
        name: str | None = None,
        force: bool = False,
        correction: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> ResultDocument:
        """Return the result document of a file, or of a file's bytes.

        It has an `error` where the file cannot be read or analysed. `name` is what the document calls the image: the
        path, or "image", by default. With a `correction` (one of `corrections.CORRECTIONS`) the image is turned
        clockwise or inverted before anything looks at it.
        """
        name = _named(image, name)
        try:
            data = _read(image)
        except AnalysisError as failure:
            return self.failed(failure, name)
        return self.analyse(data, name, force=force, correction=correction, max_pixels=max_pixels).document

    def failed(self, error: AnalysisError, name: str | None = None) -> ResultDocument:
        """Return the result document of an image that could not even be read."""
        return ResultDraft(name or "image", self.model, self._engine).failure(error)

    def analyse(
        self,
        data: bytes,
        name: str,
        *,
        force: bool = False,
        correction: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> Analysis:
        """Return the analysis of a file's bytes, under the name it will have in the document."""
        job = Job(data, name, self.model, self._engine, force, max_pixels, correction)
        return self.drive(analyse(job))

    def explain(
        self,
        image: Path | bytes,
        wanted: Sequence[Mapping[str, str]],
        *,
        values: bool = False,
        name: str | None = None,
        force: bool = False,
        correction: str | None = None,
        max_pixels: int = MAX_PIXELS,
        seen: Seen | None = None,
    ) -> Explained:
        """Return the analysis of a file, or of a file's bytes, with maps of what is wanted: {"finding", "method"} each.

        The finding is a label, or "all"; the methods are `sitegen_runtime.maps.methods.METHODS`. Its document is
        the result document with `explanations`; with `values`, those hold the maps' values. `name` and `correction`
        are as for `predict`. `seen` of an earlier analysis of the same image, with the same force
        and correction, saves doing that again.
        """
        name = _named(image, name)
        try:
            data = _read(image)
        except AnalysisError as failure:
            return Explained(self.failed(failure, name))
        job = Job(data, name, self.model, self._engine, force, max_pixels, correction)
        return self.drive(explain(job, wanted, values=values, seen=seen))

    def attack(self, values: array[float], wish: Wish) -> Attacked:
        """Return what an attack (`saliency_attack.EVERY_ATTACK`) makes of float32 values as the classifier takes them.

        Raises BadAttack for what there is not, MissingNetwork where the bundle has no gradient, and EngineFailed.
        """
        return self.drive((saliency_attack if wish.method == JSMA else attack)(self.model, values, wish))

    def what_if(
        self,
        image: Path | bytes,
        interventions: Any,
        *,
        name: str | None = None,
        force: bool = False,
        correction: str | None = None,
        max_pixels: int = MAX_PIXELS,
        seen: Seen | None = None,
    ) -> Analysis:
        """Return the analysis of a file, or of a file's bytes, with what each of the interventions would change.

        They are a list of {"regions": [[left, top, width, height], …], "filling"}, in pixels of the upright image, each
        tried by itself; see docs/effects.md. Its document is the result document with `what_if`. Other options as for
        `explain`.
        """
        name = _named(image, name)
        try:
            data = _read(image)
        except AnalysisError as failure:
            return Analysis(self.failed(failure, name))
        job = Job(data, name, self.model, self._engine, force, max_pixels, correction)
        return self.drive(try_out(job, interventions, seen=seen))

    def draw_effects(self, seen: Seen, masks: Sequence[bytes], filling: str) -> list[Drawn]:
        """Return the effects of masks (see `maskings.draw_masks`) on an image that was analysed, one draw a mask.

        Raises BadIntervention where the filling cannot be had, and EngineFailed.
        """
        return self.drive(draw_effects(scene_of(self.model, seen), masks, filling))

    def judge(self, values: array[float]) -> Decision:
        """Return what stage one of the gate says of float32 values as its network takes them (NCHW, flat).

        There is no picture here, so nothing is checked but the values. Raises BundleError where the bundle has no
        gate, and EngineFailed where its network fails.
        """
        if self.model.gate is None:
            raise BundleError(f"The bundle {self.model.name} has no gate. Train one, or name another bundle.")
        return self.drive(judge(self.model, values))

    def gradient(
        self,
        image: Path | bytes,
        seed: Mapping[str, float],
        *,
        name: str | None = None,
        force: bool = False,
        correction: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> Gradient:
        """Return d<seed, logits>/d(image) of a file, or of a file's bytes, with the gradient document.

        `seed` maps labels to weights; the others weigh 0. `name` and `correction` are as for `predict`. The document
        has an `error`, and there are no values, where the image cannot be read, the seed is none or the bundle has no
        gradient graph.
        """
        name = _named(image, name)
        try:
            data = _read(image)
        except AnalysisError as failure:
            return Gradient(GradientDraft(name, self.model, self._engine).failure(failure))
        job = Job(data, name, self.model, self._engine, force, max_pixels, correction)
        return self.drive(differentiate(job, seed))

    def drive(self, requests: Generator[Request, Any, T]) -> T:
        """Answer what a way of the runtime asks for, and return what it returns."""
        pixels = PixelSource()
        try:
            request = next(requests)
            while True:
                try:
                    answer = self._answer(request, pixels)
                except (AnalysisError, MemoryError) as error:
                    request = requests.throw(error)
                else:
                    request = requests.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    def _answer(self, request: Request, pixels: PixelSource) -> Any:
        match request:
            case LoadGraph(role):
                self._networks.load(role)
            case ReadFile(name):
                return self._file(name)
            case RunGraph():
                return self._run(request)
        return pixels.answer(request)

    def _file(self, name: str) -> bytes:
        try:
            return self._bundle.path(name).read_bytes()
        except OSError as error:
            raise EngineFailed(f"The bundle's file {name} cannot be read: {error.strerror}.") from error

    def _run(self, request: RunGraph) -> Any:
        try:
            return self._networks.run(request)
        except (SitegenError, MemoryError):
            raise
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            raise EngineFailed(f"The network {request.role!r} could not be run: {error}") from error


def _named(image: Path | bytes, name: str | None) -> str:
    return name or (str(image) if isinstance(image, Path) else "image")


def _read(image: Path | bytes) -> bytes:
    return image if isinstance(image, bytes) else read_image_file(image)
