"""What a DICOM header says beside its picture: for the audit of a repository, in words of tables and numbers alone.

A header may hold anything anywhere, names too. So of texts no more is kept than which word of a table stands there,
or that another one does; of dates the year.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats.dicom.elements import WANTED
from sitegen_runtime.formats.dicom.header import Header
from sitegen_runtime.formats.dicom.reader import read_header
from sitegen_runtime.formats.dicom.terms import BODY_PARTS, MODALITIES, VIEWS, known_word

OTHER = "other"
"""What stands for a text that is in no table."""

MANUFACTURERS: Mapping[str, str] = {
    "AGFA": "Agfa",
    "CANON": "Canon",
    "CARESTREAM": "Carestream",
    "DEL MEDICAL": "Del Medical",
    "EASTMAN KODAK": "Kodak",
    "FUJI": "Fujifilm",
    "FUJIFILM": "Fujifilm",
    "GE": "GE",
    "HOLOGIC": "Hologic",
    "KODAK": "Kodak",
    "KONICA": "Konica Minolta",
    "LODOX": "Lodox",
    "PHILIPS": "Philips",
    "SAMSUNG": "Samsung",
    "SHIMADZU": "Shimadzu",
    "SIEMENS": "Siemens",
    "STERLING": "Sterling",
    "SWISSRAY": "Swissray",
    "TOSHIBA": "Toshiba",
    "VARIAN": "Varian",
    "VIDAR": "Vidar",
}
"""The first words of Manufacturer, (0008,0070), and whose they are."""

_MORE: Mapping[int, str] = {
    0x00080020: "StudyDate",
    0x00080070: "Manufacturer",
    0x00181164: "ImagerPixelSpacing",
    0x00280030: "PixelSpacing",
}
_AUDITED = (
    "Modality",
    "BodyPartExamined",
    "ViewPosition",
    "Manufacturer",
    "StudyDate",
    "PatientOrientation",
    "BurnedInAnnotation",
)
"""Elements whose absence is told, beside that of any pixel spacing."""

_DATE = re.compile(rb"(19|20)\d\d[01]\d[0-3]\d")


@dataclass(frozen=True)
class Tags:
    """What a header says; None for what it does not say, `OTHER` for a text that is in no table.

    `missing` names the elements that have no value.
    """

    modality: str | None = None
    body_part: str | None = None
    view: str | None = None
    manufacturer: str | None = None
    year: int | None = None
    burned_in: bool | None = None
    missing: tuple[str, ...] = ()


def read_tags(data: bytes) -> Tags:
    """Return what a DICOM file's header says; of a file that is damaged, nothing."""
    try:
        header = read_header(data, {**WANTED, **_MORE})
    except ImageError:
        return Tags()
    missing = [name for name in _AUDITED if not header.first(name)]
    if not header.first("PixelSpacing") and not header.first("ImagerPixelSpacing"):
        missing.append("PixelSpacing")
    date = header.first("StudyDate")
    burned_in = header.code("BurnedInAnnotation")
    return Tags(
        modality=_word(header, "Modality", MODALITIES),
        body_part=_word(header, "BodyPartExamined", BODY_PARTS),
        view=_word(header, "ViewPosition", VIEWS),
        manufacturer=_manufacturer(header),
        year=int(date[:4]) if _DATE.fullmatch(date) else None,
        burned_in={"YES": True, "NO": False}.get(burned_in),
        missing=tuple(missing),
    )


def _word(header: Header, name: str, table: Mapping[str, str]) -> str | None:
    if not header.first(name):
        return None
    return known_word(header.code(name), table) or OTHER


def _manufacturer(header: Header) -> str | None:
    text = header.first("Manufacturer").decode("ascii", "replace").upper()
    if not text:
        return None
    return next((name for start, name in MANUFACTURERS.items() if re.match(rf"{start}\b", text)), OTHER)
