"""What a model is on disk: a folder with `bundle.json`, ONNX graphs, shared weights and a card.

load_bundle(folder)                read, check hashes and consistency, or say everything that is wrong
Bundle.path(name)                  a file of the bundle
describe_files(folder, names)      the `files` entry, when a bundle is written
unwritten_bundle(folder, d)        the bundle before that, in memory
write_description(folder, d)       write `bundle.json`

The schema is documented in docs/bundle.md. Readers ignore unknown keys, so later versions can add some.
"""

from sitegen.bundle.calibration import Calibration
from sitegen.bundle.description import CARD, Description, Role
from sitegen.bundle.expects import Expects
from sitegen.bundle.feature_map import FeatureMap
from sitegen.bundle.folder import (
    DESCRIPTION,
    Bundle,
    describe_files,
    load_bundle,
    unwritten_bundle,
    weight_path,
    write_description,
)
from sitegen.bundle.gate import Combination, GateScore, GateSettings, Quantiles
from sitegen.bundle.parts import (
    Crop,
    FileEntry,
    Golden,
    Graph,
    GraphInput,
    GraphOutput,
    Label,
    Licence,
)

__all__ = [
    "CARD",
    "DESCRIPTION",
    "Bundle",
    "Calibration",
    "Combination",
    "Crop",
    "Description",
    "Expects",
    "FeatureMap",
    "FileEntry",
    "GateScore",
    "GateSettings",
    "Golden",
    "Graph",
    "GraphInput",
    "GraphOutput",
    "Label",
    "Licence",
    "Quantiles",
    "Role",
    "describe_files",
    "load_bundle",
    "unwritten_bundle",
    "weight_path",
    "write_description",
]
