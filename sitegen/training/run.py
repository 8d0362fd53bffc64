"""Training a recipe's classifier from beginning to end, with progress, logs and resumption."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sitegen.networks.trained import TrainedClassifier, save_trained
from sitegen.settings.recipe import RecipeFile
from sitegen.training.fit import Watch, fit_classifier
from sitegen.training.history import Epoch, phase_summaries, write_csv, write_tensorboard
from sitegen.training.launch import make_fabric
from sitegen.training.prepare import (
    Prepared,
    initial_weights,
    new_network,
    prepare,
    trained_classifier,
    training_recipe,
)

CLASSIFIER, TRAINING, LOG = "classifier.pt", "training.pt", "log.csv"


@dataclass(frozen=True)
class Training:
    """What a training has come to: the classifier where it is complete, and what every epoch achieved."""

    prepared: Prepared
    history: list[Epoch]
    trained: TrainedClassifier | None

    @property
    def summary(self) -> list[str]:
        """A line for each phase: what it achieved on the validation images."""
        return [
            f"Phase {phase['phase']} ({phase['trains']}): {phase['epochs']} epoch(s), validation AUC "
            f"{phase['last_valid_auc']:.4f}, best {phase['best_valid_auc']:.4f} in epoch {phase['best_epoch']}"
            for phase in phase_summaries(self.history)
        ]


def train(
    file: RecipeFile,
    work: Path,
    place: Path | None = None,
    *,
    initial: Path | None = None,
    epochs_now: int | None = None,
    tensorboard: bool = False,
    console: Console | None = None,
) -> Training:
    """Train the classifier of a recipe in the folder `work`, going on where an earlier run was stopped.

    `place` is other data than the recipe names; `initial` a file of weights for the network's body. Under torchrun all
    processes call this, and the first one writes. Raises what `prepare` and `fit_classifier` raise.
    """
    fabric = make_fabric(training_recipe(file).precision)
    prepared = _prepared_once(fabric, lambda: prepare(file, work, place))
    begun = initial_weights(prepared, initial)
    network = new_network(prepared, begun)
    first = fabric.is_global_zero
    with ExitStack() as shown:
        watch = Watch()
        if first:
            watch = shown.enter_context(ShownProgress(prepared, work, console or Console(stderr=True), tensorboard))
        history, complete = fit_classifier(
            network,
            prepared.data,
            prepared.recipe,
            fabric,
            work / TRAINING,
            epochs_now,
            watch,
            begun.origin["sha256"] if begun else "",
        )
    if not complete:
        return Training(prepared, history, None)
    trained = trained_classifier(prepared, network, history, begun)
    if first:
        save_trained(trained, work / CLASSIFIER)
    fabric.barrier()
    return Training(prepared, history, trained)


def _prepared_once(fabric: Fabric, make: Callable[[], Prepared]) -> Prepared:
    """Let the first process fill the cache, which the others then read."""
    if fabric.is_global_zero:
        prepared = make()
        fabric.barrier()
        return prepared
    fabric.barrier()
    return make()


class ShownProgress(Watch):
    """Shows a line an epoch and a bar in between, and writes the logs; to be used as a context."""

    def __init__(self, prepared: Prepared, work: Path, console: Console, tensorboard: bool) -> None:
        self._batches = prepared.recipe.steps(len(prepared.data.train.images))
        self._work, self._tensorboard = work, tensorboard
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("training", total=prepared.batches)

    def __enter__(self) -> "ShownProgress":
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._progress.stop()

    def begun(self, history: Sequence[Epoch]) -> None:
        """Say where a resumed training goes on."""
        self._progress.update(self._task, completed=len(history) * self._batches)
        if history:
            last = history[-1]
            self._progress.console.print(f"resumed after epoch {last.epoch} of phase {last.phase}")

    def batch(self) -> None:
        """Advance the bar."""
        self._progress.advance(self._task)

    def epoch(self, history: Sequence[Epoch]) -> None:
        """Show the epoch's figures, write the logs."""
        last = history[-1]
        self._progress.update(self._task, completed=len(history) * self._batches)
        self._progress.console.print(
            f"phase {last.phase} epoch {last.epoch}: loss {last.train_loss:.4f}, "
            f"validation loss {last.valid_loss:.4f}, AUC {last.valid_auc:.4f}, {last.seconds:.0f} s"
        )
        write_csv(history, self._work / LOG)
        if self._tensorboard:
            write_tensorboard(history, self._work / "tensorboard")
