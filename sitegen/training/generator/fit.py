"""Training from the first step, or from a checkpoint, to the last: to the bit the same, whether it was killed or not.

What goes on from step to step is in the checkpoint: both networks, their optimisers, the running averages of weights,
of styles and of path lengths, and the augmentation's probability with what it counts. All else a step draws from the
seed and its number. That holds on one machine, with as many threads and processes.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from lightning_fabric import Fabric

from sitegen.errors import CheckpointError, DataError, TrainingError
from sitegen.networks.stylegan2.discriminator import StyleDiscriminator
from sitegen.networks.stylegan2.generator import StyleGenerator, make_generator
from sitegen.networks.stylegan2.trained import TrainedGenerator
from sitegen.networks.trained import described, read_checkpoint, write_checkpoint
from sitegen.training.adaptive.parts import parts_of
from sitegen.training.adaptive.pipe import Adaptation, Pipe
from sitegen.training.generator.drawing import Deck, seeded
from sitegen.training.generator.following import Following
from sitegen.training.generator.images import TrainingImages
from sitegen.training.generator.progress import Figures, Progress, Row, made_with
from sitegen.training.generator.settings import GeneratorFile
from sitegen.training.generator.steps import Networks, Stepper, make_optimiser

_LOOKED_AT = 64  # steps after which it is looked whether all were numbers


class GeneratorWatch:
    """Told how a training goes. This one does nothing; others show it, and write it down."""

    def begun(self, progress: Progress) -> None:
        """Training begins, after `progress` where it is resumed."""

    def step(self, images: int) -> None:
        """A step is done, after `images` images in all."""

    def snapshot(self, network: StyleGenerator, progress: Progress, images: int) -> Row:
        """A snapshot is due, of the running average; return figures of it, such as "frechet"."""
        return {}

    def kept(self, network: StyleGenerator, discriminator: StyleDiscriminator, progress: Progress) -> None:
        """The snapshot was the best so far; where no distance is measured, every one is."""

    def noted(self, progress: Progress) -> None:
        """The snapshot's row is the last of the history."""


@dataclass(frozen=True)
class Fitting:
    """All that a training needs. `begun` are networks to begin with, and `origin` says of which file."""

    file: GeneratorFile
    images: TrainingImages
    fabric: Fabric
    checkpoint: Path
    watch: GeneratorWatch
    begun: TrainedGenerator | None = None
    origin: str = ""


def fit_generator(asked: Fitting, steps_now: int | None = None) -> tuple[Progress, bool]:
    """Train; return how far it came, and whether it is complete.

    `steps_now` stops after so many steps, as a kill would. Raises CheckpointError where the checkpoint is of other
    settings, images or processes, DataError where there are too few images, TrainingError, which names the step, where
    a loss is no number: then the last good checkpoint and the best snapshot are as they were.
    """
    fit = _Fit(asked)
    fit.resume()
    asked.watch.begun(fit.progress)
    last = fit.total if steps_now is None else min(fit.total, fit.progress.steps + steps_now)
    while fit.progress.steps < last:
        fit.step()
    return fit.progress, fit.progress.steps >= fit.total


