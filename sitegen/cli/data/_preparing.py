"""What the verbs that prepare files share: their options, and what they say at the end."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import choice

if TYPE_CHECKING:
    from sitegen.data.prepare.document_types import PreparedDocument
    from sitegen.data.prepare.sources import Source
    from sitegen.data.prepare.windows import Greys
    from sitegen.data.prepare.work import Task

PRESETS = ("abdomen", "bone", "brain", "liver", "lung", "mediastinum", "soft-tissue", "spine")
AXES = ("axial", "coronal", "sagittal")
_SHOWN = 20

PlaceArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the files, or one file.")]
OutOption = Annotated[
    Path, typer.Option("-o", "--out", metavar="DIR", help="The folder for what is made; the same again goes on there.")
]
WorkersOption = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; all cores by default.")]
PresetOption = Annotated[str | None, choice("--preset", PRESETS, "A window for CT, by name.")]
LevelOption = Annotated[float | None, typer.Option("--level", help="The window's middle.")]
WidthOption = Annotated[float | None, typer.Option("--width", help="The window's width, from black to white.")]
FullRangeOption = Annotated[
    bool, typer.Option("--full-range", help="From each file's least value to its greatest, as for MR.")
]
DepthOption = Annotated[int, typer.Option("--depth", metavar="8|16", help="Bits of a grey.")]
AxisOption = Annotated[str, choice("--axis", AXES, "Which slices of a volume.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Another seed is another draw.")]


def settings_of(greys: "Greys") -> dict[str, str | int | float | bool | list[str] | list[float]]:
    """Return how values become greys, as the document has it."""
    if greys.full:
        return {"window": "full range", "depth": greys.depth}
    if not greys.is_windowed:
        return {"window": "the file's own", "depth": greys.depth}
    assert greys.level is not None and greys.width is not None  # noqa: S101 (it is windowed)
    return {"level": greys.level, "width": greys.width, "depth": greys.depth}


def carry_out(task: "Task", sources: "Sequence[Source]", out: Path, workers: int | None) -> None:
    """Do the task, and say what came of it. Raises typer.Exit with 1 where a file was left out."""
    from sitegen.data.prepare.work import DOCUMENT, prepare

    document = prepare(task, sources, out, workers)
    typer.echo(_summary(document))
    typer.echo(f"Wrote {out / DOCUMENT}.")
    _tell_problems(document)


def _summary(document: "PreparedDocument") -> str:
    good = [file for file in document["files"] if not file["problem"]]
    made = sum(len(file["made"]) for file in good)
    nothing = sum(not file["made"] for file in good)
    words = f"{made} file(s) made from {len(good)}."
    return f"{words} {nothing} of them had no slice that a mask touches." if nothing else words


def _tell_problems(document: "PreparedDocument") -> None:
    from sitegen.cli._terminal import one_line
    from sitegen.data.prepare.work import problems

    found = problems(document)
    for name, problem in found[:_SHOWN]:
        typer.echo(one_line(f"left out: {name}: {problem}"), err=True)
    if len(found) > _SHOWN:
        typer.echo(f"and {len(found) - _SHOWN} more, which prepared.json names", err=True)
    if found:
        raise typer.Exit(1)
