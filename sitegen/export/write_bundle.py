"""Writing a bundle's folder: graphs, weights, card, golden example, and the description of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from sitegen.bundle import (
    CARD,
    Bundle,
    Crop,
    Description,
    Expects,
    FeatureMap,
    FileEntry,
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
    unwritten_bundle,
    weight_path,
    write_description,
)
from sitegen.bundle.fitting import crop_mode
from sitegen.bundle.localisation import Localisation
from sitegen.export.gradient_graph import CAM, GRADIENT, GUIDED
from sitegen.gradient import gradient_name
from sitegen.graphs.names import FEATURES, FEATURES_GRAPH, OUTPUTS
from sitegen.graphs.signature import Shape, read_signature
from sitegen.prediction import Predictor
from sitegen_runtime.bundle.model import NetworkInput

GOLDEN = "golden.png"
GOLDEN_FILES = {"png": GOLDEN, "dicom": "golden.dcm"}
"""What the golden image is called, by its kind; a folder has one of them."""


@dataclass(frozen=True)
class Draft:
    """What a bundle says of itself, apart from what its files tell.

    With `gradient`, the folder has the graph that `export_gradient` writes, and may have those that `export_cam` and
    `export_guided` do; with `feature_map`, the file that
    `write_final_weights` does; with `features`, the graph that `write_features_graph` does.
    """

    name: str
    version: str
    title: str
    licence: Licence
    labels: Sequence[Label]
    gate: GateSettings | None
    gradient: bool = False
    feature_map: FeatureMap | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    features: bool = False
    localisation: Localisation | None = None
    expects: Expects | None = None


Inputs = Mapping[str, NetworkInput | Graph]
"""What the graphs of a bundle take, by role, each as its input or as its whole description: "classifier", and "gate"
where the bundle has one."""


def write_bundle(folder: Path, draft: Draft, inputs: Inputs) -> Bundle:
    """Write `bundle.json` for a folder that has card.md, a golden image and `<role>.onnx` for every role of `inputs`.

    The golden example's numbers are those of native ONNX Runtime. Raises BundleError where the files do not fit the
    draft; nothing is written then.
    """
    bundle = drafted_bundle(folder, draft, inputs)
    description = bundle.description.model_copy(update={"golden": golden_example(bundle)})
    write_description(folder, description)
    return load_bundle(folder)


def drafted_bundle(folder: Path, draft: Draft, inputs: Inputs) -> Bundle:
    """Return what `write_bundle` will make of a folder, without a golden example: for figures that need all of it.

    Nothing is written. A card that is not there yet counts as empty. Raises BundleError where the files do not fit.
    """
    graphs = {
        role: entry if isinstance(entry, Graph) else _graph(folder, role, entry) for role, entry in inputs.items()
    }
    if draft.gradient:
        graphs |= gradient_graphs(folder, graphs["classifier"])
    if draft.features:
        graphs["features"] = _features_graph(folder)
    description = Description(
        name=draft.name,
        version=draft.version,
        title=draft.title,
        licence=draft.licence,
        graphs=cast(dict[Role, Graph], graphs),
        labels=list(draft.labels),
        gate=draft.gate,
        feature_map=draft.feature_map,
        files=_files(folder, draft, graphs),
        provenance=draft.provenance,
        metrics=draft.metrics,
        localisation=draft.localisation,
        expects=draft.expects,
    )
    return unwritten_bundle(folder, description)


def _files(folder: Path, draft: Draft, graphs: Mapping[str, Graph]) -> dict[str, FileEntry]:
    """All files that belong to the bundle, in the order of their names."""
    names = {golden_in(folder)}
    if draft.feature_map:
        names.add(draft.feature_map.weights)
    for graph in graphs.values():
        locations = read_signature(folder / graph.file).weight_files
        names |= {graph.file, *(weight_path(graph.file, location) for location in locations)}
    if (folder / CARD).is_file():
        names.add(CARD)
    found = {CARD: FileEntry(bytes=0, sha256=sha256(b"").hexdigest())} | describe_files(folder, names)
    return dict(sorted(found.items()))


def golden_in(folder: Path) -> str:
    """Return the name of the golden image in a folder; `golden.png` where there is none yet."""
    return next((name for name in GOLDEN_FILES.values() if (folder / name).is_file()), GOLDEN)


def golden_example(bundle: Bundle) -> Golden:
    """Return what native ONNX Runtime makes of the bundle's golden image, whether the gate accepts it or not."""
    name = golden_in(bundle.folder)
    document = Predictor(bundle).predict(bundle.path(name), force=True)
    return Golden(
        image=name,
        tensors=document["tensors"],
        gate=document["gate"]["score"] if document["gate"] else None,
        logits={finding["label"]: finding["logit"] for finding in document["findings"]},
    )


def _graph(folder: Path, role: str, entry: NetworkInput) -> Graph:
    graph_input = GraphInput(
        name=entry.name,
        shape=list(entry.shape),
        colour="grey" if entry.colour == "grey" else "rgb",
        crop=Crop(mode=crop_mode(entry), fraction=entry.fraction, fill=list(entry.fill)),
        range=entry.range,
        mean=list(entry.mean),
        std=list(entry.std),
    )
    file, roles = f"{role}.onnx", {output: output for output in OUTPUTS[role]}
    return Graph(file=file, inputs=[graph_input], outputs=_outputs(folder / file, roles))


def _features_graph(folder: Path) -> Graph:
    """Describe what `write_features_graph` wrote."""
    (size,) = read_signature(folder / FEATURES_GRAPH).inputs.values()
    return Graph(
        file=FEATURES_GRAPH,
        inputs=[GraphInput(name=FEATURES, shape=_fixed(size), colour=None)],
        outputs=_outputs(folder / FEATURES_GRAPH, {output: output for output in OUTPUTS["features"]}),
    )


def gradient_graphs(folder: Path, classifier: Graph) -> dict[str, Graph]:
    """Describe, by role, `gradient.onnx`, and `cam.onnx` and `guided.onnx` where the folder has them."""
    files = [GRADIENT, *(file for file in (CAM, GUIDED) if (folder / file).is_file())]
    return {Path(file).stem: _gradient_graph(folder, file, classifier) for file in files}


def _gradient_graph(folder: Path, file: str, classifier: Graph) -> Graph:
    """Describe a graph that gives logits, and a gradient, or a feature map and its gradient, or all of them."""
    signature = read_signature(folder / file)
    (image,) = classifier.images
    others = [(name, _fixed(shape)) for name, shape in signature.inputs.items() if name != image.name]
    roles = {"logits": "logits", gradient_name(image.name): "gradient"}
    for name in signature.outputs.keys() - roles.keys():
        roles[name] = "features" if gradient_name(name) in signature.outputs else "features-gradient"
    return Graph(
        file=file,
        inputs=[image, *(GraphInput(name=name, shape=shape, colour=None) for name, shape in others)],
        outputs=_outputs(folder / file, roles),
    )


def _outputs(path: Path, roles: Mapping[str, str]) -> list[GraphOutput]:
    """Describe those outputs of a graph that have a role, in the graph's order."""
    shapes = read_signature(path).outputs
    return [
        GraphOutput(name=name, role=roles[name], shape=_fixed(shape)) for name, shape in shapes.items() if name in roles
    ]


def _fixed(shape: Shape) -> list[int]:
    return [size or 1 for size in shape]  # what is left open is the batch, and one image is given at a time