class _Fit:
    """The networks and everything that is carried from step to step."""

    def __init__(self, asked: Fitting) -> None:
        file, fabric, settings = asked.file, asked.fabric, asked.file.training
        self.asked, self.settings, self.fabric = asked, settings, fabric
        self.batch = settings.batch // fabric.world_size
        self.deck = Deck(asked.images, file.images.subset, settings.seed, file.images.flip, fabric.device)
        self._need(file)
        torch.manual_seed(settings.seed)
        generator, discriminator = make_generator(file.network), StyleDiscriminator(file.network)
        if asked.begun:
            generator.load_state_dict(asked.begun.generator.state_dict())
            if asked.begun.discriminator:
                discriminator.load_state_dict(asked.begun.discriminator.state_dict())
        generator, discriminator = generator.to(fabric.device).train(), discriminator.to(fabric.device).train()
        discriminator.freeze(settings.freeze)
        networks = Networks(
            generator,
            discriminator,
            make_optimiser(
                generator, settings.learning_rate, settings.path_length_every if settings.path_length else 0
            ),
            make_optimiser(discriminator, settings.learning_rate, settings.r1_every if settings.r1 else 0),
        )
        self.average = Following(generator, settings.average, settings.average_begin)
        self.stepper = Stepper(networks, self.deck, Pipe(parts_of(file.augment.parts)), settings, fabric)
        self.adaptation = _adaptation(file)
        self.progress, self.figures = Progress(), Figures(fabric.device)
        self._made_with = made_with(file, asked.images, fabric.world_size, asked.origin)
        self.total = -(-settings.images // settings.batch)
        self._snapshot_every = max(1, file.snapshots.every // settings.batch)
        self._save_every = max(1, file.snapshots.save_every // settings.batch)

    def step(self) -> None:
        """Take a step, and do what is due after it."""
        began, number = monotonic(), self.progress.steps
        whole = self.settings.batch
        source = seeded(self.fabric.device, self.settings.seed, number, self.fabric.global_rank)
        part = slice(self.fabric.global_rank, None, self.fabric.world_size)
        batch = self.deck.deal(number * whole, whole, part, source)
        figures, of_real = self.stepper.step(number, batch, self.adaptation.chance, source)
        self.figures.add(number, figures)
        self._adapt(of_real)
        self.average.step(self.stepper.networks.generator, number * whole, whole)
        self.progress.steps += 1
        self.progress.seconds += monotonic() - began
        self.asked.watch.step(self.progress.steps * whole)
        self._after()

    def _adapt(self, of_real: torch.Tensor) -> None:
        if self.adaptation.target is None:
            return
        adjusts = (self.adaptation.steps + 1) % self.adaptation.every == 0
        self.adaptation.note(of_real)
        sureness = torch.tensor(self.adaptation.sureness, device=self.fabric.device)
        if adjusts and self.fabric.world_size > 1:
            sureness = self.fabric.all_reduce(sureness, reduce_op="mean")  # type: ignore[assignment]
        self.adaptation.step(float(sureness), self.settings.batch)

    def _after(self) -> None:
        done = self.progress.steps
        at_end, snapshot = done == self.total, done % self._snapshot_every == 0
        if at_end or snapshot or done % self._save_every == 0 or done % _LOOKED_AT == 0:
            self._need_numbers()
        if at_end or snapshot:
            self._snapshot()
        if at_end or snapshot or done % self._save_every == 0:
            self._save()

    def _snapshot(self) -> None:
        """Look at the running average, keep it where it is the best; the first process does, and tells the others."""
        seconds, self.progress.seconds = self.progress.seconds, 0.0
        images = self.progress.steps * self.settings.batch
        row: Row = {"images": float(images), "seconds": round(seconds, 3), **self.figures.means()}
        row |= {"probability": self.adaptation.chance}
        watch, nets = self.asked.watch, self.stepper.networks
        if self.fabric.is_global_zero:
            row |= watch.snapshot(self.average.network, self.progress, images)
            if self.progress.note(row):
                watch.kept(self.average.network, nets.discriminator, self.progress)
            watch.noted(self.progress)
        self.fabric.barrier()

    def _save(self) -> None:
        if self.fabric.is_global_zero:
            nets = self.stepper.networks
            state: dict[str, Any] = {
                "made_with": self._made_with,
                "progress": asdict(self.progress),
                "generator": nets.generator.state_dict(),
                "discriminator": nets.discriminator.state_dict(),
                "average": self.average.network.state_dict(),
                "of_generator": nets.of_generator.state_dict(),
                "of_discriminator": nets.of_discriminator.state_dict(),
                "path_mean": self.stepper.path_mean,
                "adaptation": asdict(self.adaptation),
                "figures": self.figures.state(),
            }
            write_checkpoint(state, self.asked.checkpoint)
        self.fabric.barrier()

    def resume(self) -> None:
        """Take up the training that the checkpoint holds, if there is one."""
        path = self.asked.checkpoint
        if not path.exists():
            return
        state = read_checkpoint(path)
        if state.get("made_with") != self._made_with:
            raise CheckpointError(
                f"{path} is a training with other settings, other images or another number of processes. "
                "Name another folder with --work, or delete it to begin anew."
            )
        nets = self.stepper.networks
        with described(path):
            self.progress = Progress(**state["progress"])
            nets.generator.load_state_dict(state["generator"])
            nets.discriminator.load_state_dict(state["discriminator"])
            self.average.network.load_state_dict(state["average"])
            nets.of_generator.load_state_dict(state["of_generator"])
            nets.of_discriminator.load_state_dict(state["of_discriminator"])
            self.stepper.path_mean = state["path_mean"].to(self.fabric.device)
            self.adaptation = Adaptation(**state["adaptation"])
            self.figures.load(state["figures"])

    def _need(self, file: GeneratorFile) -> None:
        if self.settings.batch % self.fabric.world_size:
            raise DataError(
                f"training.batch is {self.settings.batch}, and {self.fabric.world_size} processes share it evenly. "
                "Choose a multiple."
            )
        if len(self.deck) < 2:
            raise DataError(f"There is {len(self.deck)} image to learn from. Name more in images.places.")

    def _need_numbers(self) -> None:
        bad = self.figures.bad()
        if bad is not None:
            raise TrainingError(
                f"a loss is no number any more at step {bad + 1}, after {bad * self.settings.batch} images. The last "
                f"checkpoint and the best snapshot are kept in {self.asked.checkpoint.parent}. Begin anew with a "
                "larger r1 or a lower learning_rate."
            )


def _adaptation(file: GeneratorFile) -> Adaptation:
    asked = file.augment
    if asked.mode == "none":
        return Adaptation(0.0)
    if asked.mode == "fixed":
        return Adaptation(asked.probability)
    return Adaptation(asked.probability, asked.target, asked.every, asked.images)


Judge = Callable[[Path], float]
"""Gives the Fréchet distance of a folder of made images from the real ones."""
