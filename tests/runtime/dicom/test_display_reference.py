"""Thousands of made-up headers against an independent reference in float64, and windows against pydicom's."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.pixels.processing import apply_modality_lut, apply_windowing

from sitegen.prediction.pixels import deep_frame, shown_frame
from sitegen_runtime.formats import inspect_image
from tests.helpers.dicom_files import as_bytes, radiograph, table
from tests.helpers.runtime.display_reference import Described, shown

DEEP = np.random.default_rng(0).integers(100, 4000, (24, 20), dtype=np.uint16)
HEADERS = 1_500

DEPTHS = st.sampled_from([8, 10, 12, 15, 16])
NUMBERS = st.floats(-5_000, 5_000).map(lambda value: round(value, 3))
SLOPES = st.sampled_from([1.0, 1.0, 2.0, -1.0, 0.5, 0.001, 0.1, 3.7, 65.535])
WINDOWS = st.tuples(
    NUMBERS, st.floats(1, 9_000).map(lambda v: round(v, 3)), st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"])
)


@st.composite
def tables(draw: st.DrawFn, signed: bool) -> tuple[int, int, list[int]]:
    depth = draw(st.sampled_from([8, 10, 12, 16]))
    entries = draw(st.lists(st.integers(0, 2**depth - 1), min_size=1, max_size=40))
    return draw(st.integers(-30 if signed else 0, 3_000)), depth, entries


@st.composite
def headers(draw: st.DrawFn) -> Described:
    of = Described(draw(DEPTHS), signed=draw(st.booleans()), inverted=draw(st.booleans()))
    if of.bits < 16 and draw(st.booleans()):
        of.shift = draw(st.integers(0, 16 - of.bits)) if of.bits > 8 else 0
    kind = draw(st.sampled_from(["none", "line", "table"]))
    if kind == "line":
        of.slope, of.intercept = draw(SLOPES), draw(NUMBERS)
    elif kind == "table":
        of.modality = draw(tables(of.signed))
    voi = draw(st.sampled_from(["none", "window", "table", "padding"]))
    if voi == "window":
        of.window = draw(WINDOWS)
    elif voi == "table":
        of.voi = draw(tables((of.signed and of.modality is None) or kind == "line"))
    elif voi == "padding":
        first = draw(st.integers(-50 if of.signed else 0, 100))
        of.padding = list(range(first, first + draw(st.integers(1, 30))))
    return of


def written(of: Described, cells: np.ndarray) -> bytes:
    colours = "MONOCHROME1" if of.inverted else "MONOCHROME2"
    elements: dict[str, Any] = {
        "BitsStored": of.bits,
        "HighBit": of.bits + of.shift - 1,
        "PixelRepresentation": int(of.signed),
    }
    if of.modality:
        elements["ModalityLUTSequence"] = [table(of.modality[2], of.modality[0], of.modality[1])]
    elif (of.slope, of.intercept) != (1, 0):
        elements |= {"RescaleSlope": str(of.slope), "RescaleIntercept": str(of.intercept)}
    if of.voi:
        elements["VOILUTSequence"] = [table(of.voi[2], of.voi[0], of.voi[1])]
    if of.window:
        elements |= {
            "WindowCenter": str(of.window[0]),
            "WindowWidth": str(of.window[1]),
            "VOILUTFunction": of.window[2],
        }
    dataset = radiograph(cells, PhotometricInterpretation=colours, **elements)
    if of.padding:
        vr = "SS" if of.signed else "US"
        dataset.add_new("PixelPaddingValue", vr, of.padding[0])
        dataset.add_new("PixelPaddingRangeLimit", vr, of.padding[-1])
    return as_bytes(dataset)


@settings(max_examples=HEADERS)
@given(headers(), st.integers(0, 2**32 - 1))
def test_every_header_is_shown_within_half_a_level(of: Described, seed: int) -> None:
    random = np.random.default_rng(seed)
    cells = random.integers(0, 65536, (16, 16), dtype=np.uint16)
    cells[:4] = random.integers(0, 120, (4, 16)) << of.shift
    cells = cells.astype(np.uint8) if of.bits == 8 and not of.shift else cells
    found = shown_frame(inspect_image(written(of, cells))).astype(np.float64)
    # Where a value lies on an edge, float64 may see it beside: of a step, and before the whole part is taken.
    assert np.abs(found - shown(of, cells)).max() <= 0.5 + 1e-6


@settings(max_examples=60)
@given(headers(), st.integers(0, 2**32 - 1))
def test_in_sixteen_bits_too(of: Described, seed: int) -> None:
    cells = np.random.default_rng(seed).integers(0, 65536, (16, 16), dtype=np.uint16)
    cells = cells.astype(np.uint8) if of.bits == 8 and not of.shift else cells
    found = deep_frame(inspect_image(written(of, cells)))
    assert found.dtype == np.uint16
    assert np.abs(found - 257 * shown(of, cells)).max() <= 0.5 + 257e-6


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(2048, 4096), (1000.5, 300), (3000, 40)])
def test_windows_are_pydicoms(function: str, centre: float, width: int) -> None:
    window: dict[str, Any] = {"WindowCenter": centre, "WindowWidth": width, "VOILUTFunction": function}
    plain = radiograph(DEEP, **window)
    assert shown_frame(inspect_image(as_bytes(plain))) == pytest.approx(
        255 / 65535 * apply_windowing(DEEP, plain), abs=0.5 + 1e-9
    )
    rescaled = radiograph(DEEP, **window, RescaleSlope="1.5", RescaleIntercept="-20")
    rescaled.BitsStored, rescaled.HighBit = 12, 11
    low, high = -20.0, 1.5 * 4095 - 20
    expected = 255 * (apply_windowing(apply_modality_lut(DEEP, rescaled), rescaled) - low) / (high - low)
    assert shown_frame(inspect_image(as_bytes(rescaled))) == pytest.approx(expected, abs=0.5 + 1e-9)
