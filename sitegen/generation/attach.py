"""A bundle with a generator: a copy of one that has none, with the graph of a projection's step beside its networks."""

import shutil
from pathlib import Path
from typing import Any

from sitegen.bundle import (
    CARD,
    DESCRIPTION,
    Bundle,
    Description,
    describe_files,
    load_bundle,
    weight_path,
    write_description,
)
from sitegen.bundle.generator import ROLE, GeneratorSettings
from sitegen.errors import SettingsError
from sitegen.generation.projection.described import FILE, described
from sitegen.generation.projection.of_generator import drawn_of
from sitegen.generation.projection.step_graph import write_step_graph
from sitegen.generation.reading import open_generator
from sitegen.graphs.signature import read_signature
from sitegen.networks.stylegan2.settings import shape_document
from sitegen.networks.stylegan2.trained import TrainedGenerator
from sitegen.replacing import in_place_of

LARGEST = 256
"""Pixels along the side of images that a page can be asked to project: a step of more takes a browser too long."""

_UNSAID = "not stated"


def attach(
    bundle: Bundle, generator: Path, out: Path, *, weights: str | None = None, data: str | None = None
) -> Bundle:
    """Write a copy of a bundle that has the generator of a file, and return it. A generator it had is replaced.

    `weights` and `data` are the terms of the generator's weights and of the images that it learned from; where the file
    brings a licence with it, that one counts. Raises SettingsError where the generator does not fit a page.
    """
    trained = open_generator(generator)
    _check(bundle, trained, generator)
    drawn = drawn_of(trained)
    made_by = dict(trained.made_by)
    terms = GeneratorSettings(
        weights=str(made_by.get("licence") or weights or _UNSAID),
        data=data or _UNSAID,
        provenance={
            "shape": shape_document(trained.shape),
            "step": made_by.get("step"),
            "deviation": drawn.deviation,
            "file": generator.name,
        },
    )
    files = [name for name in bundle.description.files if Path(name).stem != ROLE]
    with in_place_of(out, [DESCRIPTION, *bundle.description.files]) as folder:
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.path(name), folder / name)
        write_step_graph(drawn, folder / FILE)
        graph = described(drawn)
        locations = read_signature(folder / FILE).weight_files
        own = [FILE, *(weight_path(FILE, location) for location in sorted(locations))]
        tell_on_card(folder / CARD, terms, drawn.side)
        fields: dict[str, Any] = {
            "graphs": {**bundle.description.graphs, ROLE: graph},
            "generator": terms,
            "files": dict(sorted(describe_files(folder, [*files, *own]).items())),
        }
        description = bundle.description.model_copy(update=fields)
        write_description(folder, Description.model_validate(description.model_dump(by_alias=True)))
        load_bundle(folder)
    return load_bundle(out)


def _check(bundle: Bundle, trained: TrainedGenerator, file: Path) -> None:
    shape = trained.shape
    if shape.side > LARGEST:
        raise SettingsError(
            f"The generator {file} draws {shape.side} x {shape.side} pixels. A page can be asked for at most "
            f"{LARGEST} x {LARGEST}; train one of 64 or 128, or project with: sitegen project --generator {file}"
        )
    images = bundle.model.graphs["gate" if bundle.model.gate else "classifier"].images
    if shape.channels == 3 and images[0].colour == "grey":
        raise SettingsError(
            f"The generator {file} draws in colour, and the bundle {bundle.description.name} looks at grey images. "
            "Attach one that draws grey images."
        )


_HEADING = "## The generator"


def tell_on_card(card: Path, terms: GeneratorSettings, side: int) -> None:
    """Say on the card what was added, in place of what was said of an earlier one."""
    text = card.read_text("utf-8") if card.is_file() else ""
    kept, _, after = text.partition(f"{_HEADING}\n")
    rest = after[after.index("\n## ") + 1 :] if "\n## " in after else ""
    said = (
        f"{_HEADING}\n\nA generator of {side} x {side} pixels reconstructs images more closely than the gate does. "
        "What it cannot draw may be unusual, or just rare among the images that it learned from: it is no finding.\n\n"
        f"- Weights: {terms.weights}\n- Data: {terms.data}\n"
    )
    parts = [part.strip() for part in (kept, said, rest) if part.strip()]
    card.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
