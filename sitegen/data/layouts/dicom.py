"""DICOM files in a folder, or listed by a table, with what their headers say of patient and image.

Files are told by their content, with any name or ending. A folder of them has its labels from

    labels.csv                        a table with a column for the file, as `tables` reads it, of whatever name
    train/SICK/*  test/WELL/*         folders for classes, in folders for splits or without

in this order, and otherwise none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from sitegen.data.layouts.class_folders import ENDINGS, check_nested, images_below, split_folders
from sitegen.data.layouts.label_styles import LabelStyle
from sitegen.data.layouts.tables import KNOWN_COLUMNS, read_table
from sitegen.data.records import Record, one_of
from sitegen.data.rows import columns_of, sex, years
from sitegen.data.splits import COLUMNS
from sitegen.errors import DataError
from sitegen_runtime.errors import ImageError
from sitegen_runtime.formats.dicom.header import Header
from sitegen_runtime.formats.dicom.reader import read_header
from sitegen_runtime.formats.dicom.terms import BODY_PARTS, VIEWS, known_word
from sitegen_runtime.formats.sniff import begins_as_dicom

_START = 132
"""Bytes of a file that tell whether it is DICOM."""
_HEADER_BYTES = 16 << 20
"""How much of a file is read for its header."""
_WANTED = {
    0x00100020: "PatientID",
    0x00100040: "PatientSex",
    0x00101010: "PatientAge",
    0x00180015: "BodyPartExamined",
    0x00185101: "ViewPosition",
}
"""What a data set needs to know of its patients: a prediction reads none of the first three."""
_INDEX = "DICOMDIR"


def dicom_files(folder: Path) -> list[Path]:
    """Return all DICOM files in a folder and its folders, sorted; hidden ones and indices of media are left out.

    Files whose ending is an image's are not looked into.
    """
    return sorted(_found(folder))


def holds_dicom(folder: Path) -> bool:
    """Return whether there is any DICOM file in a folder or its folders."""
    return next(_found(folder), None) is not None


def read_dicom_folder(folder: Path, labels: LabelStyle | None = None) -> list[Record]:
    """Return the records of a folder of DICOM files: those that its table lists, in that order, or all, by path.

    `labels` says how the table has its labels. See `with_headers` for the rest. Raises DataError where there are other
    images too, several tables, none for `labels`, or no DICOM file at all.
    """
    files = dicom_files(folder)
    others = len(images_below(folder))
    if not files or others:
        raise DataError(
            f"{folder} has {len(files)} DICOM files and {others} other images, and should have DICOM files alone. "
            "Name a folder of these, or a CSV file that lists the images."
        )
    table = _table(folder)
    if labels and not table:
        raise DataError(f"{folder} has no CSV file with a column for the file, and so no column of labels. Add one.")
    roots = split_folders(folder) or {folder: ""}
    records = read_table(table, labels=labels) if table else _listed(files, folder, roots)
    records = with_headers(records, folder)
    return records if any(record.labels for record in records) else _with_classes(records, folder, list(roots))


def with_headers(records: Iterable[Record], folder: Path) -> list[Record]:
    """Return the records, those of DICOM files with what they lack from the files' headers.

    Age, sex, view (in capitals) and body part (in small letters) are so filled in, and the source from the folder's
    name. A patient that is not known yet becomes source and a short hash of PatientID, with ":" between, or source and
    path where there is no PatientID. A header that cannot be read says nothing; nor does an age that is none, or a view
    or a body part that is not known: files may have a name there.
    """
    return [_with_header(record, folder) for record in records]


def _found(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part[0] == "." for part in path.relative_to(folder).parts)
        looked_into = path.suffix.lower() not in ENDINGS and path.name != _INDEX and not hidden
        if looked_into and path.is_file() and begins_as_dicom(_start(path)):
            yield path


def _with_header(record: Record, folder: Path) -> Record:
    path = record.path
    if path.suffix.lower() in ENDINGS or not begins_as_dicom(_start(path)):
        return record
    header = _header(path)
    source = record.source or folder.resolve().name
    unknown = folder / record.patient == path
    view, body_part = (
        known_word(header.code("ViewPosition"), VIEWS),
        known_word(header.code("BodyPartExamined"), BODY_PARTS),
    )
    return replace(
        record,
        patient=f"{source}:{_pseudonym(header.first('PatientID')) or record.patient}" if unknown else record.patient,
        source=source,
        age=_age(_said(header, "PatientAge")) if record.age is None else record.age,
        sex=record.sex or sex(_said(header, "PatientSex")),
        view=record.view or view,
        body_part=record.body_part or body_part.lower(),
    )


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_START)
    except OSError:
        return b""


def _header(path: Path) -> Header:
    try:
        with path.open("rb") as file:
            return read_header(file.read(_HEADER_BYTES), _WANTED)
    except (OSError, ImageError):  # the audit says what is wrong with the file
        return Header()


def _pseudonym(patient_id: bytes) -> str:
    """Return what tells patients apart without saying who they are to those who do not know their IDs; "" for none."""
    return sha256(patient_id).hexdigest()[:12] if patient_id else ""


def _said(header: Header, name: str) -> str:
    return header.first(name).decode("ascii", "replace")


def _age(text: str) -> float | None:
    try:
        return years(text)
    except ValueError:
        return None


def _table(folder: Path) -> Path | None:
    """The one table of images in a folder. A split that was written there is none."""
    candidates = sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")])
    headers = {path: columns_of(path) for path in candidates}
    files = set(KNOWN_COLUMNS["file"])
    tables = [
        path for path, header in headers.items() if files & set(map(str.lower, header)) and header != list(COLUMNS)
    ]
    if len(tables) > 1:
        raise DataError(
            f"{folder} has several tables: {', '.join(path.name for path in tables)}. Name the one to read."
        )
    return tables[0] if tables else None


def _listed(files: Sequence[Path], folder: Path, roots: dict[Path, str]) -> list[Record]:
    def split(path: Path) -> str:
        return next(split for root, split in roots.items() if path.is_relative_to(root))

    return [Record(path, path.relative_to(folder).as_posix(), {}, split(path)) for path in files]


def _with_classes(records: Sequence[Record], folder: Path, roots: Sequence[Path]) -> list[Record]:
    """The records labelled by the folders that they lie in, where these are classes.

    They are not where there is only one, or where each holds one patient's images alone, as exports are laid out.
    """
    names = [_folder_name(record.path, roots) for record in records]
    patients: dict[str, set[str]] = {}
    for record, name in zip(records, names, strict=True):
        patients.setdefault(name, set()).add(record.patient)
    if "" in patients or len(patients) == 1 or all(len(inside) == 1 for inside in patients.values()):
        return list(records)
    check_nested(folder, [(_root(record.path, roots), record.path) for record in records])
    return [replace(record, labels=one_of(name, sorted(patients))) for record, name in zip(records, names, strict=True)]


def _root(path: Path, roots: Sequence[Path]) -> Path:
    return next(root for root in roots if path.is_relative_to(root))


def _folder_name(path: Path, roots: Sequence[Path]) -> str:
    """The name of the outermost folder, inside one of `roots`, that a file lies in; "" for none."""
    inside = [path.relative_to(root).parts for root in roots if path.is_relative_to(root)]
    return inside[0][0] if inside and len(inside[0]) > 1 else ""
