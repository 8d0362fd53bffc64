"""From cells to luma: literal values by hand, and thousands of made-up headers against an independent reference."""

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from sitegen.prediction.pixels import shown_frame
from sitegen_runtime.errors import DamagedImage
from sitegen_runtime.formats import inspect_image
from tests.helpers.dicom_files import as_bytes, radiograph, table
from tests.helpers.runtime.dicom_bytes import element, header, meta, pixels

FLAT = np.random.default_rng(1).integers(3, 250, (24, 20), dtype=np.uint8)
DEEP = np.random.default_rng(0).integers(100, 4000, (24, 20), dtype=np.uint16)


def luma(values: np.ndarray, *, syntax: str = "1.2.840.10008.1.2.1", **elements: Any) -> np.ndarray:
    return shown_frame(inspect_image(as_bytes(radiograph(values, syntax, **elements))))


def row(values: list[int], dtype: type = np.uint16, **elements: Any) -> list[int]:
    """The luma of a few values, in a row of an image that has no others."""
    return luma(np.array([values], dtype), **elements)[0].tolist()


def notes(values: np.ndarray, **elements: Any) -> tuple[str, ...]:
    return inspect_image(as_bytes(radiograph(values, **elements))).notes


def test_8_bits_stay_as_they_are() -> None:
    assert np.array_equal(luma(FLAT), FLAT)
    assert np.array_equal(luma(FLAT, RescaleSlope=1, RescaleIntercept=0), FLAT)
    assert np.array_equal(luma(FLAT, PhotometricInterpretation="MONOCHROME1"), 255 - FLAT)


def test_without_a_window_the_least_is_black_and_the_greatest_white() -> None:
    assert row([100, 101, 610]) == [0, 1, 255]  # 255 / 510 is a half, which is rounded up
    assert row([7, 7, 7]) == [0, 0, 0]
    assert row([7, 7], PhotometricInterpretation="MONOCHROME1") == [255, 255]
    assert row([-300, -200, 210], np.int16) == [0, 50, 255]
    assert row([1, 4, 6], RescaleSlope=-1, RescaleIntercept=0) == [255, 102, 0]


def test_a_window_by_hand() -> None:
    """PS3.3 C.11.2.1.2.1: a width of 3 around 10 shows 8, 9, 10, 11 as black, a quarter, three quarters, white."""
    linear: dict[str, Any] = {"WindowCenter": 10, "WindowWidth": 3}
    assert row([7, 8, 9, 10, 11, 12], **linear) == [0, 0, 64, 191, 255, 255]
    assert row([7, 8, 9, 10, 11, 12], **linear, PhotometricInterpretation="MONOCHROME1") == [255, 255, 191, 64, 0, 0]
    assert row([8, 9, 10, 11, 12], **linear, VOILUTFunction="LINEAR_EXACT") == [0, 43, 128, 213, 255]
    assert row([0, 10, 11, 20], **linear, VOILUTFunction="SIGMOID") == [0, 128, 202, 255]
    assert row([8, 9, 10, 11], **linear, VOILUTFunction="ODD") == [0, 64, 191, 255]  # what is unknown is LINEAR
    assert row([9, 10, 11], WindowCenter=10, WindowWidth=1) == [0, 255, 255]


def test_a_rescale_comes_before_the_window() -> None:
    assert row([4, 5, 6], WindowCenter=10, WindowWidth=5, RescaleSlope=2, RescaleIntercept=0) == [32, 159, 255]
    assert row([4, 5, 6], WindowCenter=10, WindowWidth=5, RescaleSlope="2.0E0", RescaleIntercept="-0") == [32, 159, 255]
    half = row([10, 20, 30], WindowCenter="7.5", WindowWidth=11, RescaleSlope="0.5", RescaleIntercept="-2.5")
    assert half == [13, 140, 255]
    assert row([10, 20, 30], RescaleSlope=0, RescaleIntercept=7) == [0, 128, 255]  # a slope of 0 shows nothing: none


