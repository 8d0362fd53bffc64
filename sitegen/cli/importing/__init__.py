"""`sitegen import`: a model that exists becomes a bundle, with proof. A verb for each source, all of one form."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sitegen.importing.bundle import ImportReport
    from sitegen.importing.settings import ImportSettings
    from sitegen.importing.source import ImportedClassifier

import_model = typer.Typer(
    help="Make a bundle of a model that exists, and prove that it computes the same. Not for diagnostic use.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@dataclass(frozen=True)
class Source:
    """A verb: its function and module under `sitegen.importing.sources`, its argument, its help, and what it needs."""

    verb: str
    module: str
    function: str
    metavar: str
    argument: str
    told: str
    needs: Sequence[str] = ("torch", "onnxscript")
    asks: bool = False  # the module has `questions`, for what a file leaves open


SOURCES = (
    Source(
        "torchscript", "torch_model", "import_torchscript", "FILE", "What torch.jit.save wrote.",
        "Import a TorchScript archive. It is a program, which PyTorch's interpreter runs: take it from people you "
        "trust.",
    ),
    Source(
        "chexnet", "chexnet", "import_chexnet", "FILE", "CheXNet's model.pth.tar.",
        "Import CheXNet: DenseNet-121, 14 findings of ChestX-ray14.",
    ),
    Source(
        "torchxrayvision", "torchxrayvision", "import_torchxrayvision", "FILE|NAME",
        "A file of weights, or a name such as densenet121-res224-all whose weights are on this machine.",
        "Import a classifier of TorchXRayVision, with its range, operating points and order of labels.",
        needs=("torch", "onnxscript", "skimage"),
    ),
    Source(
        "onnx", "onnx_model", "import_onnx", "FILE", "The model.", "Import a classifier in ONNX.",
        needs=(), asks=True,
    ),
    Source(
        "tfjs", "tfjs_model", "import_tfjs", "FILE|DIR", "model.json of a graph model, or its folder.",
        "Import a graph model of TensorFlow.js.", needs=(), asks=True,
    ),
    Source(
        "timm", "timm_folder", "import_timm", "DIR", "A folder with config.json and weights.",
        "Import an image classifier of timm from a folder on disk.",
    ),
    Source(
        "huggingface", "huggingface_folder", "import_huggingface", "DIR", "A folder with config.json and weights.",
        "Import an image classifier of Hugging Face's transformers from a folder on disk.",
    ),
)  # fmt: skip
TORCH = Source(
    "torch", "torch_model", "import_torch", "FILE", "The checkpoint.",
    "Import a checkpoint of PyTorch: weights alone, into a network of sitegen's or into one of yours.",
)  # fmt: skip

OutOption = Annotated[Path, typer.Option("-o", "--out", metavar="BUNDLE", help="The bundle's folder.")]
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
HalfOption = Annotated[bool, typer.Option("--half", help="Store weights with 16 bits: half the size.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the bundle of another model.")]


@dataclass(frozen=True)
class _Asked:
    """The options of a verb."""

    out: Path
    config: Path | None
    labels: str | None
    name: str | None
    title: str | None
    gate: Path | None
    images: Sequence[Path]
    report: Path | None
    half: bool
    force: bool


def _verb(source: Source) -> Callable[..., None]:
    """Return the function of a verb, whose signature is its options."""

    def verb(
        model: Annotated[str, typer.Argument(metavar=source.metavar, help=source.argument)],
        out: OutOption,
        config: ConfigOption = None,
        labels: LabelsOption = None,
        name: NameOption = None,
        title: TitleOption = None,
        gate: GateOption = None,
        images: ProofImagesOption = None,
        report: ReportOption = None,
        half: HalfOption = False,
        force: ForceOption = False,
    ) -> None:
        asked = _Asked(out, config, labels, name, title, gate, images or (), report, half, force)
        _import(source, model, asked)

    return verb


def _torch(
    model: Annotated[str, typer.Argument(metavar=TORCH.metavar, help=TORCH.argument)],
    out: OutOption,
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
    half: HalfOption = False,
    force: ForceOption = False,
) -> None:
    asked = _Asked(out, config, labels, name, title, gate, images or (), report, half, force)
    _import(TORCH, model, asked, network)


import_model.command(TORCH.verb, help=TORCH.told)(_torch)
for each in SOURCES:
    import_model.command(each.verb, help=each.told)(_verb(each))


def _import(source: Source, model: str, asked: _Asked, *more: Any) -> None:
    """Read the model, make the bundle, and say what was made."""
    _require(source)
    from rich.console import Console

    from sitegen.cli.importing.questions import with_answers
    from sitegen.importing.bundle import check_target, import_bundle

    module: Any = import_module(f"sitegen.importing.sources.{source.module}")
    settings = _settings(asked)
    given = model if source.metavar == "FILE|NAME" else Path(model)
    if source.asks:
        settings = with_answers(module.questions(given, settings), settings)
    console = Console(stderr=True)
    with console.status("Reading the model") as status:
        read: ImportedClassifier = getattr(module, source.function)(given, settings, *more)
        check_target(asked.out, read.name, force=asked.force)
        report = import_bundle(
            read,
            asked.out,
            settings,
            gate=asked.gate,
            images=asked.images,
            report=asked.report,
            half=asked.half,
            say=status.update,
        )
    for warning in report.warnings:
        typer.echo(f"Note: {warning}", err=True)
    for line in _summary(report, asked.out):
        typer.echo(line)


def _require(source: Source) -> None:
    """Raise SettingsError, saying what to install, where the packages of a source are not there."""
    from importlib.util import find_spec

    from sitegen.errors import SettingsError

    if missing := [name for name in source.needs if find_spec(name) is None]:
        raise SettingsError(
            f"sitegen import {source.verb} needs {', '.join(missing)}: pip install 'offline-sitegen[import]'"
        )


def _settings(asked: _Asked) -> "ImportSettings":
    """The settings of the file, and what the options say instead."""
    from sitegen.importing.settings import ImportSettings, read_import_settings
    from sitegen.settings.reading import read_settings

    settings = read_import_settings(asked.config) if asked.config else ImportSettings()
    given: dict[str, Any] = {key: value for key in ("name", "title") if (value := getattr(asked, key)) is not None}
    if asked.labels is not None:
        given["labels"] = [{"name": name.strip()} for name in asked.labels.split(",")]
    return read_settings(ImportSettings, given, settings)


def _summary(report: "ImportReport", out: Path) -> list[str]:
    proof, document, files = report.proof, report.document, report.bundle.description.files
    lines = [
        f"The graphs give the logits of the original, run by {proof.library}, on {proof.images} images: they differ by "
        f"{proof.largest:.1e} at most."
        if proof.library
        else "There was no original to compare with."
    ]
    if half := document["half"]:
        lines.append(
            f"Weights with 16 bits move probabilities by {100 * half['largest']:.2g} percentage points at most."
        )
    lines += _preprocessing(document["preprocessing"])
    total = sum(entry.bytes for entry in files.values())
    quoted = shlex.quote(str(out))
    return [
        *lines,
        f"Wrote {out}: {len(files)} files, {total / 1e6:.2f} MB. Not for diagnostic use.",
        f"Read the report: {report.report}",
        f"Read the card, and add what no import knows: {out / 'card.md'}",
        f"Next: sitegen build --bundle {quoted} --out dist",
        f"Then: sitegen verify --site dist --bundle {quoted}",
    ]


def _preprocessing(compared: Any) -> list[str]:
    if not compared or not compared["findings"]:
        return []
    largest = max(entry["largest"] for entry in compared["findings"])
    lines = [
        f"The source prepares images in its own way: on {compared['images']} images, sitegen's way changes "
        f"probabilities by {largest:.2g} percentage points at most."
    ]
    if compared["suggested"] is not None:
        lines.append(
            f"Closer to the source is fraction = {compared['suggested']:g} under [image]; the report says more."
        )
    return lines
