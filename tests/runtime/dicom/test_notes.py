"""What notes say of a DICOM file: what made it grey, loss, writing in the picture, directions and sides."""

import struct
from typing import Any

import pytest

from sitegen_runtime.formats import inspect_image
from tests.helpers.planted_names import Element, planted

RANGE = "The DICOM file has no window: its least value is black, its greatest white."
OWN = "What is black and what white is the DICOM file's own: "
LOSS = "The image was compressed with loss: fine detail may be missing, or made up."
WRITING = "The DICOM file says that writing is part of its picture: it may show who the patient is."


def window(centre: bytes, width: bytes, function: bytes = b"") -> list[Element]:
    return [(0x00281050, "DS", centre), (0x00281051, "DS", width), (0x00281056, "CS", function)]


def table(tag: int) -> Element:
    """A sequence with a table of two entries, of 8 bits."""
    descriptor, entries = struct.pack("<3H", 2, 0, 8), struct.pack("<2H", 0, 255)
    inside = b"".join(
        struct.pack("<HH2sH", 0x28, number, b"US", len(value)) + value
        for number, value in ((0x3002, descriptor), (0x3006, entries))
    )
    return tag, "SQ", struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside


CASES: dict[str, tuple[list[Element], list[str]]] = {
    "nothing said": ([], [RANGE]),
    "window": (window(b"2000", b"3000"), [f"{OWN}the window around 2000, 3000 wide."]),
    "two windows": (window(b"40.5\\2000", b"80\\3000"), [f"{OWN}the window around 40.5, 80 wide."]),
    "decimal comma": (window(b"2000,5", b"3000"), [f"{OWN}the window around 2000.5, 3000 wide."]),
    "exact": (
        window(b"20", b"30", b"LINEAR_EXACT"),
        [f"{OWN}the window around 20, 30 wide, to its very ends (LINEAR_EXACT)."],
    ),
    "sigmoid": (window(b"2e3", b"3", b"SIGMOID"), [f"{OWN}the window around 2000, 3 wide, along a curve (SIGMOID)."]),
    "unknown function": (window(b"20", b"30", b"SMITH"), [f"{OWN}the window around 20, 30 wide."]),
    "no width": (window(b"20", b"0"), [RANGE, "The DICOM file's window cannot be used, and was left out."]),
    "a name": (window(b"SMITH", b"30"), [RANGE, "The DICOM file's window cannot be used, and was left out."]),
    "table": ([table(0x00283010)], [f"{OWN}a table of its values."]),
    "modality": (
        [table(0x00283000)],
        ["The DICOM file's values were looked up in its own table (Modality LUT) first.", RANGE],
    ),
    "padding": ([(0x00280120, "US", b"\0\0")], [RANGE.replace("white.", "white, padding left out.")]),
    "inverted": (
        [(0x00280004, "CS", b"MONOCHROME1")],
        [RANGE, "Its least value is meant to be white (MONOCHROME1): it was turned round."],
    ),
    "frames": (
        [(0x00280008, "IS", b"2"), (0x00280010, "US", b"\x20\0")],
        ["The DICOM file has 2 frames; only the first one was looked at.", RANGE],
    ),
    "loss": ([(0x00282110, "CS", b"01")], [RANGE, LOSS]),
    "no loss": ([(0x00282110, "CS", b"00")], [RANGE]),
    "writing": ([(0x00280301, "CS", b"YES")], [RANGE, WRITING]),
    "no writing": ([(0x00280301, "CS", b"NO")], [RANGE]),
    "directions": (
        [(0x00200020, "CS", b"L\\F")],
        [
            RANGE,
            "The DICOM file says that the patient's left side is at the picture's right edge, and the feet at its "
            "lower edge.",
        ],
    ),
    "oblique directions": (
        [(0x00200020, "CS", b"PR\\FA")],
        [
            RANGE,
            "The DICOM file says that the patient's back is at the picture's right edge, and the feet at its lower "
            "edge.",
        ],
    ),
    "one direction": ([(0x00200020, "CS", b"L")], [RANGE]),
    "no directions": ([(0x00200020, "CS", b"SMITH\\F")], [RANGE]),
    "side": (
        [(0x00200062, "CS", b"R")],
        [RANGE, "The DICOM file says that the picture is of the right side of the patient."],
    ),
    "old side": (
        [(0x00200060, "CS", b"L")],
        [RANGE, "The DICOM file says that the picture is of the left side of the patient."],
    ),
    "not paired": ([(0x00200062, "CS", b"U")], [RANGE]),
}


@pytest.mark.parametrize("case", CASES)
def test_notes_say_what_applies(case: str) -> None:
    elements, notes = CASES[case]
    assert list(inspect_image(planted(elements=elements)).notes) == notes


@pytest.mark.parametrize(
    ("elements", "field", "value"),
    [
        ([(0x00080060, "CS", b"DX ")], "modality", "DX"),
        ([(0x00080060, "CS", b"dx")], "modality", "DX"),
        ([(0x00080060, "CS", b"DOE^JOHN")], "modality", ""),
        ([(0x00180015, "CS", b"CHEST\\HAND")], "body_part", "CHEST"),
        ([(0x00185101, "CS", b"PA")], "view", "PA"),
        ([(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")], "image_class", "CT"),
        ([(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2.1")], "image_class", "CT"),
        ([(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.999")], "image_class", ""),
        ([(0x00080068, "CS", b"FOR PROCESSING")], "unprocessed", True),
        ([(0x00080068, "CS", b"FOR PRESENTATION")], "unprocessed", False),
        ([(0x00280008, "IS", b"1A")], "frames", 1),
        ([(0x00280034, "IS", b"01")], "aspect", None),
        ([(0x00280034, "IS", b"0\\1")], "aspect", None),
        ([(0x00280034, "IS", b"3\\2 ")], "aspect", 1.5),
    ],
    ids=str,
)
def test_what_checks_see_of_a_header(elements: list[Element], field: str, value: Any) -> None:
    acquisition = inspect_image(planted(elements=elements)).acquisition
    assert getattr(acquisition, field) == value
