"""Images of each set that a gate finds most alike and most unlike, with the error in red and the reconstruction.

Figures 4 and 7 of Chester 2019, E.1 of 2020. A report with a gallery contains the images themselves.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.data.tensors.cache import image_tensors
from sitegen.evaluation.gate.detectors import GateImages
from sitegen.evaluation.gate.scored import GateScored
from sitegen.gate.quantiles import unlikeness
from sitegen_runtime.gate.metrics import SSIM
from sitegen_runtime.gate.reconstruction_scores import absolute_errors, as_shares
from sitegen_runtime.maps.heat_map import error_overlay

SHOWN = 3  # of either kind, for each set
GAP = 2  # pixels between the three pictures of an image
QUALITY = 90  # of the JPEG: hundreds of pictures have to fit into one file
ORDERS = (SSIM, "l2")  # as in both papers' galleries
_ROLE = "gate"

Shares = NDArray[np.float64]


def galleries_of(scored: GateScored, images: GateImages, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return the galleries of a model: name (`model`), metric (`by`), and what `gallery` returns (`sets`)."""
    known = [metric for metric in ORDERS if metric in scored.metrics]
    return [{"model": scored.name, "by": metric, "sets": gallery(scored, images, rows, metric)} for metric in known]


def gallery(
    scored: GateScored, images: GateImages, rows: Sequence[int], metric: str = SSIM, shown: int = SHOWN
) -> list[dict[str, Any]]:
    """Return for each set the images that are most alike and most unlike by a metric; small sets as a whole.

    `rows` are the places of the images, inside before outside, among those that were scored. Each entry has `set`,
    `group`, and lists `alike` and `unlike` of `file` (its name alone), `score` and `source`, a data URI of three
    pictures side by side: the image, the image with the error in red, the reconstruction.
    """
    paths = [*(record.path for record in images.inside), *(image.path for image in images.outside)]
    values = scored.metrics[metric][list(rows)]
    unlike = unlikeness(metric, values)
    found = []
    for group, name, members in _sets(images):
        ordered = members[np.argsort(unlike[members], kind="stable")].tolist()
        chosen = {
            "alike": ordered[: min(shown, (len(ordered) + 1) // 2)],
            "unlike": ordered[max(len(ordered) - shown, (len(ordered) + 1) // 2) :],
        }
        entry: dict[str, Any] = {"set": name, "group": group}
        for kind, places in chosen.items():
            entry[kind] = [
                {
                    "file": paths[at].name,
                    "score": float(values[at]),
                    "source": _picture(paths[at].read_bytes(), scored, rows[at]),
                }
                for at in places
            ]
        found.append(entry)
    return found


def _sets(images: GateImages) -> list[tuple[str, str, NDArray[np.int64]]]:
    inside = [("inside", source, images.of_source(source)) for source in images.sources]
    outside = [
        (group, category, len(images.inside) + images.of_category(category))
        for category, group in images.categories.items()
    ]
    return [*inside, *outside]


def _picture(raw: bytes, scored: GateScored, row: int) -> str:
    """The image as the network sees it, where it fails to rebuild it, and what it makes of it."""
    entry = scored.image
    given = as_shares(image_tensors(raw, {_ROLE: entry})[_ROLE].ravel().tolist(), entry)
    rebuilt = [plane.ravel().tolist() for plane in scored.reconstructions[row].astype(np.float64)]
    seen, drawn = _grey(given, entry.side), _grey(rebuilt, entry.side)
    overlay = Image.frombytes("RGBA", seen.size, error_overlay(absolute_errors(given, rebuilt)))
    marked = Image.alpha_composite(seen.convert("RGBA"), overlay).convert("RGB")
    return _uri([seen.convert("RGB"), marked, drawn.convert("RGB")])


def _grey(planes: Sequence[Sequence[float]], side: int) -> Image.Image:
    """The mean of the channels' shares, 0 black and 1 white, as 8 bits."""
    shares = np.clip(np.mean(planes, axis=0), 0, 1)
    return Image.fromarray(np.rint(255 * shares).astype(np.uint8).reshape(side, side))


def _uri(pictures: Sequence[Image.Image]) -> str:
    width, height = pictures[0].size
    strip = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, height), "white")
    for at, picture in enumerate(pictures):
        strip.paste(picture, (at * (width + GAP), 0))
    out = BytesIO()
    strip.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + b64encode(out.getvalue()).decode("ascii")


Galleries = Sequence[Mapping[str, Any]]
"""What `galleries_of` returns, of every model."""
