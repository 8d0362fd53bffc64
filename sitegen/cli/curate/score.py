"""`sitegen curate ROOT... --out DIR`: a row for each image of a repository."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import BundleOption, chosen_bundle
from sitegen.cli.curate._needs import require_curation
from sitegen.errors import SettingsError

if TYPE_CHECKING:
    from sitegen.curation.engine.cluster import Tls
    from sitegen.curation.engine.work import Work
    from sitegen.curation.run import Engine, State


def score(
    roots: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ROOT...", help="Folders, files, globs, or addresses that fsspec opens (s3://, zip://)."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="DIR", help="Where the rows go, and what a run goes on from.")
    ] = None,
    list_file: Annotated[
        Path | None, typer.Option("--list", metavar="FILE", help="A text file with further addresses, one a line.")
    ] = None,
    bundle: BundleOption = None,
    force: Annotated[bool, typer.Option("--force", help="Classify images that the gate refuses, too.")] = False,
    distances: Annotated[
        bool, typer.Option("--distances", help="Measure how far images are from the gate's reconstruction, too.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try files again that could not be opened, or at which workers ended.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes of this machine; all cores by default. 0: this one, no Dask.")
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory of each process, such as 4GiB; its share of all by default.")
    ] = "auto",
    dashboard: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Show Dask's dashboard, such as 127.0.0.1:8787.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler that runs, such as tcp://host:8786.")
    ] = None,
    tls_ca: Annotated[Path | None, typer.Option(metavar="PEM", help="With tls://: the authority.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="PEM", help="With tls://: this side's certificate.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="With tls://: its key.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images that a worker is given at a time.")] = 16,
    part: Annotated[int, typer.Option(min=1, help="Rows that are written at a time, or those of ten seconds.")] = 1024,
) -> None:
    """Write a row for each image of a repository: what it is, what the gate and the model say of it, what is odd.

    Killed at any moment, the same command goes on, and scores nothing again that was written. A changed file is scored
    again. Files that are no images, or damaged ones, have rows with the code of what is in the way.
    """
    require_curation()
    from sitegen.cli.curate._bar import told
    from sitegen.curation.addresses import read_list
    from sitegen.curation.columns import Options
    from sitegen.curation.engine.work import Work
    from sitegen.curation.run import Asked, run

    addresses = [*(roots or ()), *(read_list(list_file) if list_file else ())]
    if out is None or not addresses:
        raise SettingsError("Name what to look through, and --out DIR: sitegen curate scans --out rows.")
    loaded = chosen_bundle(bundle)
    options = Options(force, distances)
    work = Work(loaded.folder.resolve(), loaded.model.sha256, options)
    with (
        _engine(work, workers, memory, dashboard, scheduler, _tls(tls_ca, tls_cert, tls_key)) as engine,
        told() as tell,
    ):
        latest: list[State] = []

        def heard(state: "State") -> None:
            latest[:] = [state]
            tell(state)

        try:
            state = run(Asked(addresses, out, loaded, options, batch, part, retry), engine, heard)
        except KeyboardInterrupt:
            typer.echo(_stopped(latest), err=True)
            raise typer.Exit(1) from None
    typer.echo(
        f"{state.total} files: {state.before} had a row, {state.scored} were scored; {state.failed} have an error. "
        f"Wrote {out / 'table.parquet'}. Not for diagnostic use."
    )


def _stopped(latest: "list[State]") -> str:
    if not latest:
        return "Stopped before the files were listed. The same command begins again."
    state = latest[-1]
    done = state.before + state.scored
    return f"Stopped after {done} of {state.total} files; their rows are written, and the same command goes on."


def _tls(ca: Path | None, cert: Path | None, key: Path | None) -> "Tls | None":
    if ca is None and cert is None and key is None:
        return None
    if ca is None or cert is None or key is None:
        raise SettingsError("TLS needs all of --tls-ca, --tls-cert and --tls-key.")
    if missing := [str(path) for path in (ca, cert, key) if not path.is_file()]:
        raise SettingsError(f"There is no file {', '.join(missing)}. Check the --tls options.")
    from sitegen.curation.engine.cluster import Tls

    return Tls(ca, cert, key)


@contextmanager
def _engine(
    work: "Work", workers: int | None, memory: str, dashboard: str | None, scheduler: str | None, tls: "Tls | None"
) -> "Iterator[Engine]":
    if workers == 0 and not scheduler:
        from sitegen.curation.engine.alone import Alone  # here, so that Dask is not even loaded

        yield Alone(work)
        return
    from sitegen.curation.engine.cluster import Cluster, Local, local_client, remote_client

    if scheduler:
        if workers is not None or dashboard:
            raise SettingsError("--workers and --dashboard are of a cluster that is made here, not of --scheduler.")
        with remote_client(scheduler, tls) as client:
            typer.echo(f"Dask's dashboard: {client.dashboard_link}", err=True)
            yield Cluster(client, work)
    else:
        _check_dashboard(dashboard)
        with local_client(Local(workers or os.cpu_count() or 1, memory, dashboard)) as client:
            if dashboard:
                typer.echo(f"Dask's dashboard: {client.dashboard_link}", err=True)
            yield Cluster(client, work)


def _check_dashboard(address: str | None) -> None:
    from importlib.util import find_spec

    if address and find_spec("bokeh") is None:
        raise SettingsError("Dask's dashboard needs bokeh: pip install bokeh. Or leave --dashboard out.")
