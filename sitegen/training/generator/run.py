"""Training a settings file's generator from beginning to end, with progress, snapshots and resumption.

In the work folder:

    training.pt               the training so far, replaced after every `save_every` images
    log.csv                   a row a snapshot
    snapshots/NNNNNNNN.png    a grid of samples, by images shown; always of the same latents
    generator.safetensors     the best snapshot: that of the least Fréchet distance, or the last where none is measured
"""

import csv
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from sitegen.errors import CheckpointError
from sitegen.locking import alone_in
from sitegen.networks.stylegan2.discriminator import StyleDiscriminator
from sitegen.networks.stylegan2.generator import StyleGenerator
from sitegen.networks.stylegan2.official import is_official, read_official
from sitegen.networks.stylegan2.settings import shape_document
from sitegen.networks.stylegan2.trained import (
    TrainedGenerator,
    load_generator,
    need_safetensors,
    save_generator,
)
from sitegen.settings.reading import settings_document
from sitegen.training.generator.fit import Fitting, GeneratorWatch, Judge, fit_generator
from sitegen.training.generator.images import TrainingImages, read_images
from sitegen.training.generator.progress import Progress, Row
from sitegen.training.generator.samples import grid, write_drawn
from sitegen.training.generator.settings import GeneratorFile
from sitegen.training.launch import make_fabric

GENERATOR, TRAINING, LOG, SNAPSHOTS = "generator.safetensors", "training.pt", "log.csv", "snapshots"
MakeJudge = Callable[[GeneratorFile, TrainingImages, Path], Judge | None]
_FREE = ("group", "clamp", "mapping_rate")  # of a shape: what no weight depends on


@dataclass(frozen=True)
class GeneratorTraining:
    """What a training has come to."""

    images: TrainingImages
    progress: Progress
    complete: bool


def train_generator(
    file: GeneratorFile,
    work: Path,
    *,
    judge: MakeJudge | None = None,
    steps_now: int | None = None,
    workers: int | None = None,
    console: Console | None = None,
) -> GeneratorTraining:
    """Train in the folder `work`, going on where an earlier run was stopped.

    `judge` makes what measures snapshots. Under torchrun all processes call this, and the first one writes. Raises what
    `read_images` and `fit_generator` raise, CheckpointError where `training.initial` does not fit, and SettingsError
    where another process trains there, or the package for the generator's file is missing.
    """
    need_safetensors()
    fabric = make_fabric(_precision(file))
    with alone_in(work, TRAINING, "training") if fabric.is_global_zero else nullcontext():
        if not fabric.is_global_zero:
            fabric.barrier()
        images = read_images(file, work, workers)
        measures = judge(file, images, work) if judge and fabric.is_global_zero else None
        if fabric.is_global_zero:
            fabric.barrier()
        begun, origin = _begun(file)
        shown = ShownTraining(file, images, work, fabric, measures, begun, console or Console(stderr=True))
        watch = shown if fabric.is_global_zero else GeneratorWatch()
        with shown if fabric.is_global_zero else nullcontext():
            asked = Fitting(file, images, fabric, work / TRAINING, watch, begun, origin)
            progress, complete = fit_generator(asked, steps_now)
    return GeneratorTraining(images, progress, complete)


def _precision(file: GeneratorFile) -> Any:
    if file.training.precision != "auto":
        return file.training.precision
    return "bf16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "32"


def _begun(file: GeneratorFile) -> tuple[TrainedGenerator | None, str]:
    """The networks to begin with and their file's hash. Raises CheckpointError where they are of another shape."""
    if not file.training.initial:
        return None, ""
    path = file.place(file.training.initial)
    begun = read_official(path) if is_official(path) else load_generator(path)
    theirs, ours = shape_document(begun.shape), shape_document(file.network)
    for name in theirs:
        if name not in _FREE and theirs[name] != ours[name]:
            raise CheckpointError(
                f"{path} is a generator whose {name} is {theirs[name]}, and this training's is {ours[name]}. "
                f"Set {name} = {theirs[name]} in [network], or begin with another."
            )
    return begun, sha256(path.read_bytes()).hexdigest()


class ShownTraining(GeneratorWatch):
    """Shows a line a snapshot and a bar in between, and writes all files but the checkpoint; used as a context."""

    def __init__(
        self,
        file: GeneratorFile,
        images: TrainingImages,
        work: Path,
        fabric: Fabric,
        judge: Judge | None,
        begun: TrainedGenerator | None,
        console: Console,
    ) -> None:
        self._file, self._images, self._work, self._fabric = file, images, work, fabric
        self._judge, self._begun = judge, begun
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=console, transient=True)
        self._task = self._bar.add_task("training", total=file.training.images)

    def __enter__(self) -> "ShownTraining":
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def begun(self, progress: Progress) -> None:
        """Say where a resumed training goes on."""
        shown = progress.steps * self._file.training.batch
        self._bar.update(self._task, completed=shown)
        if shown:
            self._bar.console.print(f"resumed after {shown} images")

    def step(self, images: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=images)

    def snapshot(self, network: StyleGenerator, progress: Progress, images: int) -> Row:
        """Write the grid, and measure the distance."""
        folder = self._work / SNAPSHOTS
        folder.mkdir(parents=True, exist_ok=True)
        grid(network, self._file.snapshots.columns).save(folder / f"{images:08d}.png")
        if self._judge is None:
            return {}
        with tempfile.TemporaryDirectory() as place:
            write_drawn(network, self._file.snapshots.count, Path(place))
            return {"frechet": self._judge(Path(place))}

    def kept(self, network: StyleGenerator, discriminator: StyleDiscriminator, progress: Progress) -> None:
        """Write the best snapshot."""
        self._write(GENERATOR, network, discriminator, progress)

    def noted(self, progress: Progress) -> None:
        """Show the row, write the log."""
        row = progress.history[-1]
        rate = f", {self._since(progress) / row['seconds']:.2f} images/s" if row["seconds"] else ""
        figures = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in row.items() if name != "images")
        self._bar.console.print(f"{row['images']:.0f} images: {figures}{rate}")
        names = list(dict.fromkeys(name for each in progress.history for name in each))
        unfinished = self._work / f"{LOG}.unfinished"
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(progress.history)
        unfinished.replace(self._work / LOG)

    def _since(self, progress: Progress) -> float:
        before = progress.history[-2]["images"] if len(progress.history) > 1 else 0.0
        return progress.history[-1]["images"] - before

    def _write(self, name: str, network: StyleGenerator, discriminator: StyleDiscriminator, progress: Progress) -> None:
        made_by: dict[str, Any] = {
            "settings": settings_document(replace(self._file, folder="")),
            "classes": list(self._images.names),
            "images": {"train": len(self._images.pixels), "left_out": len(self._images.problems)},
            "processes": self._fabric.world_size,
            "history": progress.history,
            "torch": str(torch.__version__),
        }
        if self._begun and "licence" in self._begun.made_by:
            made_by["licence"] = self._begun.made_by["licence"]
        save_generator(TrainedGenerator(network, discriminator, made_by), self._work / name)
