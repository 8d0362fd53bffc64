"""The strongest window of a bundle's explanations, for the same question as the worst window of a reconstruction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sitegen.bundle import load_bundle
from sitegen.errors import DataError, SettingsError
from sitegen.evaluation.anomaly.localisation import Window, named
from sitegen.evaluation.explanations.graphs import Graphs, draw, open_graphs, why_not
from sitegen.evaluation.explanations.localisation.regions import frame_of
from sitegen.evaluation.explanations.seeing import SeenImage, see
from sitegen.evaluation.explanations.similarity import Map
from sitegen.evaluation.reconstructions.planes import images_by_name
from sitegen.evaluation.reconstructions.windows import float_window_sums, window_places
from sitegen.parallel import shown
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import Model
from sitegen_runtime.maps.methods import METHODS


@dataclass
class Explained:
    """The windows of each method, and the images without, with the reason."""

    windows: dict[str, list[Window]]
    problems: list[dict[str, str]] = field(default_factory=list)


def of_explanations(
    folder: Path,
    images: Path,
    methods: Sequence[str],
    size: int,
    *,
    finding: str | None = None,
    force: bool = False,
) -> Explained:
    """Return of each image the window of `size` cells of the classifier's input in which a map's positive values sum up
    to most, by method. `finding` None is each image's most probable.

    Images that the gate refuses are left out unless `force`, as are maps without a positive value. Raises SettingsError
    for a method, finding or size that the bundle does not have.
    """
    bundle = load_bundle(folder)
    graphs, predictor = open_graphs(bundle), Predictor(bundle)
    for method in methods:
        if method not in METHODS:
            raise SettingsError(f"{method!r} is no method of explanation; there are {', '.join(METHODS)}.")
        if reason := why_not(graphs, method):
            raise SettingsError(f"{folder} has no maps of {method!r}: {reason}")
    chosen = None if finding is None else _finding(bundle.model, finding)
    found = Explained({method: [] for method in methods})
    paths = images_by_name(images)
    for name, path in shown(paths.items(), len(paths), "images"):
        seen = see(predictor, path, force=force)
        if isinstance(seen, str):
            found.problems.append({"file": str(path), "problem": seen})
            continue
        _look(found, graphs, seen, (name, path), size, int(np.argmax(seen.logits)) if chosen is None else chosen)
    if not any(found.windows.values()):
        first = found.problems[0] if found.problems else {"file": str(images), "problem": "It has no images."}
        raise DataError(f"No image of {images} has a map. The first, {first['file']}: {first['problem']}")
    return found


def _look(found: Explained, graphs: Graphs, seen: SeenImage, image: tuple[str, Path], size: int, finding: int) -> None:
    name, path = image
    frame = frame_of(seen.square, seen.width, seen.height)
    for method, windows in found.windows.items():
        given = draw(graphs, seen.image, finding, method)
        place = strongest(given, size)
        if place is None:
            found.problems.append({"file": str(path), "problem": f"The map of {method} has no positive value."})
        else:
            windows.append(Window(*named(name, None), *place, size, given.shape[1], given.shape[0], frame))


def strongest(given: Map, size: int) -> tuple[int, int] | None:
    """Return column and row of the window in which positive values sum up to most; None where there are none.

    Raises SettingsError where the window is larger than the map.
    """
    positive = np.maximum(given, 0.0)
    if not positive.any():
        return None
    try:
        places = [window_places(length, size, 1) for length in given.shape]
    except ValueError as error:
        raise SettingsError(f"{error} of the map. Name smaller patches.") from error
    sums = float_window_sums(positive / positive.max(), size, *places)
    row, column = divmod(int(sums.argmax()), sums.shape[1])
    return column, row


def _finding(model: Model, finding: str) -> int:
    names = [label.name for label in model.labels]
    if finding not in names:
        raise SettingsError(f"The model has no finding {finding!r}; it has {', '.join(names)}. Name one of these.")
    return names.index(finding)
