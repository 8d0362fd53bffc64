"""Checks of what a DICOM file's header says of its image, against what the bundle expects.

A header is often empty, and sometimes wrong: so what it does not say refuses nothing, and what it does say can be
overridden as every other refusal of the gate. Imported with the first DICOM file.
"""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from sitegen_runtime.bundle.expects import Expects
from sitegen_runtime.formats.cells import Acquisition
from sitegen_runtime.formats.dicom.terms import BODY_PARTS, MODALITIES, NO_BODY_PARTS, VIEWS, said, words_in
from sitegen_runtime.gate.decision import Check

# Nobody but viewers stretches pixels: training did not.
LARGEST_STRETCH = Fraction(1, 100)
_UNLIKE = "This DICOM file says that its image {found}, and this model expects {expected}."


def header_checks(found: Acquisition, expects: Expects) -> Iterator[Check]:
    """Yield a check for each thing that a header says and the bundle does not expect."""
    yield from _modality_check(found, expects.modalities)
    yield from _body_part_check(found.body_part, expects.body_parts)
    yield from _view_check(found.view, expects.views)
    if found.unprocessed and not expects.unprocessed:
        yield Check(
            "unprocessed",
            "This DICOM file says that its image waits for processing (FOR PROCESSING) and was not made to be looked "
            "at. Use the one that was made of it for presentation.",
        )
    if found.frames > 1:
        yield Check(
            "frames",
            f"This DICOM file has {found.frames:,} frames, and one image is expected: no more than the first would be "
            "seen. Save the one that matters by itself.",
        )
    yield from _pixel_shape_check(found.aspect)


def _modality_check(found: Acquisition, expected: tuple[str, ...]) -> Iterator[Check]:
    """Both what the header calls it and what kind of object it is must be expected, as far as they are known."""
    unlike = next((code for code in (found.modality, found.image_class) if code and code not in expected), None)
    if expected and unlike is not None:
        kind = said(unlike, MODALITIES) or "of another kind"
        yield Check("modality", _unlike(f"is {kind}", expected, MODALITIES))


def _body_part_check(found: str, expected: tuple[str, ...]) -> Iterator[Check]:
    known = found and found not in NO_BODY_PARTS
    if expected and known and not words_in(found) & set(expected):
        part = said(found, BODY_PARTS) or "another part of the body"
        yield Check("body-part", _unlike(f"shows {part}", expected, BODY_PARTS))


def _view_check(found: str, expected: tuple[str, ...]) -> Iterator[Check]:
    """Views that are not known refuse nothing: there is no end of what people write there."""
    view = said(found, VIEWS)
    if expected and view and not words_in(found) & set(expected):
        yield Check("view", _unlike(f"was taken {view}", expected, VIEWS, "images taken "))


def _pixel_shape_check(aspect: Fraction | None) -> Iterator[Check]:
    if aspect is not None and abs(aspect - 1) > LARGEST_STRETCH:
        yield Check(
            "pixel-shape",
            f"This DICOM file says that its pixels are {float(aspect):.3g} times as high as wide, and square ones are "
            "expected: the picture would be seen stretched. Save it with square pixels.",
        )


def _unlike(found: str, expected: Iterable[str], table: Mapping[str, str], before: str = "") -> str:
    words = list(dict.fromkeys(table.get(code, code) for code in expected))
    listed = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    return _UNLIKE.format(found=found, expected=before + listed)
