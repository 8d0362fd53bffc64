"""What concepts do, with intervals over patients, as JSON can hold it; and as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from rich.text import Text

from sitegen.evaluation.concepts.document_types import EffectDocument, FindingEffect, NodeDocument, PlaceDocument
from sitegen.evaluation.concepts.effects import INTERVENTIONS, ImageEffects
from sitegen.evaluation.report.terminal import table as table_of
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.resampling import interval_by_patient

SCHEMA = "sitegen.concepts/1"


def node_documents(
    found: Sequence[ImageEffects], files: Sequence[str], patients: Sequence[str], labels: Sequence[str],
    strongest: int, resamples: int, seed: int,
) -> list[NodeDocument]:  # fmt: skip
    """Return each concept's effects, with intervals of 95 % over patients, and its strongest places, one an image."""
    probability = np.stack([each.probability for each in found])  # [images, interventions, nodes, labels]
    logit = np.stack([each.logit for each in found])

    every, tops = np.arange(len(found)), np.array([each.top for each in found])

    def of(values: NDArray[np.float64]) -> IntervalDocument:
        return mean_interval(values, patients, resamples, seed)

    made: list[NodeDocument] = []
    for node in range(probability.shape[2]):
        effects: dict[str, EffectDocument] = {
            name: {
                "probability": of(probability[:, at, node].mean(axis=1)),
                "logit": of(logit[:, at, node].mean(axis=1)),
                "top": of(probability[every, at, node, tops]),
            }
            for at, name in enumerate(INTERVENTIONS)
        }
        findings: list[FindingEffect] = [
            {"label": label, "probability": of(probability[:, 0, node, at]), "logit": of(logit[:, 0, node, at])}
            for at, label in enumerate(labels)
        ]
        maps = [each.codes[node] for each in found]
        places = [place_of(maps[at], files[at]) for at in strongest_of(maps, strongest)]
        made.append({"node": node, "effects": effects, "findings": findings, "strongest": places})
    return made


def mean_interval(values: NDArray[np.float64], patients: Sequence[str], resamples: int, seed: int) -> IntervalDocument:
    """Return the mean of values, one an image, with its bootstrap interval over patients."""
    found = interval_by_patient(lambda draws: draws @ values / draws.sum(axis=1), patients, resamples, seed=seed)
    return {"value": found.value, "low": found.low, "high": found.high}


def strongest_of(maps: Sequence[NDArray[np.float32]], count: int) -> list[int]:
    """Return which `count` images have the strongest maps [H, W], the strongest first."""
    peaks = [float(each.max()) for each in maps]
    return sorted(range(len(maps)), key=lambda index: -peaks[index])[:count]


def place_of(given: NDArray[np.float32], file: str) -> PlaceDocument:
    """Return the centre of the strongest cell of a file's map [H, W]."""
    row, column = np.unravel_index(int(given.argmax()), given.shape)
    left, top = float((column + 0.5) / given.shape[1]), float((row + 0.5) / given.shape[0])
    return {"file": file, "left": left, "top": top, "value": float(given.max())}


def as_tables(document: Mapping[str, Any]) -> Iterator[Table | str]:
    """Return the table of the paper, on probability, and what each concept set to zero does to which finding most."""
    scales = {"probability": "means over images and findings", "top": "on each image's most probable finding"}
    for scale, words in scales.items():
        table = table_of(Text(f"Expected effects on probability, {words}"), "node", *INTERVENTIONS)
        for node in document["nodes"]:
            table.add_row(str(node["node"]), *(f"{each[scale]['value']:.2e}" for each in node["effects"].values()))
        yield table
    table = table_of(Text("Set to zero, a concept moves most"), "node", "finding", "effect on its logit", "from", "to")
    for node in document["nodes"]:
        most = max(node["findings"], key=lambda each: abs(each["logit"]["value"]))
        ends = (f"{most['logit'][key]:.3f}" for key in ("value", "low", "high"))
        table.add_row(str(node["node"]), Text(most["label"]), *ends)
    yield table
    moved = document["moved"]["value"]
    yield f"The autoencoder by itself moves a probability by {moved:.3f} at most, on average over images."


def as_second_label_tables(document: Mapping[str, Any]) -> Iterator[Table | str]:
    """Return what was set to zero, and the table of every finding."""
    numbers = ", ".join(str(each["unit"]) for each in document["units"])
    yield (
        f"Units of {document['layer']} that raise {document['second']}, chosen on {document['chosen_on']} image(s) and "
        f"set to zero on {document['images']} of other patients: {numbers}. Beside them the same less the mean effect "
        f"of as many random units, {document['draws']} times."
    )
    for scale, keys in (("probability", ("effect", "difference")), ("logit", ("logit_effect", "logit_difference"))):
        table = table_of(Text(f"Effects on the {scale}"), "finding", "effect", "minus random units'")
        for each in document["findings"]:
            table.add_row(Text(each["label"]), *(_told(each[key]) for key in keys))
        yield table


def _told(value: Mapping[str, float]) -> str:
    return f"{value['value']:+.4f} ({value['low']:+.4f} to {value['high']:+.4f})"


def rows_of(document: Mapping[str, Any]) -> list[dict[str, object]]:
    """Return a row for each node, intervention and scale, as a table has it."""
    return [
        {"layer": document["model"]["layer"], "node": node["node"], "effect": name, "scale": scale, **interval}
        for node in document["nodes"]
        for name, each in node["effects"].items()
        for scale, interval in each.items()
    ]