def test_of_several_windows_the_first_counts() -> None:
    several = luma(DEEP, WindowCenter=[2000, 100], WindowWidth=[3000, 10])
    assert np.array_equal(several, luma(DEEP, WindowCenter=2000, WindowWidth=3000))


CENTRE, WIDTH, INTERCEPT, SLOPE = 0x00281050, 0x00281051, 0x00281052, 0x00281053


def by_hand(**texts: str) -> bytes:
    """The file of DEEP with numbers as texts, whatever these are."""
    tags = {"centre": CENTRE, "width": WIDTH, "intercept": INTERCEPT, "slope": SLOPE}
    values = {tags[name]: text.encode() + b" " * (len(text) % 2) for name, text in texts.items()}
    extra = [element(tag, b"DS", value) for tag, value in sorted(values.items())]
    return meta() + header(24, 20, extra=extra) + pixels(DEEP)


@pytest.mark.parametrize("width", ["0", "", "-5", "1E9999", "five", "0.5", "1,024"])
def test_a_window_that_shows_nothing_is_none(width: str) -> None:
    image = inspect_image(by_hand(centre="2000", width=width))
    assert np.array_equal(shown_frame(image), luma(DEEP))
    assert ("The DICOM file's window cannot be used, and was left out." in image.notes) == (width != "")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("2000,5", "2000.5"),
        (",5", "0.5"),
        ("+1.5e3", "1500"),
        ("2000,5\\7", "2000.5"),
        ("  12 ", "12"),
        ("1,0e3", "1000"),
        ("2000,50", "2000.5"),
        ("-1,25", "-1.25"),
    ],
)
def test_a_decimal_comma_is_a_point(said: str, number: str) -> None:
    window = shown_frame(inspect_image(by_hand(centre=said, width="3000")))
    assert np.array_equal(window, luma(DEEP, WindowCenter=number, WindowWidth=3000))
    moved = shown_frame(inspect_image(by_hand(centre="2000", width="900,0", intercept=said, slope="1,0")))
    elements: dict[str, Any] = {"RescaleIntercept": number, "RescaleSlope": 1}
    assert np.array_equal(moved, luma(DEEP, WindowCenter=2000, WindowWidth=900, **elements))


@pytest.mark.parametrize("said", ["1,024", "one", "1E999", "0x10", "--1"])
@pytest.mark.parametrize("name", ["slope", "intercept"])
def test_a_rescale_that_cannot_be_read_is_not_guessed_at(name: str, said: str) -> None:
    with pytest.raises(DamagedImage, match=f"its Rescale{name.capitalize()} is no number that can be read"):
        inspect_image(by_hand(**{name: said}))


@pytest.mark.parametrize("name", ["centre", "width", "slope", "intercept"])
@pytest.mark.parametrize("said", ["1E999999999", "1e-99999999", "9" * 64, "1" + "0" * 200, "1E99", "1E-99", "NaN"])
def test_absurd_numbers_stay_small(said: str, name: str) -> None:
    texts = {"centre": "5", "width": "7", "slope": "1", "intercept": "0"} | {name: said}
    try:
        assert shown_frame(inspect_image(by_hand(**texts))).shape == (24, 20)
    except DamagedImage as error:
        assert "is no number that can be read" in str(error)  # some are numbers


PADDED = [0, 0, 1000, 1100, 1510, 0]
STRETCHED = [0, 0, 0, 50, 255, 0]


