"""A model, ready for images: what is wrong with an image stands in its result, what is wrong with a call is raised."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sitegen import prediction
from sitegen.api.attacks import AttackResult, read_attack
from sitegen.api.images import ImageLike, as_file
from sitegen.api.maps import Explanation, GradientResult, read_explanation, read_gradient
from sitegen.api.places import BundleLike, PathName, as_bundle, as_path
from sitegen.api.results import Result, read_result
from sitegen.data.listing import images_in
from sitegen.errors import DataError, ExplanationError
from sitegen.parallel import shown
from sitegen.prediction.explained_picture import ExplainedPicture
from sitegen.prediction.reading import read_image_file
from sitegen_runtime.attacks.methods import Wish
from sitegen_runtime.attacks.table import STEPS, STRENGTH
from sitegen_runtime.document_types import Document, ResultDocument
from sitegen_runtime.errors import AnalysisError, BadAttack, BadIntervention, BadSeed, ImageError
from sitegen_runtime.explanation import ALL
from sitegen_runtime.maps.methods import GRAD_CAM, METHODS
from sitegen_runtime.pixels.corrections import CORRECTIONS


class Predictor:
    """Analyses images with one bundle, as the page does; its networks stay loaded between images.

    An image is a path (`str` or `Path`), the bytes of a file, a NumPy array (uint8 or uint16, [height, width] grey or
    [height, width, 3] RGB, 0 black and 255 or 65535 white) or a Pillow image. Every method raises TypeError for what
    is none, ValueError for arrays of other shapes, for Pillow images of other modes, and for names of findings, methods
    and corrections that there are not.
    """

    def __init__(self, bundle: BundleLike | None = None, *, threads: int = 1) -> None:
        """Take a bundle, its folder, or the bundle that ships where none is named.

        More `threads` are faster, and may change the last digits. Raises BundleError for a bundle that cannot be used.
        """
        self.bundle = as_bundle(bundle)
        self._documents = prediction.Predictor(self.bundle, threads)
        self._model = self._documents.model

    @property
    def labels(self) -> tuple[str, ...]:
        """What the model can find, in the order of its findings."""
        return tuple(label.name for label in self._model.labels)

    def __repr__(self) -> str:
        return f"<Predictor {self._model.name} {self._model.version}: {', '.join(self.labels)}>"

    def predict(
        self, image: ImageLike, *, name: str | None = None, force: bool = False, correction: str | None = None
    ) -> Result:
        """Return what the model says of an image; the result's `error` says what is wrong with the image, if anything.

        `name` is what the result calls the image: its path, or "image", by default. With `force`, an image that the
        gate refuses is analysed all the same, and marked. With a `correction` ("turn-90", "turn-180", "turn-270",
        clockwise, or "invert") it is turned or inverted before anything looks at it.
        """
        _check_correction(correction)
        try:
            file = as_file(image)
        except ImageError as error:
            return self._read(self._documents.failed(error, name))
        return self._read(self._documents.predict(file, name=name, force=force, correction=correction))

    def predict_many(
        self, images: PathName | Iterable[ImageLike], *, force: bool = False, correction: str | None = None
    ) -> list[Result]:
        """Return the results of all images in a folder and below, by name, or of those given, in their order.

        One that cannot be read or analysed is an error in its place. A terminal shows how far it is. Raises DataError
        where there is no such folder. Options as for `predict`.
        """
        given = _given(images)
        options: dict[str, Any] = {"force": force, "correction": correction}
        followed = shown(given, len(given) if isinstance(given, list) else None, "images")
        return [self._numbered(number, image, options) for number, image in enumerate(followed, 1)]

    def explain(
        self,
        image: ImageLike,
        finding: str = ALL,
        method: str = GRAD_CAM,
        *,
        name: str | None = None,
        force: bool = False,
        correction: str | None = None,
    ) -> Explanation:
        """Return where the model looked for a finding: a label, or "all" for the sum of all.

        The methods are "saliency", "cam", "grad-cam", "guided-grad-cam", "smoothgrad", "integrated-gradients", "cem"
        and "cem-paper". Other options as for `predict`. Raises ExplanationError where there is no map: the image cannot
        be read, the gate refuses it, or the bundle has not what the method needs.
        """
        _check_choice("finding", finding, (*self.labels, ALL))
        _check_choice("method", method, METHODS)
        _check_correction(correction)
        file = self._file(image)
        wanted = [{"finding": finding, "method": method}]
        explained = self._documents.explain(file, wanted, name=name, force=force, correction=correction)
        _check(explained.document, *explained.document.get("explanations", ()))
        data = file if isinstance(file, bytes) else read_image_file(file)
        grid = self._model.graphs["classifier"].images[0].grid
        return read_explanation(ExplainedPicture(data, explained, grid), self._model)

    def what_if(
        self,
        image: ImageLike,
        interventions: Sequence[Mapping[str, Any]] | Mapping[str, Any],
        *,
        name: str | None = None,
        force: bool = False,
        correction: str | None = None,
    ) -> Result:
        """Return what the model says of an image; `document["what_if"]` has what each intervention would change.

        They are {"regions": [[left, top, width, height], …], "filling": …} each, as docs/effects.md has them; one that
        cannot be tried says so in its place. Raises ValueError where they are none. Other options as for `predict`.
        """
        _check_correction(correction)
        try:
            file = as_file(image)
        except ImageError as error:
            return self._read(self._documents.failed(error, name))
        document = self._documents.what_if(file, interventions, name=name, force=force, correction=correction).document
        if document.get("error", {}).get("code") == BadIntervention.code:
            raise ValueError(document["error"]["message"])
        return self._read(document)

    def gradient(
        self,
        image: ImageLike,
        seed: str | Mapping[str, float],
        *,
        name: str | None = None,
        force: bool = False,
        correction: str | None = None,
    ) -> GradientResult:
        """Return how logits change with the image: that of one label, or of several, each times its weight in `seed`.

        Options as for `predict`. Raises ExplanationError where there is no gradient, as `explain` does.
        """
        _check_correction(correction)
        if not isinstance(seed, str | Mapping):
            raise TypeError(f"A seed is a label, or a mapping of labels to weights, not {type(seed).__name__}.")
        weights = {seed: 1.0} if isinstance(seed, str) else seed
        found = self._documents.gradient(self._file(image), weights, name=name, force=force, correction=correction)
        if found.document.get("error", {}).get("code") == BadSeed.code:
            raise ValueError(found.document["error"]["message"])
        _check(found.document)
        return read_gradient(found)

    def attack(
        self,
        image: ImageLike,
        method: str = "fgsm",
        strength: float = STRENGTH,
        *,
        steps: int = STEPS,
        finding: str | None = None,
        seed: int = 0,
        name: str | None = None,
        force: bool = False,
        correction: str | None = None,
    ) -> AttackResult:
        """Return the image as the classifier sees it, changed so that the classifier errs from what it said of it.

        The methods are "fgsm", "bim", "pgd" and "jsma" (docs/attacks.md). No value moves further than `strength`, a
        share of the input's range above 0 and up to 1, or out of the range. With a `finding` that one is to be missed,
        or to be seen; else all labels together (of "jsma" the one nearest to its operating point). `seed` is that of
        the random start of "pgd". Other options as for `predict`. Raises ValueError for methods, findings, strengths
        and steps (1 to 1000) that there are not, and ExplanationError where there is nothing to attack: the image
        cannot be read, the gate refuses it, or the bundle has no gradient.
        """
        _check_correction(correction)
        wish = Wish(method, strength, steps, finding, seed)
        file = self._file(image)
        seen = self._documents.explain(file, [], name=name, force=force, correction=correction)
        _check(seen.document)
        assert seen.seen is not None  # noqa: S101 - for the type checker: there was no error
        try:
            found = self._documents.attack(seen.seen.image.values, wish)
        except BadAttack as error:
            raise ValueError(str(error)) from None
        except AnalysisError as error:
            raise ExplanationError(str(error)) from error
        entry = self._model.graphs["classifier"].images[0]
        original = np.array(seen.seen.image.values, np.float32).reshape(entry.shape)
        return read_attack(found, original, wish, seen.document["image"]["name"], self._model)

    def _read(self, document: ResultDocument) -> Result:
        return read_result(document, self._model)

    def _numbered(self, number: int, image: ImageLike, options: Mapping[str, Any]) -> Result:
        name = None if isinstance(image, str | PathLike) else f"image {number}"
        try:
            return self.predict(image, name=name, **options)
        except (TypeError, ValueError) as error:
            error.add_note(f"This is image {number} of those given.")
            raise

    def _file(self, image: ImageLike) -> Path | bytes:
        try:
            return as_file(image)
        except ImageError as error:
            raise ExplanationError(str(error)) from error


def _given(images: PathName | Iterable[ImageLike]) -> Iterable[ImageLike]:
    if isinstance(images, str | PathLike):
        folder = as_path(images, "A folder")
        if not folder.is_dir():
            raise DataError(f"{folder} is no folder of images. Name one, or give a list of images.")
        return list(images_in(folder))
    if isinstance(images, bytes | np.ndarray | Image.Image) or not isinstance(images, Iterable):
        raise TypeError(f"Images are a folder, or a list or another iterable, not {type(images).__name__}.")
    return list(images) if isinstance(images, list | tuple) else images


def _check_choice(what: str, given: object, known: Iterable[str]) -> None:
    if not isinstance(given, str):
        raise TypeError(f"A {what} is a str, not {type(given).__name__}.")
    if given not in known:
        raise ValueError(f"There is no {what} {given!r}. There are {', '.join(map(repr, known))}.")


def _check_correction(given: object) -> None:
    if given is not None:
        _check_choice("correction", given, CORRECTIONS)


def _check(*documents: Document) -> None:
    """Raise what is wrong with the first of an image's documents: itself, then its explanations, that has no answer."""
    for document in documents:
        if "error" in document:
            raise ExplanationError(document["error"]["message"])
        gate = document.get("gate")
        if gate and not gate["accepted"] and not document.get("forced"):
            raise ExplanationError(
                f"The gate refused the image: {gate['reason']} With force=True it goes on all the same."
            )
