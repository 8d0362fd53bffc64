"""The stages of a job, in words, and how far through it each of them lies: what stands over a progress bar."""

from collections.abc import Iterator, Mapping
from typing import Any

NAMES = {
    "start": "Waiting for the model",
    "waiting": "Waiting",
    "compare": "Checking the graphics card",
    "bundle": "Loading the model",
    "check": "Checking the file",
    "pixels": "Scaling",
    "gate": "Is it like what the gate knows?",
    "classifier": "Classifying",
    "features": "Is it like what the gate knows?",
    "session": "Making the network ready",
    "explanation": "Finding what matters",
    "what-if": "Asking again",
    "projection": "Reconstructing",
    "attack": "Making the noise",
    "done": "Done",
}
_ANALYSIS = ("start", "compare", "bundle", "check", "pixels", "gate", "classifier", "features", "done")
ANALYSIS = {stage: number / len(_ANALYSIS) for number, stage in enumerate(_ANALYSIS, 1)}
# Most of the wait is the last one but one.
EXPLANATION = {
    "waiting": 0.0,
    "check": 0.02,
    "pixels": 0.06,
    "gate": 0.08,
    "classifier": 0.12,
    "features": 0.14,
    "session": 0.2,
    "explanation": 1.0,
    "done": 1.0,
}


def describe_stages(ends: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    """Yield `stage`, `name`, and where in the whole it `begins` and `ends` (0 to 1), for stages by where they end."""
    begins = 0.0
    for stage, end in ends.items():
        yield {"stage": stage, "name": NAMES[stage], "begins": begins, "ends": end}
        begins = end
