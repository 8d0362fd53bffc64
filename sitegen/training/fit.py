"""Training a classifier in phases: seeded, resumable after every epoch, in one process or many.

Nothing that a step depends on is carried over from the steps before but network, optimiser and schedule: order,
augmentation and dropout of an epoch are drawn from the seed and the epoch's number alone. So a training that was killed
and resumed ends with the weights of one that was not (on one machine, with as many threads).

Several processes share every batch. Each knows the whole batch's images, draws the changes of all of them and takes
its part, and divides its part of the loss by what the whole batch counts, so that many processes make the steps of one.
What is computed over a batch inside the network, batch normalisation and dropout, differs: see docs/training.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn

from sitegen.errors import TrainingError
from sitegen.networks.classifier import Classifier
from sitegen.networks.trained import described, write_checkpoint
from sitegen.training.augment import Changes, changed, draw_changes
from sitegen.training.average import WeightAverage
from sitegen.training.examples import LabelledImages
from sitegen.training.history import Epoch
from sitegen.training.losses import ClassifierLoss, make_loss
from sitegen.training.mixing import draw_mixing
from sitegen.training.presets import Draw, Phase, Recipe, batch_count
from sitegen.training.progress import Progress, made_with, read_progress, read_state
from sitegen.training.schedules import Schedule, make_schedule
from sitegen.training.transfer import begin_phase, train_mode
from sitegen.training.validation import mean_auc, need_both_classes, validate


class Watch:
    """Told how a training goes. This one does nothing; others show it, and write it down."""

    def begun(self, history: Sequence[Epoch]) -> None:
        """Training begins, after the epochs of `history` where it is resumed."""

    def batch(self) -> None:
        """A batch is done."""

    def epoch(self, history: Sequence[Epoch]) -> None:
        """An epoch is done, the last of `history`."""


@dataclass(frozen=True)
class TrainingData:
    """Images to learn from and images to choose by; `black` and `white` are the ends of the network input's values."""

    train: LabelledImages
    valid: LabelledImages
    labels: tuple[str, ...]
    black: float = -1.0
    white: float = 1.0


def fit_classifier(
    network: Classifier,
    data: TrainingData,
    recipe: Recipe,
    fabric: Fabric,
    checkpoint: Path | None = None,
    epochs_now: int | None = None,
    watch: Watch | None = None,
    begun_with: str = "",
) -> tuple[list[Epoch], bool]:
    """Train `network` in place; return the history, and whether the training is complete.

    The network gives a logit for each of `data.labels`, or two where the loss is one-against-all. A training that
    `checkpoint` holds goes on from there; `epochs_now` stops after so many epochs, as an interruption would.
    `begun_with` names the weights that others trained, if it begins with such. Raises CheckpointError where the
    checkpoint is of another recipe, other data or other weights to begin with, DataError where the validation images
    cannot tell better from worse, TrainingError where the loss is no longer finite.
    """
    need_both_classes(data.valid)
    fit = _Fit(network, data, recipe, fabric, checkpoint, watch or Watch(), epochs_now, begun_with)
    fit.resume()
    fit.watch.begun(fit.progress.history)
    for number in range(fit.progress.phase, len(recipe.phases)):
        if number > fit.progress.phase:
            fit.progress = Progress(number, history=fit.progress.history)
        if not fit.complete_phase(recipe.phases[number]):
            return fit.progress.history, False
    network.eval()
    return fit.progress.history, True


def batches(order: Tensor, size: int) -> Iterator[Tensor]:
    """Yield the indices of batches in this order, all of one size or one less, of `size` at most, or one more for 2.

    Dealt out evenly, no batch is so small that normalisation over it would be undefined.
    """
    yield from torch.tensor_split(order, batch_count(len(order), size))


def _logits(network: nn.Module, images: Tensor) -> Tensor:
    try:
        logits: Tensor = network(images)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise TrainingError(
            "A batch has one image in a process, over which this network cannot normalise. Raise batch to 2 images a "
            "process or more in [training], and train on 2 images or more."
        ) from error
    return logits


