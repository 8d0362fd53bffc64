"""`sitegen import`: a model that exists becomes a bundle, with proof. A verb for each source, all of one form."""

import typer

from sitegen.cli.importing.sources import SOURCES, TORCH
from sitegen.cli.importing.verbs import torch_verb, verb_of

import_model = typer.Typer(
    help="Make a bundle of a model that exists, and prove that it computes the same. Not for diagnostic use.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
import_model.command(TORCH.verb, help=TORCH.told)(torch_verb)
for each in SOURCES:
    import_model.command(each.verb, help=each.told)(verb_of(each))
