"""What is measured of an image that is no anatomy, in families: a new measure is a function and a row in `MEASURES`.

Numbers that spread over powers of ten are taken as logarithms. None is ever NaN.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sitegen.data.audit.shortcuts.folders import folders
from sitegen.data.audit.shortcuts.picture import Picture, Plane
from sitegen.data.audit.shortcuts.writing import written
from sitegen.data.records import Record

BORDER = 0.02  # of each side
CORNER = 0.08
_LEVEL = 1 / 255  # one grey level
_TINY = 1e-8  # below the variance of one grey level in a whole image


@dataclass(frozen=True)
class Measure:
    """A number of an image: its family, and what it is in words."""

    family: str
    words: str
    of: Callable[[Picture], float]


def border(plane: Plane) -> NDArray[np.float32]:
    """Return the outermost `BORDER` of an image on each side, one pixel at least, as one row of pixels."""
    rows, columns = (max(1, round(BORDER * length)) for length in plane.shape)
    inner = plane[rows:-rows, columns:-columns].size
    if inner == 0:
        return plane.ravel()
    parts = (plane[:rows], plane[-rows:], plane[rows:-rows, :columns], plane[rows:-rows, -columns:])
    return np.concatenate([part.ravel() for part in parts])


def corners(plane: Plane) -> NDArray[np.float64]:
    """Return the mean of each of the four corners, which reach in by `CORNER` of the sides: [4]."""
    rows, columns = (max(1, round(CORNER * length)) for length in plane.shape)
    parts = (plane[:rows, :columns], plane[:rows, -columns:], plane[-rows:, :columns], plane[-rows:, -columns:])
    return np.array([part.mean(dtype=np.float64) for part in parts])


def laplacian(plane: Plane) -> Plane:
    """Return four neighbours less four times each pixel, [height - 2, width - 2]; [1, 1] of 0 where nothing is left.

    Its variance is a common measure of focus (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy",
    2000), which edges decide; the median of its size tells the grain of what is neither edge nor letter.
    """
    if min(plane.shape) < 3:
        return np.zeros((1, 1), np.float32)
    around = plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:]
    return np.asarray(around - 4 * plane[1:-1, 1:-1], np.float32)


def _log(value: float) -> float:
    return float(np.log(value + _TINY))


def _focus(picture: Picture) -> float:
    return _log(float(np.var(laplacian(picture.square), dtype=np.float64)))


def _focus_as_stored(picture: Picture) -> float:
    return _log(float(np.var(laplacian(picture.plane), dtype=np.float64)))


def _grain(picture: Picture) -> float:
    return float(np.log(np.median(np.abs(laplacian(picture.plane))) + _LEVEL))


def _flat(picture: Picture) -> float:
    return float((np.abs(laplacian(picture.plane)) < _LEVEL / 2).mean())


def _fine(picture: Picture) -> float:
    return _focus(picture) - _log(float(np.var(picture.square, dtype=np.float64)))


def _spread(picture: Picture) -> float:
    low, high = np.quantile(picture.plane, (0.05, 0.95))
    return float(high - low)


def _aspect(picture: Picture) -> float:
    height, width = picture.plane.shape
    return float(np.log(width / height))


MEASURES: dict[str, Measure] = {
    "bytes": Measure("file size", "bytes of the file", lambda picture: _log(picture.stored)),
    "bytes a pixel": Measure(
        "file size", "bytes of the file for each pixel", lambda picture: _log(picture.stored / picture.plane.size)
    ),
    "quantisation": Measure("compression", "mean of a JPEG's quantisation tables", lambda picture: picture.table),
    "JPEG": Measure("compression", "whether it is a JPEG", lambda picture: float(picture.kind == "image/jpeg")),
    "PNG": Measure("compression", "whether it is a PNG", lambda picture: float(picture.kind == "image/png")),
    "DICOM": Measure("compression", "whether it is DICOM", lambda picture: float(picture.kind == "application/dicom")),
    "focus": Measure("sharpness", "variance of the Laplacian of the centred square, scaled to 224 pixels", _focus),
    "focus as stored": Measure("sharpness", "the same of the pixels as stored", _focus_as_stored),
    "fine detail": Measure("sharpness", "focus as a share of the variance of the square", _fine),
    "grain": Measure("sharpness", "median size of the Laplacian of the pixels as stored", _grain),
    "flat": Measure("sharpness", "share of the pixels whose Laplacian is 0", _flat),
    "deviation": Measure("contrast", "standard deviation of the grey", lambda picture: float(picture.plane.std())),
    "range": Measure("contrast", "from the 5th to the 95th percentile of the grey", _spread),
    "mean": Measure("mean grey", "mean of the grey", lambda picture: float(picture.plane.mean())),
    "median": Measure("mean grey", "median of the grey", lambda picture: float(np.median(picture.plane))),
    "border mean": Measure("border", "mean of the border", lambda picture: float(border(picture.plane).mean())),
    "border deviation": Measure(
        "border", "standard deviation of the border", lambda picture: float(border(picture.plane).std())
    ),
    "border black": Measure(
        "border", "share of the border that is black", lambda picture: float((border(picture.plane) < 0.02).mean())
    ),
    "corner mean": Measure("corners", "mean of the corners", lambda picture: float(corners(picture.plane).mean())),
    "darkest corner": Measure("corners", "grey of the darkest", lambda picture: float(corners(picture.plane).min())),
    "brightest corner": Measure(
        "corners", "grey of the brightest", lambda picture: float(corners(picture.plane).max())
    ),
    "aspect": Measure("aspect", "width by height", _aspect),
    "width": Measure("size", "width in pixels", lambda picture: _log(picture.plane.shape[1])),
    "height": Measure("size", "height in pixels", lambda picture: _log(picture.plane.shape[0])),
    "written things": Measure(
        "text", "number of small bright things near corners", lambda picture: written(picture).things
    ),
    "written area": Measure("text", "area of them", lambda picture: written(picture).area),
}
"""Measures of the image, by name."""

Categories = Mapping[str, Sequence[str]]


def categories(records: Sequence[Record], names: Sequence[str] = ()) -> dict[str, tuple[str, list[str]]]:
    """Return what the records say that is no image: by name the family, and a category for each record.

    `names` are the data's own names of labels, after which folders may be called: see `folders`.
    """
    return {
        "source": ("source", [record.source for record in records]),
        "folder": ("folder", folders(records, names)),
        "view": ("view", [record.view for record in records]),
        "age known": ("metadata", ["" if record.age is None else "known" for record in records]),
        "sex": ("metadata", [record.sex for record in records]),
    }


def images_of_patients(records: Sequence[Record]) -> list[float]:
    """Return the logarithm of how many of the images are of each record's patient."""
    counts = Counter(record.patient for record in records)
    return [float(np.log(counts[record.patient])) for record in records]


PATIENTS_IMAGES = "patient's images"
TOGETHER, BOOSTED = "all together", "all together, trees"
SURROUNDINGS = "surroundings"
IMAGE_FAMILIES = tuple(dict.fromkeys(measure.family for measure in MEASURES.values()))
RECORD_FAMILIES = ("source", "folder", "view", "metadata", PATIENTS_IMAGES)
FAMILIES = (*IMAGE_FAMILIES, *RECORD_FAMILIES, TOGETHER, BOOSTED, SURROUNDINGS)
"""All families, in the order of tables: of image and record, of all together, and the image without its middle."""
