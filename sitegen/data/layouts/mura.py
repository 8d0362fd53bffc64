"""MURA, bone radiographs, as the Stanford ML Group publishes it (Rajpurkar et al., MIDL 2018).

    train/XR_ELBOW/patient00011/study1_negative/image1.png
    valid/XR_WRIST/patient11185/study2_positive/image3.png

A study is judged as a whole: all of its images are abnormal (positive) or none is.
"""

import re
from pathlib import Path

from sitegen.data.records import Record
from sitegen.errors import DataError

LABEL = "Abnormal"
SOURCE = "mura"
_PLACE = re.compile(r"(train|valid)/XR_([A-Z]+)/(patient\d+)/study\d+_(positive|negative)/[^/.][^/]*")


def read_mura(folder: Path) -> list[Record]:
    """Return the records of a copy of MURA, sorted by path; `body_part` is "elbow", "wrist", …

    Raises DataError where there is no such image.
    """
    records = []
    for path in sorted(folder.glob("*/XR_*/patient*/study*/*.png")):
        found = _PLACE.fullmatch(path.relative_to(folder).as_posix())
        if found:
            split, part, patient, verdict = found.groups()
            labels = {LABEL: float(verdict == "positive")}
            records.append(Record(path, f"{SOURCE}:{patient}", labels, split, SOURCE, body_part=part.lower()))
    if not records:
        raise DataError(
            f"{folder} has no studies such as train/XR_ELBOW/patient00011/study1_negative. Name MURA's folder."
        )
    return records
