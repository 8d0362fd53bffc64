"""Words of "Reconstruct more closely": what the page offers beside the gate, and what came out.

What stands in braces the page fills in. Nothing here says that a difference is a finding: a generator fails at what is
rare, too.
"""

from math import log10
from typing import Any

from sitegen_runtime.bundle.model import Model
from sitegen_runtime.document_types import ProjectionDocument
from sitegen_runtime.projection.loop import ROLE
from sitegen_runtime.projection.schedule import EACH, ONE
from sitegen_runtime.running import image_input

PROJECTION: dict[str, str] = {
    "name": "Reconstruct more closely",
    "hint": (
        "A generator that has learned to draw images like those of the model's training searches for the drawing that "
        "comes nearest to this image. What it cannot draw may be unusual, or only rare among the images that it has "
        "seen: it is no finding. With a latent for each layer it comes nearer, and draws what no real image looks like."
    ),
    "steps": "Steps",
    "seconds": "Stop after",
    "space": "Latents",
    "start": "Reconstruct",
    "cancel": "Cancel",
    "again": "Reconstruct again",
    "working": "Reconstructing",
    "progress": "Progress of the reconstruction",
    "live": "The drawing as far as it has come",
    "step": "Step {step} of {steps}",
    "curve": "How far the drawing is from the image, from the first step to the last; lower is nearer",
    "image": "The image as the generator is shown it",
    "reconstruction": "The nearest drawing that was found",
    "errors": "Where they differ; the frame is the square in which they differ most",
    "report_title": "Reconstructed by a generator",
}
STEPS = (100, 200, 500, 1000)
SECONDS = (15, 30, 60, 300)
_SPACES = {ONE: "one for all layers", EACH: "one for each layer"}
_FINEST = 1e-5  # of the range's square: what the curve's lower end is


def describe_offer(model: Model) -> dict[str, Any] | None:
    """Return what the page offers for a model, None where it has no generator.

    Keys: `steps` and `seconds`, each a list of `value` and `name`; `spaces`, likewise; `chosen`, the value of each that
    comes first; `side` in cells.
    """
    if ROLE not in model.graphs:
        return None
    return {
        "steps": [{"value": steps, "name": f"{steps}"} for steps in STEPS],
        "seconds": [{"value": seconds, "name": f"{seconds} seconds"} for seconds in SECONDS],
        "spaces": [{"value": space, "name": name} for space, name in _SPACES.items()],
        "chosen": {"steps": 200, "seconds": 60, "space": ONE},
        "side": image_input(model, ROLE).side,
    }


def describe_projection(entry: ProjectionDocument, side: int) -> dict[str, Any]:
    """Return what to say of a projection, for a generator of so many cells along a side.

    Keys: `summary`, `details` (sentences); `curve`, pairs from 0 to 1 (share of the steps; height, 0 the lowest);
    `frame`, the worst patch as shares of the side: left, top, side.
    """
    worst = entry["worst"]
    done, asked = entry["steps"], entry["steps_asked"]
    early = "" if done == asked else f" The time was up after {done} of {asked} steps; more may come nearer."
    place = f"{_third(worst['y'], worst['size'], side, ('upper', 'middle', 'lower'))} {_across(worst, side)}".strip()
    return {
        "summary": (
            f"Reconstructed in {done} steps: the mean squared error is {_error(entry['error'])} of the range's square, "
            f"the similarity {entry['similarity']:.3f}.{early}"
        ),
        "details": [
            f"Image and drawing differ most in a square of {worst['size']} × {worst['size']} cells in the {place} "
            f"of the picture, with a mean squared error of {_error(worst['error'])}.",
            f"Seed {entry['seed']}, which always gives the same drawing. Latents: {_SPACES[entry['space']]}.",
        ],
        "curve": heights(entry["distances"], asked),
        "frame": [worst["x"] / side, worst["y"] / side, worst["size"] / side],
    }


def heights(distances: list[list[float]], steps: int) -> list[list[float]]:
    """Return a curve's points from 0 to 1: how far along, and how high on a logarithmic scale up to 1, the range."""
    low = log10(_FINEST)
    return [
        [min(1.0, step / steps), min(1.0, max(0.0, 1 - log10(max(distance, _FINEST)) / low))]
        for step, distance in distances
    ]


def _error(value: float) -> str:
    return f"{value:.5f}"


def _third(start: int, size: int, side: int, names: tuple[str, str, str]) -> str:
    return names[min(2, int(3 * (start + size / 2) / side))]


def _across(worst: Any, side: int) -> str:
    return _third(worst["x"], worst["size"], side, ("left", "centre", "right"))
