"""The verbs of `sitegen import`, all of one form: a model, and how its bundle is made."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from sitegen.cli._options import choice, weights_form
from sitegen.cli.importing.run import Asked, run
from sitegen.cli.importing.sources import TORCH, Source
from sitegen.graphs.weight_forms import WEIGHTS

OutOption = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="BUNDLE", help="The bundle's folder. [required without --check]")
]
CheckOption = Annotated[bool, typer.Option("--check", help="Say what would be done, and write nothing.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings (TOML); see docs/import.md.")
]
LabelsOption = Annotated[
    str | None, typer.Option(metavar="A,B", help="The findings, in the order of the model's outputs.")
]
NameOption = Annotated[str | None, typer.Option(metavar="NAME", help="The bundle's name; made of the file's if none.")]
TitleOption = Annotated[str | None, typer.Option(metavar="TEXT", help="What the page is called.")]
GateOption = Annotated[
    Path | None, typer.Option(metavar="BUNDLE", help="Take over this bundle's gate; without one the page says so.")
]
ProofImagesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--images", metavar="FILE|DIR", help="Images to prove it on, 32 of them; synthetic ones if none. Repeatable."
    ),
]
ReportOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The report (HTML); NAME-import.html beside the bundle by default.")
]
WeightsOption = Annotated[
    str | None, choice("--weights", WEIGHTS, "The form of the weights; as they are if none. See docs/import.md.")
]
HalfOption = Annotated[bool, typer.Option("--half", help="The same as --weights half.")]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force", help="Replace the bundle of another model; import one whose images sitegen prepares otherwise."
    ),
]


def verb_of(source: Source) -> Callable[..., None]:
    """Return the function of a verb, whose signature is its options."""

    def verb(
        model: Annotated[str, typer.Argument(metavar=source.metavar, help=source.argument)],
        out: OutOption = None,
        config: ConfigOption = None,
        labels: LabelsOption = None,
        name: NameOption = None,
        title: TitleOption = None,
        gate: GateOption = None,
        images: ProofImagesOption = None,
        report: ReportOption = None,
        weights: WeightsOption = None,
        half: HalfOption = False,
        force: ForceOption = False,
        check: CheckOption = False,
    ) -> None:
        form = weights_form(weights, half)
        asked = Asked(out, config, labels, name, title, gate, images or (), report, form or "float", force, check)
        run(source, model, asked)

    return verb


def torch_verb(
    model: Annotated[str, typer.Argument(metavar=TORCH.metavar, help=TORCH.argument)],
    out: OutOption = None,
    network: Annotated[
        str,
        typer.Option(
            metavar="NAME|MODULE:FACTORY",
            help="A network of sitegen's, such as densenet121, or a function of yours that makes one.",
        ),
    ] = "",
    config: ConfigOption = None,
    labels: LabelsOption = None,
    name: NameOption = None,
    title: TitleOption = None,
    gate: GateOption = None,
    images: ProofImagesOption = None,
    report: ReportOption = None,
    weights: WeightsOption = None,
    half: HalfOption = False,
    force: ForceOption = False,
    check: CheckOption = False,
) -> None:
    """Import a checkpoint into the network that is named; all other verbs are made by `verb_of`."""
    form = weights_form(weights, half)
    asked = Asked(out, config, labels, name, title, gate, images or (), report, form or "float", force, check)
    run(TORCH, model, asked, network)
