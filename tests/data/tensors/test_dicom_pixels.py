"""The grey image in a DICOM file, against the standard's formulas and pydicom's own."""

import io
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.processing import apply_windowing
from pydicom.uid import (
    MPEG2MPML,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from sitegen.data.tensors.cache import content_key, image_tensors
from sitegen.data.tensors.dicom_pixels import as_image, dicom_png, is_dicom, windowed
from sitegen.errors import DataError
from sitegen_runtime.bundle.model import NetworkInput
from sitegen_runtime.errors import DamagedImage, TooLarge, UnsupportedType
from tests.helpers.dicom_files import as_bytes, radiograph, without_prefix

INPUTS = {"gate": NetworkInput("image", (1, 1, 16, 16), "grey", 1.0, (0.0, 1.0), (0.0,), (1.0,))}
DEEP = np.random.default_rng(0).integers(100, 4000, (24, 20), dtype=np.uint16)
FLAT = np.random.default_rng(1).integers(3, 250, (24, 20), dtype=np.uint8)


def shown(dataset: Dataset) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(dicom_png(as_bytes(dataset)))))


def test_8_bits_stay_as_they_are() -> None:
    assert np.array_equal(shown(radiograph(FLAT)), FLAT)
    assert np.array_equal(shown(radiograph(FLAT, RescaleSlope=1, RescaleIntercept=0)), FLAT)
    assert np.array_equal(shown(radiograph(FLAT, PhotometricInterpretation="MONOCHROME1")), 255 - FLAT)


