"""`sitegen data noise` and `sitegen data blur`: pictures made worse on purpose, by known steps."""

from typing import Annotated

import typer

from sitegen.cli.data._preparing import OutOption, PlaceArgument, SeedOption, WorkersOption, carry_out


def noise(
    place: PlaceArgument,
    out: OutOption,
    level: Annotated[
        list[float] | None,
        typer.Option("--level", help="Standard deviation, in shares of white. Repeatable; 0.05, 0.1, 0.2 by default."),
    ] = None,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
) -> None:
    """Write pictures with Gaussian noise, a folder for each level: noise-0.05 and so on.

    Exit code 1 where a file could not be used; the others are done.
    """
    from sitegen.data.prepare.changes import Noisy
    from sitegen.data.prepare.sources import check_names, find_sources
    from sitegen.data.prepare.work import Task

    levels = _levels(level or [0.05, 0.1, 0.2], "noise", 10.0)
    sources = find_sources(place, pictures=True)
    check_names(sources)
    carry_out(Task("noise", {"levels": list(levels), "seed": seed}, Noisy(levels, seed)), sources, out, workers)


def blur(
    place: PlaceArgument,
    out: OutOption,
    level: Annotated[
        list[float] | None,
        typer.Option("--level", help="Standard deviation in pixels. Repeatable; 1, 2 and 4 by default."),
    ] = None,
    workers: WorkersOption = None,
) -> None:
    """Write pictures blurred by a Gaussian, a folder for each level: blur-1 and so on.

    Exit code 1 where a file could not be used; the others are done.
    """
    from importlib.util import find_spec

    from sitegen.data.prepare.changes import Blurred
    from sitegen.data.prepare.sources import check_names, find_sources
    from sitegen.data.prepare.work import Task
    from sitegen.errors import SettingsError

    levels = _levels(level or [1.0, 2.0, 4.0], "blur", 1000.0)
    if find_spec("scipy") is None:
        raise SettingsError("Blurring needs SciPy, which is missing: pip install 'offline-sitegen[anomaly]'")
    sources = find_sources(place, pictures=True)
    check_names(sources)
    carry_out(Task("blur", {"levels": list(levels)}, Blurred(levels)), sources, out, workers)


def _levels(given: list[float], what: str, most: float) -> tuple[float, ...]:
    """The levels, each once, by size. Raises SettingsError where one is none, or two would have one folder."""
    from sitegen.errors import SettingsError

    for level in given:
        if not 0 < level <= most:
            raise SettingsError(f"--level {level:g} is no level of {what}: give one above 0, up to {most:g}.")
    if len({f"{level:g}" for level in given}) < len(given):
        raise SettingsError(f"Two levels of {what} have the same name in six digits. Give each once.")
    return tuple(sorted(given))