def order_of(train: LabelledImages, draw: Draw, generator: Generator) -> Tensor:
    """Return the indices of an epoch's images: each once, or as many drawn by their weights, again and again."""
    if draw.by == "turn":
        return torch.randperm(len(train.images), generator=generator)
    return torch.multinomial(train.weights, draw.count(len(train.images)), replacement=True, generator=generator)


class _Fit:
    """The parts that an epoch needs, and the progress that it makes."""

    optimiser: Any  # Fabric's wrapper of one
    schedule: Schedule
    module: Any  # Fabric's wrapper of the network

    def __init__(
        self,
        network: Classifier,
        data: TrainingData,
        recipe: Recipe,
        fabric: Fabric,
        checkpoint: Path | None,
        watch: Watch,
        epochs_now: int | None,
        begun_with: str,
    ) -> None:
        self.network, self.data, self.recipe, self.fabric = network, data, recipe, fabric
        self.checkpoint, self.watch, self.epochs_now = checkpoint, watch, epochs_now
        self.loss: ClassifierLoss = make_loss(recipe.loss, data.train.targets).to(fabric.device)
        self.average = WeightAverage(network, recipe.average)
        self.progress = Progress()
        self._made_with = made_with(
            recipe,
            network,
            data.labels,
            data.train.targets,
            data.valid.targets,
            data.train.weights,
            begun_with=begun_with,
        )
        self._resumed: dict[str, Any] = {}

    def resume(self) -> None:
        """Take up the training that the checkpoint holds, if there is one."""
        if self.checkpoint is None or not self.checkpoint.exists():
            return
        self._resumed = read_state(self.checkpoint, self._made_with)
        with described(self.checkpoint):
            self.progress = read_progress(self._resumed["progress"])
            self.network.load_state_dict(self._resumed["network"])
            self.average.load_state_dict(self._resumed["average"])

    def complete_phase(self, phase: Phase) -> bool:
        """Run what is left of a phase; False where it had to stop before the end, for `epochs_now`."""
        self._begin(phase)
        while not self._over(phase):
            if self.epochs_now == 0:
                return False
            self._finish_epoch(*self._epoch(phase), phase)
            self.epochs_now = None if self.epochs_now is None else self.epochs_now - 1
        self.average.settle()
        if self.recipe.keep == "best":
            self.network.load_state_dict(self.progress.best_weights)
        return True

    def _begin(self, phase: Phase) -> None:
        begin_phase(self.network, phase.trains)
        if not self._resumed:
            self.average = WeightAverage(self.network, self.recipe.average)
        steps = self.recipe.steps(len(self.data.train.images))
        optimiser, self.schedule = make_schedule(self.network, self.recipe.adam, phase.schedule, phase.epochs, steps)
        if self._resumed and self.checkpoint:
            with described(self.checkpoint):
                optimiser.load_state_dict(self._resumed["optimiser"])
                self.schedule.load_state_dict(self._resumed["schedule"])
            self._resumed = {}
        self.module, self.optimiser = self.fabric.setup(self.network, optimiser)

    def _over(self, phase: Phase) -> bool:
        progress, patience = self.progress, self.recipe.early_stopping
        stalled = patience is not None and progress.epoch - progress.best_epoch >= patience
        return progress.epoch >= phase.epochs or (progress.epoch > 0 and stalled)

    def _epoch(self, phase: Phase) -> tuple[float, float]:
        """Train for one epoch; return its mean loss and the seconds that it took."""
        began = monotonic()
        seed = epoch_seed(self.recipe.seed, self.progress.phase, self.progress.epoch)
        generator = Generator().manual_seed(seed)
        torch.manual_seed(seed + self.fabric.global_rank)  # of dropout
        train_mode(self.network, phase.trains)
        order = order_of(self.data.train, self.recipe.draw, generator)
        total = torch.zeros((), device=self.fabric.device, dtype=torch.float64)
        for indices in batches(order, self.recipe.batch):
            total += self._step(indices, generator) * (len(indices) / len(order))
            self.watch.batch()
        together: Tensor = self.fabric.all_reduce(total, reduce_op="sum")  # type: ignore[assignment]
        return float(together), monotonic() - began

    def _step(self, indices: Tensor, generator: Generator) -> Tensor:
        """Take one step; return this process's part of the batch's loss."""
        changes = draw_changes(len(indices), self.recipe.augment, generator)
        targets = self.data.train.targets[indices].to(self.fabric.device)
        part = slice(self.fabric.global_rank, None, self.fabric.world_size)
        images = self._changed(indices[part], changes.of(part))
        if self.recipe.mix:
            mixing = draw_mixing(targets, self.recipe.mix, generator)
            images = mixing.images(images, self._partners(images, mixing.partners, indices, changes, part), part)
            targets = mixing.targets(targets)
        # Images that are drawn by their weights count alike once they are drawn.
        by_turn = self.recipe.draw.by == "turn"
        weights = self.data.train.weights[indices[part]].to(self.fabric.device) if by_turn else None
        logits = _logits(self.module, images)
        loss: Tensor = self.loss.summed(logits, targets[part], weights) / self.loss.total(targets)
        self.optimiser.zero_grad(set_to_none=True)
        # Gradients are averaged over processes, and the parts of a loss are to be added.
        self.fabric.backward(loss * self.fabric.world_size)
        if self.recipe.clip:
            self.fabric.clip_gradients(self.module, self.optimiser, max_norm=self.recipe.clip, error_if_nonfinite=False)
        self.optimiser.step()
        self.schedule.after_batch()
        self.average.step()
        return loss.detach()

    def _partners(self, images: Tensor, partners: Tensor, indices: Tensor, changes: Changes, part: slice) -> Tensor:
        """The changed partners of this process's changed images; one process alone has them all."""
        if self.fabric.world_size == 1:
            return images[partners.to(images.device)]
        theirs = partners[part]
        return self._changed(indices[theirs], changes.of(theirs))

    def _changed(self, indices: Tensor, changes: Changes) -> Tensor:
        images = self.data.train.images[indices].to(self.fabric.device)
        return changed(images, changes, self.data.black, self.data.white)

    def _finish_epoch(self, train_loss: float, seconds: float, phase: Phase) -> None:
        """Validate, write everything down, and move the schedule on."""
        if not isfinite(train_loss):
            raise TrainingError(
                f"the loss is {train_loss} in epoch {self.progress.epoch + 1} of phase {self.progress.phase + 1}. "
                "Begin with a lower learning rate; sitegen train range-test suggests one."
            )
        group = self.optimiser.param_groups[0]
        rate, momentum = group["lr"], group["betas"][0]
        with self.average.in_place():
            valid_loss, aucs = validate(
                self.network, self.data.valid, self.data.labels, self.loss, self.fabric, self.recipe.batch
            )
            score = mean_auc(aucs)
            self.progress.note(score, self.network, self.recipe.keep == "best")
        self.schedule.after_epoch(score)
        row = Epoch(
            phase=self.progress.phase + 1,
            trains=phase.trains,
            epoch=self.progress.epoch,
            learning_rate=rate,
            momentum=momentum,
            train_loss=train_loss,
            valid_loss=valid_loss,
            valid_auc=score,
            aucs=aucs,
            seconds=round(seconds, 3),
        )
        self.progress.history.append(row)
        self._save()
        self.watch.epoch(self.progress.history)

    def _save(self) -> None:
        if self.checkpoint and self.fabric.is_global_zero:
            state = {
                "made_with": self._made_with,
                "progress": self.progress.document(),
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "schedule": self.schedule.state_dict(),
            }
            write_checkpoint(state, self.checkpoint)
        self.fabric.barrier()


def epoch_seed(seed: int, phase: int, epoch: int) -> int:
    """Return the seed of an epoch, both counted from 0: numbers that differ in anything give streams that do."""
    return int(np.random.SeedSequence((seed, phase, epoch)).generate_state(1)[0])
