"""NIH ChestX-ray14, as the NIH Clinical Center publishes it (Wang et al., CVPR 2017).

    Data_Entry_2017.csv, Data_Entry_2017_v2020.csv       one row an image
    train_val_list.txt, test_list.txt                    the official split, one file name a line
    images_001/images/*.png … images_012/images/*.png    or all of them in one folder

The table's column is "Patient Sex" or "Patient Gender", an age 58 or 058Y, by the copy that one has.
The labels were mined from reports: each of the 14 findings is present or absent in every image, none is unknown.
"""

from collections.abc import Iterable
from pathlib import Path

from sitegen.data.records import Record, any_of
from sitegen.data.rows import Row, columns_of, in_row, read_rows, sex, years
from sitegen.errors import DataError

FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
"""The 14 findings, in the order of the publication."""

NOTHING = "No Finding"
TABLES = "Data_Entry_2017*.csv"
SPLITS = {"train_val": "train_val_list.txt", "test": "test_list.txt"}
SOURCE = "nih"
_COLUMNS = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "View Position")
_SEX = ("Patient Sex", "Patient Gender")


def read_nih(folder: Path, table: Path | None = None) -> list[Record]:
    """Return the records of a copy of ChestX-ray14, in the order of its table, the newest where none is named.

    `split` is "train_val" or "test", as the NIH's lists have it, "" for images in neither. Patients are "nih:" and
    the NIH's number in eight digits. Ages are as published, the impossible ones too. The path of an image that is not
    there is where it would be in one folder; see `records.present`.

    Raises DataError where the table is missing or holds a finding that is not one of the 14.
    """
    table = table or find_table(folder)
    if table is None:
        raise DataError(f"{folder} has no {TABLES}. Name the folder that holds the NIH's table.")
    paths = image_paths(folder)
    splits = _official_split(folder)
    sex_column = next((name for name in _SEX if name in columns_of(table)), None)
    records = []
    for number, row in enumerate(read_rows(table, _COLUMNS)):
        name = row["Image Index"]
        try:
            records.append(_record(row, paths.get(name, folder / "images" / name), splits.get(name, ""), sex_column))
        except ValueError as problem:
            raise in_row(table, number, problem) from problem
    return records


def find_table(folder: Path) -> Path | None:
    """Return the table of the images in a folder, the newest of several, or None."""
    return max(folder.glob(TABLES), default=None)


def image_paths(folder: Path, endings: Iterable[str] = (".png",)) -> dict[str, Path]:
    """Return the image files anywhere below a folder by their names."""
    allowed = {ending.lower() for ending in endings}
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in allowed)
    return {path.name: path for path in found}


def _official_split(folder: Path) -> dict[str, str]:
    lists = {split: folder / file for split, file in SPLITS.items()}
    return {
        line.strip(): split
        for split, path in lists.items()
        if path.is_file()
        for line in path.read_text("utf-8").splitlines()
        if line.strip()
    }


def _record(row: Row, path: Path, split: str, sex_column: str | None) -> Record:
    found = [name.strip() for name in row["Finding Labels"].split("|")]
    strange = [name for name in found if name not in FINDINGS and name != NOTHING]
    if strange:
        raise ValueError(f"{strange[0]!r} is none of the 14 findings")
    if NOTHING in found and len(found) > 1:
        raise ValueError(f"{row['Finding Labels']!r} contradicts itself")
    return Record(
        path,
        f"{SOURCE}:{int(row['Patient ID']):08d}",
        any_of(found, FINDINGS),
        split,
        SOURCE,
        years(row["Patient Age"]),
        sex(row[sex_column]) if sex_column else "",
        row["View Position"],
        "chest",
    )
