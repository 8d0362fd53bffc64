"""`sitegen evaluate frechet`: how far generated images are from real ones, as a network's features see them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitegen.cli._options import FiguresOption, WorkersOption, choice, require_training
from sitegen.cli._reports import check_place, show, tell_left_out, tell_written, write_figures
from sitegen.errors import SettingsError

if TYPE_CHECKING:
    from rich.table import Table

    from sitegen.evaluation.frechet.document_types import FrechetDocument
    from sitegen.evaluation.frechet.preparation import FeatureSource, Preparation

RESIZERS = ("legacy", "clean", "friendly")
FILTERS = ("bilinear", "bicubic", "lanczos")


def frechet(
    real: Annotated[Path, typer.Option(metavar="DIR|NPY|CSV", help="Real images, or features of them.")],
    generated: Annotated[Path, typer.Option(metavar="DIR|NPY|CSV", help="Generated images, or features of them.")],
    bundle: Annotated[Path | None, typer.Option(metavar="DIR", help="A bundle, for the features of its map.")] = None,
    network: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead, any network: Inception, SwAV, DINO… (ONNX, .pt)."),
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="NAME", help="The network's output with the features; the first by default.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its output with classes, for the Inception Score.")
    ] = None,
    resizer: Annotated[str, choice("--resizer", RESIZERS, "How images are scaled.")] = "clean",
    filter_: Annotated[str, choice("--filter", FILTERS, "Of the friendly resizer: the network's own.")] = "bilinear",
    side: Annotated[int | None, typer.Option(min=1, help="The side of images, where the network takes any.")] = None,
    channels: Annotated[int, typer.Option(min=1, max=3, help="Of a PyTorch network's images: 1 or 3.")] = 3,
    mean: Annotated[str, typer.Option(metavar="NUMBERS", help="Taken from grey values of 0 to 1.")] = "0",
    std: Annotated[str, typer.Option(metavar="NUMBERS", help="They are divided by this then.")] = "1",
    neighbours: Annotated[int, typer.Option(min=1, help="For precision, recall, density and coverage.")] = 5,
    halves: Annotated[int, typer.Option(min=0, help="Random halves of the real images, for the baseline.")] = 10,
    noise: Annotated[
        list[float] | None, typer.Option(metavar="SHARE", help="Real images with noise, of the range. Repeatable.")
    ] = None,
    blur: Annotated[
        list[float] | None, typer.Option(metavar="PIXELS", help="Real images, blurred. Repeatable.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep features here, by content.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of halves and subsets.")] = 0,
    workers: WorkersOption = None,
    json_file: FiguresOption = None,
) -> None:
    """Measure the Fréchet distance of generated images from real ones, with its bias and what no difference looks like.

    Exit code 1 where an image could not be read.
    """
    require_training()
    from sitegen.evaluation.frechet.preparation import Preparation
    from sitegen.evaluation.frechet.study import Question, compare

    check_place(json_file)
    how = Preparation(resizer, filter_, side, _numbers("--mean", mean), _numbers("--std", std))
    chosen = _network(bundle, network, how, channels, output, classes)
    if min([1.0, *(noise or ()), *(blur or ())]) <= 0:
        raise SettingsError("--noise and --blur are deviations: name numbers above 0.")
    altered = (noise or (), blur or ())
    document = compare(Question(real, generated, chosen, neighbours, halves, *altered, cache, seed, workers))
    write_figures(json_file, document)
    show([_table(document)])
    for note in document["notes"]:
        typer.echo(note, err=True)
    tell_left_out(document)
    tell_written(json_file)
    if document["unreadable"]:
        raise typer.Exit(1)


def _network(
    bundle: Path | None,
    path: Path | None,
    how: "Preparation",
    channels: int,
    output: str | None,
    classes: str | None,
) -> "FeatureSource | None":
    from sitegen.evaluation.frechet.networks import of_bundle, of_onnx

    if bundle and path:
        raise SettingsError("Name one network: either --bundle or --network.")
    if bundle:
        return of_bundle(bundle, how.resizer, how.filter)
    if path and path.suffix in (".pt", ".pth", ".torchscript"):
        from sitegen.evaluation.frechet.torch_network import of_torch

        return of_torch(path, how, channels, output, classes)
    return of_onnx(path, how, output, classes) if path else None


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) not in (1, 3) or (option == "--std" and min(found) <= 0):
        raise SettingsError(f"{option} is {text!r}; it needs one number or three, as 0.485,0.456,0.406; --std above 0.")
    return found


def _table(document: "FrechetDocument") -> "Table":
    from sitegen.evaluation.report.page import number
    from sitegen.evaluation.report.terminal import table

    title = f"{document['generated']} against {document['real']}: {document['network']}, {document['resizer']}"
    made = table(title, "figure", "value")
    made.add_row("images, generated / real", f"{document['images'][1]} / {document['images'][0]}")
    made.add_row("Fréchet distance", number(document["frechet"]))
    more = document["extrapolated"]
    made.add_row("of infinitely many images", number(more["infinite"] if more else None))
    made.add_row("too large by", number(more["bias"] if more else None))
    half = document["halves"]
    made.add_row("random halves of the real images", f"{half['mean']:.3f} ± {half['deviation']:.3f}" if half else "–")
    for altered in document["altered"]:
        made.add_row(f"real images with {altered['kind']} {altered['level']:g}", number(altered["frechet"]))
    made.add_row("precision", number(document["precision"]))
    made.add_row("recall", number(document["recall"]))
    made.add_row("density", number(document["density"]))
    made.add_row("coverage", number(document["coverage"]))
    made.add_row("Inception Score", number(document["inception_score"]))
    return made
