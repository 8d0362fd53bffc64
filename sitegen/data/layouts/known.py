"""Data sets told by what lies in their folders, each read by its reader."""

from collections.abc import Callable
from pathlib import Path

from sitegen.data.layouts import nih, padchest
from sitegen.data.layouts.class_folders import read_class_folders
from sitegen.data.layouts.dicom import holds_dicom, read_dicom_folder, with_headers
from sitegen.data.layouts.label_styles import LabelStyle
from sitegen.data.layouts.manifest import COLUMNS, MANIFEST, read_manifest
from sitegen.data.layouts.midrc import is_midrc, read_midrc
from sitegen.data.layouts.mura import read_mura
from sitegen.data.layouts.tables import read_table
from sitegen.data.records import Record
from sitegen.data.rows import columns_of
from sitegen.errors import DataError


def read_dataset(place: Path, labels: LabelStyle | None = None) -> list[Record]:
    """Return the records of a folder in a layout that is known here, or of a CSV file with a row for each image.

    A folder is looked at for, in this order: the project's manifest, the NIH's table, PadChest's table, MURA's
    folders, MIDRC's, DICOM files, a folder for each class. `labels` says how a manifest or another CSV file has its
    labels. Patients in several splits are not looked for: see `records.check_patients`.

    Raises DataError where there is nothing of the sort, where `labels` is given and the layout has its own, or what
    the layout's reader raises.
    """
    if place.is_file():
        return _read_file(place, labels)
    if not place.is_dir():
        raise DataError(f"{place} does not exist. Name a folder of images or a CSV file.")
    if (place / MANIFEST).is_file():
        return _read_file(place / MANIFEST, labels)
    found = _reader(place)
    if found is read_dicom_folder:
        return read_dicom_folder(place, labels)
    if labels:
        raise _own_labels(place)
    return found(place)


def _reader(folder: Path) -> Callable[[Path], list[Record]]:
    if nih.find_table(folder):
        return nih.read_nih
    if padchest.find_table(folder):
        return padchest.read_padchest
    if any(folder.glob("*/XR_*")):
        return read_mura
    if is_midrc(folder):
        return read_midrc
    return read_dicom_folder if holds_dicom(folder) else read_class_folders


def _read_file(path: Path, labels: LabelStyle | None) -> list[Record]:
    if path.name == MANIFEST and set(COLUMNS) <= set(columns_of(path)):
        return with_headers(read_manifest(path.parent, labels, check=False), path.parent)
    own = path.match(nih.TABLES) or path == padchest.find_table(path.parent)
    if not own:
        return with_headers(read_table(path, labels=labels), path.parent)
    if labels:
        raise _own_labels(path)
    return nih.read_nih(path.parent, path) if path.match(nih.TABLES) else padchest.read_padchest(path.parent)


def _own_labels(place: Path) -> DataError:
    return DataError(f"{place} is of a layout that has its own labels. Name a column of labels for a CSV file only.")
