"""What every image goes through, whatever is asked of it: it is checked, scaled, and judged by the gate.

bytes -> checked and stripped -> pixels -> tensors -> checks of the picture -> gate -> (refused, or) admitted

Every stage is timed, and announced with a `Progress` request, where a driver can throw `Cancelled` in. Failures become
documents.
"""

from __future__ import annotations  # array[float] is a name for type checkers until Python 3.12

from array import array
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document import D, Draft
from sitegen_runtime.errors import AnalysisError, BadCorrection, EngineFailed
from sitegen_runtime.formats import MAX_PIXELS, InspectedImage, inspect_image
from sitegen_runtime.formats.told import Tell
from sitegen_runtime.gate.checks import blank_check, colour_check, narrow_check, small_check
from sitegen_runtime.gate.decision import Check
from sitegen_runtime.pixels.collect import collect
from sitegen_runtime.pixels.colour_sample import ColourSample
from sitegen_runtime.pixels.corrections import CORRECTIONS, inverted
from sitegen_runtime.pixels.geometry import Place, turned, upright_size
from sitegen_runtime.pixels.seen import seen_document
from sitegen_runtime.pixels.views import View, padded, unpadded
from sitegen_runtime.requests import Progress, Request
from sitegen_runtime.running import image_input, timed
from sitegen_runtime.stage_one import judge

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """One image, and the model that is to see it.

    `engine` goes into the document as it is: {"runtime", "provider", "threads"}. With `force`, an image that the gate
    refuses goes on all the same, and is marked. A `correction` (see `corrections.CORRECTIONS`) turns the upright image
    clockwise, or inverts it, before anything looks at it.
    """

    data: bytes
    name: str
    model: Model
    engine: Mapping[str, Any]
    force: bool = False
    max_pixels: int = MAX_PIXELS
    correction: str | None = None
    tell: Tell | None = None
    """Told which share of the stage "check" is done: that stage asks for nothing, and so has no `Progress` within."""


@dataclass(frozen=True)
class Admission:
    """An image as a network takes it. Whether that may run, the draft's `refused` says.

    `values` are the network's input; `squares` are where their inputs lie in the upright image, by role (see `views`);
    `orientation` turns the stored image upright, and on as it was asked for. `gate` are the values of the gate's input,
    where there is a gate.
    """

    values: array[float]
    squares: Mapping[str, Place]
    orientation: int
    gate: array[float] | None = None


def guarded(draft: Draft[D], work: Generator[Request, Any, T], failed: Callable[[D], T]) -> Generator[Request, Any, T]:
    """Do the work and return what it returns; where it fails, return what `failed` makes of the document that says why.

    Nothing but what ends the interpreter or the generator is raised.
    """
    with timed(draft, "total"):
        try:
            return (yield from work)
        except AnalysisError as error:
            failure = error
        except MemoryError:
            failure = EngineFailed(
                "There is not enough memory for this image. Close other programs, or use a smaller image."
            )
        except Exception as error:  # a fault of ours must not take the other images down
            failure = AnalysisError(
                f"Unexpected {type(error).__name__}: {error}. Please report this, without the image."
            )
    return failed(draft.failure(failure))