def test_without_a_window_the_least_is_black_and_the_greatest_white() -> None:
    grey = shown(radiograph(DEEP, BitsStored=12, HighBit=11)).astype(float)
    least, most = float(DEEP.min()), float(DEEP.max())
    assert grey == pytest.approx((DEEP - least) / (most - least) * 65535, abs=0.5 + 1e-6)
    turned = shown(radiograph(DEEP, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(turned[DEEP.argmin() // 20, DEEP.argmin() % 20], 65535)
    assert np.array_equal(65535 - turned.astype(int), grey)


def test_signed_pixels_and_a_rescale() -> None:
    signed = DEEP.astype(np.int16) - 2000
    plain = shown(radiograph(DEEP, WindowCenter=2000, WindowWidth=3000))
    moved = shown(radiograph(signed, RescaleSlope=1, RescaleIntercept=2000, WindowCenter=2000, WindowWidth=3000))
    assert np.array_equal(moved, plain)
    falling = shown(radiograph(DEEP, RescaleSlope=-1, RescaleIntercept=0))
    assert np.array_equal(65535 - falling.astype(int), shown(radiograph(DEEP)))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(2048, 4096), (1000.5, 300), (3000, 40)])
def test_windows_are_pydicoms(function: str, centre: float, width: int) -> None:
    dataset = radiograph(DEEP, WindowCenter=centre, WindowWidth=width, VOILUTFunction=function)
    expected = apply_windowing(DEEP, dataset) / 65535
    assert windowed(DEEP.astype(float), centre, width, function) == pytest.approx(expected, abs=1e-12)
    assert shown(dataset) / 65535 == pytest.approx(expected, abs=0.5 / 65535 + 1e-12)


def test_a_window_by_hand() -> None:
    """PS3.3 C.11.2.1.2.1: a width of 3 around 10 shows 8, 9, 10, 11 as black, a quarter, three quarters, white."""
    values = np.array([[7.0, 8.5, 9.0, 10.0, 10.5, 12.0]])
    assert windowed(values, 10.0, 3.0).tolist() == [[0.0, 0.0, 0.25, 0.75, 1.0, 1.0]]
    assert windowed(np.array([[9.0, 9.5, 9.6]]), 10.0, 1.0).tolist() == [[0.0, 0.5, 1.0]]
    with pytest.raises(ValueError, match="'LINEAR_ISH'"):
        windowed(values, 10.0, 3.0, "LINEAR_ISH")


def test_of_several_windows_the_first_counts() -> None:
    several = radiograph(DEEP, WindowCenter=[2000, 100], WindowWidth=[3000, 10])
    assert np.array_equal(shown(several), shown(radiograph(DEEP, WindowCenter=2000, WindowWidth=3000)))


@pytest.mark.parametrize("width", [0, "", -5])
def test_a_window_that_shows_nothing_is_none(width: int | str) -> None:
    assert np.array_equal(shown(radiograph(DEEP, WindowCenter=2000, WindowWidth=width)), shown(radiograph(DEEP)))


def table(values: list[int], first: int, bits: int) -> Dataset:
    lut = Dataset()
    lut.add_new("LUTDescriptor", "US", [len(values), first, bits])
    lut.add_new("LUTData", "US", values)
    return lut


def test_tables_of_values() -> None:
    small = (DEEP % 4).astype(np.uint16)
    wide = radiograph(small, VOILUTSequence=[table([0, 4095, 1024, 2048], 0, 12)], WindowCenter=1, WindowWidth=1)
    assert np.array_equal(shown(wide), np.rint(np.array([0, 65535, 65535 * 1024 / 4095, 65535 * 2048 / 4095]))[small])
    # A modality's table comes first, and its values, 30 to 0, are stretched, for there is no window.
    assert np.array_equal(
        shown(radiograph(small, ModalityLUTSequence=[table([30, 20, 10, 0], 0, 8)])),
        np.array([65535, 43690, 21845, 0])[small],
    )


def test_one_value_everywhere_is_black() -> None:
    assert not shown(radiograph(np.full((20, 20), 700, np.uint16))).any()


@pytest.mark.parametrize("pixels", [DEEP, FLAT], ids=["16 bits", "8 bits"])
def test_compressed_without_loss_is_the_same_image(pixels: np.ndarray) -> None:
    plain = radiograph(pixels)
    expected = dicom_png(as_bytes(plain))
    assert dicom_png(as_bytes(radiograph(pixels, JPEG2000Lossless))) == expected
    plain.compress(RLELossless)
    assert dicom_png(as_bytes(plain)) == expected


def test_every_way_of_writing_bytes_is_the_same_image() -> None:
    expected = dicom_png(as_bytes(radiograph(DEEP)))
    assert dicom_png(as_bytes(radiograph(DEEP, DeflatedExplicitVRLittleEndian))) == expected
    assert dicom_png(as_bytes(radiograph(DEEP, ImplicitVRLittleEndian))) == expected
    assert dicom_png(as_bytes(radiograph(DEEP.astype(">u2"), ExplicitVRBigEndian))) == expected


def test_jpeg_is_what_pillow_decodes() -> None:
    out = io.BytesIO()
    Image.fromarray(FLAT).save(out, "JPEG", quality=80)
    dataset = radiograph(FLAT, JPEGBaseline8Bit, PixelData=encapsulate([out.getvalue()]))
    assert np.array_equal(shown(dataset), np.asarray(Image.open(out)))


def test_without_pydicom_the_next_step_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = as_bytes(radiograph(FLAT))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DataError, match=r"pip install 'offline-sitegen\[train\]'"):
        dicom_png(raw)


def test_files_from_before_there_was_a_prefix() -> None:
    raw = without_prefix(radiograph(DEEP))
    assert raw[128:132] != b"DICM"
    assert is_dicom(raw)
    assert dicom_png(raw) == dicom_png(as_bytes(radiograph(DEEP)))


def test_other_files_are_left_alone() -> None:
    out = io.BytesIO()
    Image.fromarray(FLAT).save(out, "PNG")
    for raw in (out.getvalue(), b"", b"file,patient\n"):
        assert not is_dicom(raw)
        assert as_image(raw) == raw


def test_tensors_are_those_of_the_image() -> None:
    out = io.BytesIO()
    Image.fromarray(FLAT).save(out, "PNG")
    raw = as_bytes(radiograph(FLAT))
    assert np.array_equal(image_tensors(raw, INPUTS)["gate"], image_tensors(out.getvalue(), INPUTS)["gate"])
    deep = image_tensors(as_bytes(radiograph(DEEP, WindowCenter=2048, WindowWidth=4096)), INPUTS)["gate"]
    assert deep.mean() == pytest.approx(DEEP[2:22].mean() / 4095, abs=1e-4)


def test_the_cache_knows_how_dicom_was_read() -> None:
    raw = as_bytes(radiograph(FLAT))
    assert content_key(raw) != content_key(raw[:-1])
    assert content_key(b"\x89PNG") == "0f4636c78f65d3639ece5a064b5ae753e3408614a14fb18ab4d7540d2c248543"


@pytest.mark.parametrize(
    ("elements", "error", "message"),
    [
        ({"NumberOfFrames": 3}, UnsupportedType, "3 frames, and one is read"),
        ({"PhotometricInterpretation": "RGB"}, UnsupportedType, "pixels are RGB, and only grey"),
        ({"SamplesPerPixel": 3}, UnsupportedType, "only grey ones are read"),
        ({"Rows": 20_000, "Columns": 20_000}, TooLarge, "the limit is 100,000,000"),
        ({"Rows": 0}, DamagedImage, "20 x 0 pixels"),
        ({"PixelData": b"\0" * 40}, DamagedImage, r"cannot be read \(.*less than expected"),
        ({"WindowCenter": 1, "WindowWidth": 2, "VOILUTFunction": "ODD"}, DamagedImage, "no window function 'ODD'"),
    ],
)
def test_what_is_not_one_grey_image_is_refused(
    elements: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        dicom_png(as_bytes(radiograph(DEEP, **elements)))


def test_a_header_alone_is_refused() -> None:
    dataset = radiograph(DEEP)
    del dataset.PixelData
    with pytest.raises(DamagedImage, match="has no image, or ends before it"):
        dicom_png(as_bytes(dataset))


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.99])
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, "1.2.840.10008.1.2.1"], ids=["compressed", "plain"])
def test_half_a_file_is_refused(syntax: UID | str, keep: float) -> None:
    raw = as_bytes(radiograph(np.tile(DEEP, (20, 20)), syntax))
    with pytest.raises(DamagedImage):
        dicom_png(raw[: int(len(raw) * keep)])


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.99])
def test_half_an_image_in_a_whole_file_is_refused(keep: float) -> None:
    dataset = radiograph(np.tile(DEEP, (20, 20)), JPEG2000Lossless)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: int(len(frame) * keep)]])
    with pytest.raises(DamagedImage, match="broken data stream"):
        dicom_png(as_bytes(dataset))


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, MPEG2MPML])
def test_a_syntax_without_a_decoder_is_named(syntax: UID, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydicom.pixels.decoders.base import JPEGLosslessSV1Decoder

    monkeypatch.setattr(JPEGLosslessSV1Decoder, "_available", {})  # also where a plug-in is installed
    dataset = radiograph(DEEP, JPEG2000Lossless)
    dataset.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(UnsupportedType, match=rf"transfer syntax is .*\({syntax}\).*pip install python-gdcm.*PNG\.$"):
        dicom_png(as_bytes(dataset))
