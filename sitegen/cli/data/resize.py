"""`sitegen data resize`: pictures at another size."""

from typing import Annotated

import typer

from sitegen.cli._options import choice
from sitegen.cli.data._preparing import OutOption, PlaceArgument, WorkersOption, carry_out


def resize(
    place: PlaceArgument,
    out: OutOption,
    size: Annotated[str, typer.Option(metavar="SIZE", help="512, a square, or 640x480, width by height.")] = "512",
    fit: Annotated[
        str,
        choice(
            "--fit",
            ("stretch", "inside", "crop"),
            "stretch changes the shape; inside and crop keep it, the first smaller, the other cut.",
        ),
    ] = "stretch",
    method: Annotated[str, choice("--method", ("lanczos", "area"), "The filter.")] = "lanczos",
    workers: WorkersOption = None,
) -> None:
    """Write pictures (PNG, JPEG, WebP, DICOM) at another size, as PNG; 16-bit greys stay 16-bit.

    Exit code 1 where a file could not be used; the others are done.
    """
    from sitegen.data.prepare.changes import Resized
    from sitegen.data.prepare.sizes import read_size
    from sitegen.data.prepare.sources import check_names, find_sources
    from sitegen.data.prepare.work import Task

    wanted = read_size(size, fit, method)
    sources = find_sources(place, pictures=True)
    check_names(sources)
    settings = {"size": f"{wanted.width}x{wanted.height}", "fit": fit, "method": method}
    carry_out(Task("resize", settings, Resized(wanted)), sources, out, workers)
