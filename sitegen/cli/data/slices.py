"""`sitegen data slices`: slices of NIfTI volumes, all or those that a mask touches."""

from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli.data._preparing import (
    AxisOption,
    DepthOption,
    FullRangeOption,
    LevelOption,
    OutOption,
    PlaceArgument,
    PresetOption,
    WidthOption,
    WorkersOption,
    carry_out,
    settings_of,
)


def slices(
    place: PlaceArgument,
    out: OutOption,
    masks: Annotated[
        Path | None,
        typer.Option("--masks", metavar="DIR|FILE", help="Only slices that these touch: of the same names as volumes."),
    ] = None,
    label: Annotated[
        list[int] | None,
        typer.Option("--label", help="The mask's value that counts; all but 0 otherwise. Repeatable."),
    ] = None,
    write_masks: Annotated[
        bool, typer.Option("--write-masks", help="Also write the masks' slices: to images and masks in the folder.")
    ] = False,
    axis: AxisOption = "axial",
    preset: PresetOption = None,
    level: LevelOption = None,
    width: WidthOption = None,
    full_range: FullRangeOption = False,
    depth: DepthOption = 8,
    workers: WorkersOption = None,
) -> None:
    """Write slices of NIfTI volumes: as PNG where a window is given, else as NIfTI with values as they were.

    Exit code 1 where a file could not be used; the others are done. Exit code 2 where volumes and masks do not match.
    """
    from sitegen.data.prepare.changes import Sliced
    from sitegen.data.prepare.sources import check_names, find_sources, with_masks
    from sitegen.data.prepare.volumes import require_nibabel
    from sitegen.data.prepare.windows import chosen
    from sitegen.data.prepare.work import Task
    from sitegen.errors import SettingsError

    if (label or write_masks) and not masks:
        raise SettingsError("--label and --write-masks are about masks: add --masks DIR.")
    greys = chosen(preset or "", level, width, full_range, depth)
    require_nibabel()
    sources = find_sources(place, volumes=True, dicom=False)
    check_names(sources)
    sources = with_masks(sources, masks) if masks else sources
    values = settings_of(greys) if greys.is_windowed else {"window": "none"}
    counted = [str(each) for each in sorted(label or ())]
    settings = {**values, "axis": axis, "masks": bool(masks), "labels": counted, "write_masks": write_masks}
    change = Sliced(axis, greys if greys.is_windowed else None, tuple(label or ()), write_masks)
    carry_out(Task("slices", settings, change), sources, out, workers)
