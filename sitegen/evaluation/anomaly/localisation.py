"""Does the worst window overlap the anomaly? Of windows by distances, and of the strongest window of heat maps alike.

The share of images has an interval by bootstrap over patients, and stands beside chance: the share of all windows of
the image that overlap the anomaly, whichever is taken. A large anomaly is hit by most.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from sitegen.errors import DataError
from sitegen.evaluation.anomaly.document_types import LocalisationStudyDocument, LocalisedDocument
from sitegen.evaluation.anomaly.regions import Anomaly
from sitegen.evaluation.explanations.localisation.boxes import image_name, nih_patient
from sitegen.evaluation.explanations.localisation.regions import Boxes, Frame
from sitegen.evaluation.gate.resampling import draws_by_patient, interval_of
from sitegen.evaluation.reconstructions.measured import DISTANCES
from sitegen.evaluation.reconstructions.patches import Patches, worst
from sitegen.evaluation.reconstructions.planes import images_by_name, largest_grey, read_plane
from sitegen.evaluation.reconstructions.table import PLACE, numbers, read_table
from sitegen.evaluation.reconstructions.windows import window_sums
from sitegen.metrics.resampling import share_of_draws

SCHEMA = "sitegen.anomaly-localisation/1"


@dataclass(frozen=True)
class Window:
    """A chosen window of an image: the image's name and patient, the corner in the plane that was looked at.

    The plane has `width` x `height` pixels and lies at `frame` in the whole picture.
    """

    image: str
    patient: str
    x: int
    y: int
    size: int
    width: int
    height: int
    frame: Frame = field(default_factory=Frame)

    def chosen(self) -> Boxes:
        """Return the window, [1, 4], in shares of the whole picture."""
        return self._shares(np.array([self.x]), np.array([self.y]))

    def every(self) -> Boxes:
        """Return all windows of this size, [N, 4], in the same shares."""
        x, y = np.meshgrid(np.arange(self.width - self.size + 1), np.arange(self.height - self.size + 1))
        return self._shares(x.ravel(), y.ravel())

    def _shares(self, x: np.ndarray, y: np.ndarray) -> Boxes:
        sides = np.stack([x, y, x + self.size, y + self.size], axis=1) / ([self.width, self.height] * 2)
        return np.asarray(sides * ([self.frame.width, self.frame.height] * 2) + [self.frame.left, self.frame.top] * 2)


def of_table(path: Path, distances: Sequence[str] = DISTANCES) -> dict[str, list[Window]]:
    """Return the worst windows of a table of distances, by distance; images without are left out.

    Raises DataError where the table has none, or a cell is no number.
    """
    rows = read_table(path)
    columns = {name: numbers(path, rows, name) for name in ("width", "height", "patch", *PLACE)}
    found = {}
    for distance in distances:
        places = [numbers(path, rows, f"patch_{distance}_{axis}") for axis in "xy"]
        windows = []
        for at, row in enumerate(rows):
            cells = [column[at] for column in (*places, *columns.values())]
            known = [cell for cell in cells if cell is not None]
            if len(known) == len(cells):
                x, y, width, height, size = map(int, known[:5])
                frame = Frame(*known[5:])
                windows.append(Window(*named(row["image"], row.get("patient")), x, y, size, width, height, frame))
        if windows:
            found[distance] = windows
    if not found:
        raise DataError(f"{path} has no worst patches. Measure them: sitegen evaluate reconstructions --region patch")
    return found


def of_heat_maps(folder: Path, patches: Patches) -> list[Window]:
    """Return the window of each heat map (grey: the brighter, the stronger) with the largest sum.

    A heat map is of the whole picture, at any resolution. Raises DataError where a window is larger than a map,
    PlaneProblem where one cannot be read.
    """
    windows = []
    for name, path in images_by_name(folder).items():
        plane = read_plane(path)
        try:
            places = patches.places(plane)
        except ValueError as error:
            raise DataError(f"{path}: {error}. Name smaller patches.") from error
        sums = window_sums(plane.astype(np.int64), patches.size, *places, largest_grey(plane))
        found = worst(sums.astype(np.float64), plane, patches)
        windows.append(Window(*named(name, None), found.x, found.y, patches.size, plane.shape[1], plane.shape[0]))
    return windows


def localise(
    windows: Mapping[str, Sequence[Window]],
    anomalies: Mapping[str, Anomaly],
    called: tuple[str, str],
    resamples: int = 1000,
    seed: int = 0,
) -> LocalisationStudyDocument:
    """Return how often windows, by what chose them, overlap the anomalies of their images.

    An image's name may have a prefix before the anomaly's, as `boxes` says. `called` is what windows and anomalies are
    called. Raises DataError where no image has both.
    """
    windows = {distance: [_matched(each, anomalies) for each in part] for distance, part in windows.items()}
    every = {each.image for part in windows.values() for each in part}
    if not every & anomalies.keys():
        raise DataError(
            f"None of the {len(every)} images of {called[0]} has an anomaly in {called[1]}, by their names. The first "
            f"is called {min(every)}. Name the table or masks of these images."
        )
    return {
        "schema": SCHEMA,
        "windows": called[0],
        "anomalies": called[1],
        "resamples": resamples,
        "seed": seed,
        "without_anomaly": len(every - anomalies.keys()),
        "without_window": sorted(anomalies.keys() - every),
        "localised": [
            _figures(distance, [each for each in part if each.image in anomalies], anomalies, resamples, seed)
            for distance, part in windows.items()
            if any(each.image in anomalies for each in part)
        ],
    }


def hits(windows: Sequence[Window], anomalies: Mapping[str, Anomaly]) -> Iterator[tuple[bool, float]]:
    """Yield whether each window overlaps its image's anomaly, and the share (0..1) of all windows that do."""
    for each in windows:
        anomaly = anomalies[each.image]
        yield bool(anomaly.overlaps(each.chosen())[0]), float(anomaly.overlaps(each.every()).mean())


def _figures(
    distance: str, windows: Sequence[Window], anomalies: Mapping[str, Anomaly], resamples: int, seed: int
) -> LocalisedDocument:
    found, chance = (np.array(part) for part in zip(*hits(windows, anomalies), strict=True))
    patients = [each.patient for each in windows]
    draws = draws_by_patient(patients, ["anomaly"] * len(windows), resamples, seed)
    shares = share_of_draws(found, draws)
    by_chance = np.asarray(draws @ chance / draws.sum(axis=1))
    return {
        "distance": distance,
        "images": len(windows),
        "patients": len(set(patients)),
        "hits": interval_of(shares),
        "deviation": float(shares[1:].std(ddof=1)),
        "chance": float(chance.mean()),
        "above_chance": interval_of(shares - by_chance),
        "covered": float(np.mean([anomalies[each.image].covered() for each in windows])),
    }


def _matched(window: Window, anomalies: Mapping[str, Anomaly]) -> Window:
    """The window, under the name that its image has among the anomalies."""
    name = window.image
    names = [name, *(name[at + 1 :] for at, letter in enumerate(name) if letter == "_")]
    return replace(window, image=next((each for each in names if each in anomalies), name))


def named(image: str, patient: str | None) -> tuple[str, str]:
    """Return what an image is called here, and whose it is: the NIH's names tell, else it is a patient of its own."""
    name = image_name(image)
    return name, patient or nih_patient(name) or name
