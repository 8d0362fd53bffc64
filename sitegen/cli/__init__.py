"""The command line: one module for each verb, imported here for its signature, which does its heavy imports itself.

Exit codes: 0 done, 1 a check failed (or an image, in `predict`), 2 wrong use.
"""

import io
import sys

import typer

from sitegen.cli._failures import end_with
from sitegen.cli.build import build
from sitegen.cli.curate import curate
from sitegen.cli.data import data
from sitegen.cli.evaluate import evaluate
from sitegen.cli.explain import explain
from sitegen.cli.export import export
from sitegen.cli.generation.attach import attach
from sitegen.cli.generation.generate import generate
from sitegen.cli.generation.project import project
from sitegen.cli.gradient import gradient
from sitegen.cli.importing import import_model
from sitegen.cli.info import info
from sitegen.cli.new import new
from sitegen.cli.predict import predict
from sitegen.cli.serve import serve
from sitegen.cli.sign import sign
from sitegen.cli.train import train
from sitegen.cli.verify import verify
from sitegen.errors import SitegenError

app = typer.Typer(
    name="sitegen",
    help="Turn a trained medical-image classifier into a folder that anyone can open, offline. Not for diagnostic use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in (new, build, serve, predict, explain, verify, sign, info, gradient, export, attach, generate, project):
    app.command()(verb)
app.add_typer(import_model, name="import")
app.add_typer(data, name="data")
app.add_typer(train, name="train")
app.add_typer(evaluate, name="evaluate")
app.add_typer(curate, name="curate")


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may hold what a terminal cannot show
    try:
        app()
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough.
        sys.stderr.close()
        sys.exit(0)
    except (SitegenError, OSError, MemoryError) as error:
        end_with(error)
