"""`sitegen data halves`: a set of images in two random halves."""

from typing import Annotated

import typer

from sitegen.cli.data._preparing import OutOption, PlaceArgument, SeedOption, WorkersOption, carry_out


def halves(
    place: PlaceArgument,
    out: OutOption,
    by_patient: Annotated[
        bool, typer.Option("--by-patient", help="Keep a patient's images together, as the data set tells patients.")
    ] = False,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
) -> None:
    """Copy the images of a folder into two random halves, first and second: two sets that differ by chance alone.

    Exit code 1 where a file could not be used; the others are done.
    """
    from sitegen.data.layouts.known import read_dataset
    from sitegen.data.prepare.changes import Copied
    from sitegen.data.prepare.document_types import Setting
    from sitegen.data.prepare.halves import in_halves, names_hash
    from sitegen.data.prepare.sources import find_sources
    from sitegen.data.prepare.work import Task

    sources = find_sources(place, pictures=True)
    patients = {record.path: record.patient for record in read_dataset(place)} if by_patient else None
    settings: dict[str, Setting] = {"seed": seed, "by_patient": by_patient, "files": names_hash(sources)}
    carry_out(Task("halves", settings, Copied()), in_halves(sources, seed, patients), out, workers)
