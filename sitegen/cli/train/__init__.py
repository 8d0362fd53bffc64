"""`sitegen train`: fit a recipe's classifier and its gate, a generator, and find the learning rate to begin with."""

import typer

from sitegen.cli.train.classifier import classifier
from sitegen.cli.train.concepts import concepts
from sitegen.cli.train.gate import gate
from sitegen.cli.train.generator import generator
from sitegen.cli.train.range_test import range_test

train = typer.Typer(
    help="Train models from a recipe file. Not for diagnostic use.", no_args_is_help=True, rich_markup_mode=None
)
for verb in (classifier, gate, generator, range_test, concepts):
    train.command()(verb)