@pytest.mark.parametrize(
    ("values", "dtype", "elements", "expected"),
    [
        (PADDED, np.uint16, {"PixelPaddingValue": 0}, STRETCHED),
        (PADDED, np.uint16, {}, [0, 0, 169, 186, 255, 0]),
        (PADDED, np.uint16, {"PixelPaddingValue": 65535}, [0, 0, 169, 186, 255, 0]),  # which no pixel has
        ([-2000, 0, 100, 510, -2000], np.int16, {"PixelPaddingValue": -2000}, [0, 0, 50, 255, 0]),
        ([-2000, 0, 100, 510, -2000], np.int16, {"PixelPaddingValue": 63536}, [0, 0, 50, 255, 0]),
        ([0, 3, 9, 1000, 1510], np.uint16, {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 9}, [0, 0, 0, 0, 255]),
        ([0, 3, 9, 1000, 1510], np.uint16, {"PixelPaddingValue": 9, "PixelPaddingRangeLimit": 0}, [0, 0, 0, 0, 255]),
        ([-9, -3, 1000, 1510], np.int16, {"PixelPaddingValue": -9, "PixelPaddingRangeLimit": -3}, [0, 0, 0, 255]),
        ([4095, 0, 100, 510], np.uint16, {"PixelPaddingValue": 4095}, [255, 0, 50, 255]),
        ([7, 7, 7, 7], np.uint16, {"PixelPaddingValue": 7}, [0, 0, 0, 0]),  # nothing else is there
    ],
)
def test_padding_does_not_count(values: list[int], dtype: type, elements: dict[str, Any], expected: list[int]) -> None:
    vr = "SS" if dtype is np.int16 and elements.get("PixelPaddingValue", 0) < 32768 else "US"
    dataset = radiograph(np.array([values], dtype))
    for name, value in elements.items():
        dataset.add_new(name, vr, value)
    assert shown_frame(inspect_image(as_bytes(dataset)))[0].tolist() == expected
    dataset.PhotometricInterpretation = "MONOCHROME1"
    assert shown_frame(inspect_image(as_bytes(dataset)))[0].tolist() == [255 - v for v in expected]


def test_padding_does_not_count_in_fewer_bits() -> None:
    """-2000 in 12 bits, whose header keeps the sign of 16, and 4095 whose cells keep twelve of them."""
    cells = np.array([[-2000 & 0xFFF, 0, 100, 510]], np.uint16)
    dataset = radiograph(cells, BitsStored=12, HighBit=11, PixelRepresentation=1)
    dataset.add_new("PixelPaddingValue", "SS", -2000)
    assert shown_frame(inspect_image(as_bytes(dataset)))[0].tolist() == [0, 0, 50, 255]
    dataset = radiograph(np.array([[4095, 0, 100, 510]], np.uint16), BitsStored=12, HighBit=11)
    dataset.add_new("PixelPaddingValue", "US", 65535)
    assert shown_frame(inspect_image(as_bytes(dataset)))[0].tolist() == [255, 0, 50, 255]


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("high", [11, 12, 15])
def test_overlays_in_the_other_bits_do_not_count(high: int, signed: int) -> None:
    shift = high - 11
    value = np.random.default_rng(2).integers(0, 4096, (24, 20), dtype=np.uint16)
    noise = np.random.default_rng(3).integers(0, 65536, (24, 20), dtype=np.uint16)
    mask = np.uint16(0xFFF << shift)
    described: dict[str, Any] = {"BitsStored": 12, "HighBit": high, "PixelRepresentation": signed}
    plain, marked = (value << shift).astype(np.uint16), (value << shift) & mask | noise & ~mask
    assert np.array_equal(luma(marked, **described), luma(plain, **described))
    with_window = described | {"WindowCenter": 300, "WindowWidth": 900}
    assert np.array_equal(luma(marked, **with_window), luma(plain, **with_window))
    assert np.array_equal(luma(marked, syntax=ExplicitVRBigEndian, **described), luma(plain, **described))


def test_overlays_of_their_own_do_not_count() -> None:
    dataset = radiograph(DEEP)
    for group in (0x6000, 0x6002, 0x601E):
        dataset.add_new(group << 16 | 0x0010, "US", 24)
        dataset.add_new(group << 16 | 0x0011, "US", 20)
        dataset.add_new(group << 16 | 0x0100, "US", 1)
        dataset.add_new(group << 16 | 0x3000, "OW", b"\xff" * 60)
    assert np.array_equal(shown_frame(inspect_image(as_bytes(dataset))), luma(DEEP))