def admit(job: Job, draft: Draft[Any], role: str) -> Generator[Request, Any, Admission]:
    """Check the image, scale it for the network of a role, and ask the gate; enter all that into the document."""
    yield Progress("check", 0.0)
    with timed(draft, "check"):
        draft.hash_file(job.data)
        draft.correction = _known_correction(job.correction)
        image = draft.image = inspect_image(job.data, max_pixels=job.max_pixels, tell=job.tell)
        draft.notes.extend(image.notes)
    yield Progress("pixels", 0.0)
    with timed(draft, "pixels"):
        seen = _as_asked(image, job.correction)
        roles = (role, "gate") if job.model.gate else (role,)
        colour = ColourSample() if _is_grey(job.model, roles) else None
        tensors, views = yield from collect(seen, {each: image_input(job.model, each) for each in roles}, colour)
        if job.correction and CORRECTIONS[job.correction].inverts:
            tensors = {each: _inverted(values, views[each], job.model, each) for each, values in tensors.items()}
        draft.enter_tensors(tensors)
        upright = upright_size(image.width, image.height, image.orientation)
        draft.seen = seen_document({each: one.seen for each, one in views.items()}, role, *upright, job.correction)
    draft.notes.extend(_note_on_correction(job.correction))
    draft.notes.extend(_notes_on_size(views[role]))
    if job.model.gate:
        with timed(draft, "gate"):
            checks = _checks(job.model, image, tensors["gate"], views["gate"], colour)
            draft.decision = yield from judge(job.model, tensors["gate"], checks)
        draft.forced = job.force and not draft.decision.accepted
    squares = {each: one.place for each, one in views.items()}
    return Admission(tensors[role], squares, seen.orientation, tensors.get("gate"))


def scaled(job: Job, role: str) -> Generator[Request, Any, tuple[array[float], Place]]:
    """Return the image as the network of a role takes it, and where that lies in the upright image; judge nothing."""
    yield Progress("pixels", 0.0)
    correction = _known_correction(job.correction)
    seen = _as_asked(inspect_image(job.data, max_pixels=job.max_pixels), correction)
    tensors, views = yield from collect(seen, {role: image_input(job.model, role)})
    values = tensors[role]
    if correction and CORRECTIONS[correction].inverts:
        values = _inverted(values, views[role], job.model, role)
    return values, views[role].place


def _known_correction(correction: str | None) -> str | None:
    if correction is not None and correction not in tuple(CORRECTIONS):  # whatever it is, hashable or not
        known = ", ".join(map(repr, CORRECTIONS))
        raise BadCorrection(f"An image cannot be put right by {correction!r}. What can be done to it is {known}.")
    return correction


def _as_asked(image: InspectedImage, correction: str | None) -> InspectedImage:
    """Return the image, turned as was asked for: that is another way to bring its stored pixels upright."""
    if correction is None:
        return image
    return replace(image, orientation=turned(image.orientation, CORRECTIONS[correction].orientation))


def _is_grey(model: Model, roles: tuple[str, ...]) -> bool:
    return all(image_input(model, role).colour == "grey" for role in roles)


def _checks(
    model: Model, image: InspectedImage, values: array[float], seen: View, colour: ColourSample | None
) -> Iterator[Check]:
    entry = image_input(model, "gate")
    if colour is not None:
        yield from colour_check(colour.mean)
    yield from blank_check(values, entry)
    yield from small_check(int(seen.seen.shorter), entry.side)
    yield from narrow_check(image.width, image.height, entry.fit)
    if image.acquisition is not None:
        # Here, so that whoever opens no DICOM imports nothing of it.
        from sitegen_runtime.gate.header_checks import header_checks

        yield from header_checks(image.acquisition, model.expects)


def _note_on_correction(correction: str | None) -> Iterator[str]:
    if correction is not None:
        noted = CORRECTIONS[correction].noted
        yield f"The image was {noted} before it was analysed, because that was asked for."


def _notes_on_size(seen: View) -> Iterator[str]:
    pixels, cells = min((int(seen.seen.width), seen.columns), (int(seen.seen.height), seen.rows), key=_enlarged)
    if pixels < cells:
        yield f"The image is smaller ({pixels} pixels) than what the model looks at ({cells}): it was enlarged."


def _enlarged(length: tuple[int, int]) -> float:
    return length[0] / length[1]


def _inverted(values: array[float], seen: View, model: Model, role: str) -> array[float]:
    """A network's input of the inverted image: what lies beside the image is filled as ever."""
    entry = image_input(model, role)
    made = inverted(values, entry)
    return padded(unpadded(made, seen), seen, entry) if seen.is_padded else made
