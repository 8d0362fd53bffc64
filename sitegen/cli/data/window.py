"""`sitegen data window`: DICOM and NIfTI as pictures, by a window of values."""

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


def window(
    place: PlaceArgument,
    out: OutOption,
    preset: PresetOption = None,
    level: LevelOption = None,
    width: WidthOption = None,
    full_range: FullRangeOption = False,
    depth: DepthOption = 8,
    axis: AxisOption = "axial",
    workers: WorkersOption = None,
) -> None:
    """Write DICOM files, and each slice of NIfTI volumes, as PNG, by a window of values.

    Without a window DICOM files are shown as they say themselves. Archives (zip) are looked into, as MIDRC has them.
    Exit code 1 where a file could not be used; the others are done.
    """
    from sitegen.data.prepare.changes import Windowed
    from sitegen.data.prepare.sources import check_names, find_sources
    from sitegen.data.prepare.volumes import require_nibabel
    from sitegen.data.prepare.windows import chosen
    from sitegen.data.prepare.work import Task
    from sitegen.errors import SettingsError

    greys = chosen(preset or "", level, width, full_range, depth)
    sources = find_sources(place, volumes=True)
    check_names(sources)
    if any(source.is_volume for source in sources):
        require_nibabel()
        if not greys.is_windowed:
            raise SettingsError(
                "NIfTI files have no window of their own: give --preset, --level and --width, or --full-range."
            )
    task = Task("window", {**settings_of(greys), "axis": axis}, Windowed(greys, axis))
    carry_out(task, sources, out, workers)