@pytest.mark.parametrize(("stored", "high"), [(17, 16), (12, 16), (16, 99), (255, 254)])
def test_bits_that_no_cell_has(stored: int, high: int) -> None:
    with pytest.raises(DamagedImage, match=f"it stores {stored} bits up to bit {high} in cells of 16 bits"):
        luma(DEEP, BitsStored=stored, HighBit=high)


def test_tables_of_values() -> None:
    wide: dict[str, Any] = {
        "VOILUTSequence": [table([0, 4095, 1024, 2048], 0, 12)],
        "WindowCenter": 1,
        "WindowWidth": 1,
    }
    assert row([0, 1, 2, 3, 9], **wide) == [0, 255, 64, 128, 128]
    assert row([5, 6, 7, 8], VOILUTSequence=[table([0, 128, 255], 6, 8)]) == [0, 0, 128, 255]
    # A modality's table comes first, and its values, 30 to 0, are stretched, for there is no window.
    assert row([0, 1, 2, 3], ModalityLUTSequence=[table([30, 20, 10, 0], 0, 8)]) == [255, 170, 85, 0]
    signed: dict[str, Any] = {"VOILUTSequence": [table([0, 10, 255], -1, 8)]}
    assert row([-9, -1, 0, 1, 9], np.int16, **signed) == [0, 0, 10, 255, 255]


def test_tables_of_bytes_may_be_packed() -> None:
    packed: dict[str, Any] = {"VOILUTSequence": [table([0, 128, 255, 7], 6, 8, "OW")]}
    assert row([6, 7, 8, 9], **packed) == [0, 128, 255, 7]


@pytest.mark.parametrize(
    "lut", [table([], 0, 8), table([1, 2], 0, 7), table([1, 2], 0, 17), Dataset()], ids=["0", "7", "17", "none"]
)
def test_a_table_that_cannot_be_used_is_none(lut: Dataset) -> None:
    assert row([0, 4, 8], VOILUTSequence=[lut]) == [0, 128, 255]
    assert row([0, 4, 8], VOILUTSequence=[lut], WindowCenter=4, WindowWidth=3) == [0, 191, 255]


def test_a_table_of_65_536_entries() -> None:
    entries = [0] * 40_000 + [65_535] * 25_536
    assert row([0, 39_999, 40_000, 65_535], VOILUTSequence=[table(entries, 0, 16)]) == [0, 0, 255, 255]


def test_notes_say_what_made_it_grey() -> None:
    assert notes(FLAT) == ("The DICOM file has no window: its 8 bits are shown as they are.",)
    assert notes(DEEP) == ("The DICOM file has no window: its least value is black, its greatest white.",)
    around = "What is black and what white is the DICOM file's own: the window around 2000.5, 3000 wide"
    assert notes(DEEP, WindowCenter="2000.5", WindowWidth="3000") == (f"{around}.",)
    curved: dict[str, Any] = {"WindowCenter": "2000.5", "WindowWidth": "3000", "VOILUTFunction": "SIGMOID"}
    turned = "Its least value is meant to be white (MONOCHROME1): it was turned round."
    assert notes(DEEP, **curved, PhotometricInterpretation="MONOCHROME1") == (
        f"{around}, along a curve (SIGMOID).",
        turned,
    )
    dark = notes(DEEP, VOILUTSequence=[table([0, 4095], 0, 16)])
    assert dark[0] == "What is black and what white is the DICOM file's own: a table of its values."
    assert dark[1].startswith("No entry of that table reaches half of its scale")
    assert "written" not in " ".join(notes(DEEP, BurnedInAnnotation="NO"))
    assert notes(DEEP, BurnedInAnnotation="YES")[1].startswith(
        "The DICOM file says that writing is part of its picture"
    )
    assert notes(DEEP, LossyImageCompression="01")[1].startswith("The image was compressed with loss")
