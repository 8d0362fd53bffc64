"""`sitegen curate`: look through a repository of images, see what is in it, keep what passes a rule.

The addresses to look through follow the verb itself; `report` and `apply` are verbs below it. A folder of one of these
names is given as ./report.
"""

from typing import Any

import typer
from typer.core import TyperGroup

from sitegen.cli.curate.apply import apply
from sitegen.cli.curate.report import report
from sitegen.cli.curate.score import score


class _ScoreByDefault(TyperGroup):
    """Takes what is no verb for the arguments of `score`, which has no name on the command line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the hidden verb before arguments that name none."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["score", *args]
        return super().parse_args(ctx, args)


curate = typer.Typer(
    cls=_ScoreByDefault,
    help="Look through a repository with a model's gate: sitegen curate ROOT... --out DIR writes a row an image, on "
    "all cores or on a Dask cluster; killed, the same command goes on. Options: sitegen curate score --help.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for verb in (score, report, apply):
    curate.command()(verb)
