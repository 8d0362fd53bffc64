"""The content of `bundle.json`, and what its parts must have to do with each other."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sitegen.bundle.expects import Expects
from sitegen.bundle.feature_map import FeatureMap, feature_map_problems
from sitegen.bundle.gate import GateSettings, features_problems, gate_problems
from sitegen.bundle.generator import GeneratorSettings, generator_problems
from sitegen.bundle.gradient import gradient_problems
from sitegen.bundle.localisation import Localisation, localisation_problems
from sitegen.bundle.parts import FileEntry, Golden, Graph, Label, Licence, Part

CARD = "card.md"
Role = Literal["classifier", "gate", "gradient", "cam", "guided", "features", "generator", "concepts"]


class Description(Part):
    """The content of `bundle.json`."""

    format: Annotated[Literal["sitegen.bundle/1"], Field(alias="schema")] = "sitegen.bundle/1"
    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]*$")]
    version: str
    title: str
    licence: Licence
    graphs: dict[Role, Graph]
    labels: Annotated[list[Label], Field(min_length=1)]
    gate: GateSettings | None = None
    feature_map: FeatureMap | None = None
    golden: Golden | None = None
    files: dict[str, FileEntry]
    provenance: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    localisation: Localisation | None = None
    expects: Expects | None = None
    generator: GeneratorSettings | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Description":
        problems = list(self._problems())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        if "classifier" not in self.graphs:
            yield "graphs has no 'classifier', which every bundle needs"
        elif self.graphs["classifier"].output("logits") is None:
            yield "graphs.classifier has no output with the role 'logits'"
        graphs: dict[str, Graph] = dict(self.graphs.items())
        if self.gate:
            yield from gate_problems(self.gate, graphs)
        yield from features_problems(graphs)
        for role in ("classifier", "gate"):
            if role in self.graphs and (len(self.graphs[role].images), len(self.graphs[role].inputs)) != (1, 1):
                yield f"graphs.{role} must have one input, an image"
        yield from gradient_problems(graphs, len(self.labels))
        yield from generator_problems(graphs, self.generator)
        if self.feature_map:
            weights = self.files.get(self.feature_map.weights)
            yield from feature_map_problems(self.feature_map, self.graphs.get("gradient"), weights, len(self.labels))
        names = [label.name for label in self.labels]
        if self.localisation:
            yield from localisation_problems(self.localisation, names)
        if len(set(names)) < len(names):
            yield f"labels repeat: {sorted({name for name in names if names.count(name) > 1})}"
        named = {f"graphs.{role}.file": graph.file for role, graph in self.graphs.items()} | {"the card": CARD}
        if self.golden:
            named["golden.image"] = self.golden.image
        if self.feature_map:
            named["feature_map.weights"] = self.feature_map.weights
        for what, name in named.items():
            if name not in self.files:
                yield f"{what} is {name!r}, which is not listed in files"
        for name in self.files:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
                yield f"files names {name!r}; paths must stay inside the bundle"
