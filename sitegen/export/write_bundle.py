"""Writing a bundle's folder: graphs, weights, card, golden example, and the description of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sitegen.bundle import (
    CARD,
    Bundle,
    Crop,
    Description,
    GateSettings,
    Golden,
    Graph,
    GraphInput,
    GraphOutput,
    Label,
    Licence,
    Role,
    describe_files,
    load_bundle,
    weight_path,
    write_description,
)
from sitegen.prediction import Predictor
from sitegen.signature import read_signature
from sitegen_runtime.model import NetworkInput

GOLDEN = "golden.png"
_OUTPUT_OF = {"classifier": "logits", "gate": "reconstruction"}


@dataclass(frozen=True)
class Draft:
    """What a bundle says of itself, apart from what its files tell."""

    name: str
    version: str
    title: str
    licence: Licence
    labels: Sequence[Label]
    gate: GateSettings | None
    provenance: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def write_bundle(folder: Path, draft: Draft, inputs: Mapping[str, NetworkInput]) -> Bundle:
    """Write `bundle.json` for a folder that has card.md, golden.png and `<role>.onnx` for every role of `inputs`
    ("classifier", and "gate" where the draft has one).

    The golden example's numbers are those of native ONNX Runtime. Raises BundleError where the files do not fit the
    draft; `bundle.json` is then left as it was written, for inspection.
    """
    graphs = {role: _graph(role, entry) for role, entry in inputs.items()}
    files = {CARD, GOLDEN}
    for graph in graphs.values():
        locations = read_signature(folder / graph.file).weight_files
        files |= {graph.file, *(weight_path(graph.file, location) for location in locations)}
    description = Description(
        name=draft.name,
        version=draft.version,
        title=draft.title,
        licence=draft.licence,
        graphs=cast(dict[Role, Graph], graphs),
        labels=list(draft.labels),
        gate=draft.gate,
        files=describe_files(folder, sorted(files)),
        provenance=draft.provenance,
        metrics=draft.metrics,
    )
    write_description(folder, description)
    golden = golden_example(load_bundle(folder))
    write_description(folder, description.model_copy(update={"golden": golden}))
    return load_bundle(folder)


def golden_example(bundle: Bundle) -> Golden:
    """Return what native ONNX Runtime makes of the bundle's golden image, whether the gate accepts it or not."""
    document = Predictor(bundle).predict(bundle.path(GOLDEN), force=True)
    return Golden(
        image=GOLDEN,
        tensors=document["tensors"],
        gate=document["gate"]["score"] if document["gate"] else None,
        logits={finding["label"]: finding["logit"] for finding in document["findings"]},
    )


def _graph(role: str, entry: NetworkInput) -> Graph:
    graph_input = GraphInput(
        name=entry.name,
        shape=list(entry.shape),
        colour="grey" if entry.colour == "grey" else "rgb",
        crop=Crop(fraction=entry.fraction),
        range=entry.range,
        mean=list(entry.mean),
        std=list(entry.std),
    )
    output = _OUTPUT_OF[role]
    return Graph(file=f"{role}.onnx", inputs=[graph_input], outputs=[GraphOutput(name=output, role=output)])
