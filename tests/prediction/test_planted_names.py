"""A patient's name, planted wherever a DICOM file can hold one, is in nothing that comes out of the tool."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sitegen.bundle import Bundle
from sitegen.cli import app
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.expects import Expects
from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats import inspect_image
from sitegen_runtime.formats.dicom.elements import IN_TABLES, WANTED
from sitegen_runtime.gate.header_checks import header_checks
from tests.helpers.bundles import make_bundle
from tests.helpers.planted_names import NAME, Element, planted

TRANSFER_SYNTAX, MODALITY_LUT, VOI_LUT = 0x00020010, 0x00283000, 0x00283010
WHOLE = planted()
READ = [TRANSFER_SYNTAX, *WANTED]
DIGITS = NAME.encode() + b"19551231"


def said(data: bytes) -> str:
    """Everything that the runtime makes text of before there is a network: notes, checks, or an error."""
    try:
        image = inspect_image(data)
    except ImageError as error:
        return f"{error.code} {error}"
    assert image.acquisition is not None
    checks = header_checks(image.acquisition, Expects())
    return " ".join([*image.notes, *(check.message for check in checks)])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("planted") / "bundle", explained=True)


def test_the_name_is_planted_everywhere() -> None:
    assert WHOLE.count(NAME.encode()) > 400
    assert WHOLE[:128].count(NAME.encode()) == 9
    assert WHOLE.endswith(NAME.encode() * 3)
    assert said(WHOLE) == "The DICOM file has no window: its least value is black, its greatest white."


def test_predictions_do_not_hold_it(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "file.dcm"
    file.write_bytes(WHOLE)
    for options in ([], ["--json"], ["--json", "--force"]):
        arguments = ["predict", str(file), "--bundle", str(bundle.folder), *options]
        done = CliRunner(env={"COLUMNS": "2000"}).invoke(app, arguments)
        assert done.exit_code == 0, done.output
        assert NAME not in done.output.upper()
        assert "file.dcm" in done.output
    assert json.loads(done.stdout)["image"]["type"] == "application/dicom"


def test_maps_and_their_pictures_do_not_hold_it(bundle: Bundle, tmp_path: Path) -> None:
    file, out = tmp_path / "file.dcm", tmp_path / "out.png"
    file.write_bytes(WHOLE)
    arguments = ["explain", str(file), "--finding", "all", "--bundle", str(bundle.folder), "--out", str(out)]
    done = CliRunner(env={"COLUMNS": "2000"}).invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert NAME not in done.output.upper()
    assert NAME.encode() not in out.read_bytes()


@pytest.mark.parametrize("tag", READ, ids=hex)
@pytest.mark.parametrize("value", [NAME.encode(), b"DX\\" + NAME.encode(), DIGITS, b"1.2." + NAME.encode()], ids=str)
def test_elements_that_are_read_do_not_give_it_away(tag: int, value: bytes) -> None:
    for vr in ("CS", "UN"):
        assert NAME not in said(planted(elements=[(tag, vr, value)])).upper()


def test_tables_with_the_name_do_not_give_it_away() -> None:
    inside = [(tag, "LO", NAME.encode()) for tag in (*IN_TABLES, 0x00283003)]
    for table in (MODALITY_LUT, VOI_LUT):
        assert NAME not in said(planted(elements=[(table, "SQ", _item(inside))])).upper()


def test_a_code_with_a_name_is_dropped_or_called_unknown(bundle: Bundle) -> None:
    codes: list[Element] = [(tag, "CS", NAME.encode()) for tag in (0x00080060, 0x00180015, 0x00185101, 0x00280301)]
    document = Predictor(bundle).predict(planted(elements=codes))
    assert document["gate"] is not None
    assert [check["check"] for check in document["gate"]["checks"]] == ["modality", "body-part"]
    assert NAME not in json.dumps(document).upper()


@pytest.mark.parametrize("left_out", [0, 1, 40, 41, 1000, 8000, 9000, 10_000, 12_000, 15_000, len(WHOLE) - 200])
def test_errors_of_files_cut_short_do_not_hold_it(left_out: int) -> None:
    assert NAME not in said(planted(left_out=left_out)).upper()


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255), st.integers(0, 300))
def test_errors_of_damaged_files_do_not_hold_it(place: int, changed: int, left_out: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= changed
    assert NAME not in said(bytes(damaged[: len(WHOLE) - left_out])).upper()


@given(
    st.sampled_from(READ),
    st.sampled_from(["CS", "DS", "US", "UI", "UN", "OB", "LO"]),
    st.binary(max_size=6),
    st.binary(max_size=6),
)
def test_odd_values_around_the_name_do_not_give_it_away(tag: int, vr: str, before: bytes, after: bytes) -> None:
    assert NAME not in said(planted(elements=[(tag, vr, before + NAME.encode() + after)])).upper()


def _item(elements: list[Element]) -> bytes:
    inside = b"".join(
        struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(value) + len(value) % 2)
        + value
        + b" " * (len(value) % 2)
        for tag, vr, value in elements
    )
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
