"""Training a recipe's classifier from beginning to end, with progress, logs and resumption."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sitegen.locking import alone_in
from sitegen.networks.trained import TrainedClassifier, save_trained
from sitegen.settings.recipe import RecipeFile
from sitegen.training.fit import Watch, fit_classifier
from sitegen.training.history import Epoch, epochs_in, phase_summaries, write_csv, write_tensorboard
from sitegen.training.launch import make_fabric
from sitegen.training.members import averaged, member_files, member_folder, renormalise
from sitegen.training.prepare import (
    Prepared,
    initial_weights,
    new_network,
    prepare,
    trained_classifier,
    training_recipe,
)

MEMBERS = "members"  # of `made_by`: what each changed and achieved
CLASSIFIER, TRAINING, LOG = "classifier.pt", "training.pt", "log.csv"


@dataclass(frozen=True)
class Training:
    """What a training has come to: the classifier where it is complete, and what every epoch achieved."""

    prepared: Prepared
    history: list[Epoch]
    trained: TrainedClassifier | None
    members: tuple["Training", ...] = ()

    @property
    def summary(self) -> list[str]:
        """A line for each phase: what it achieved on the validation images."""
        lines = [
            f"Phase {phase['phase']} ({phase['trains']}): {phase['epochs']} epoch(s), validation AUC "
            f"{phase['last_valid_auc']:.4f}, best {phase['best_valid_auc']:.4f} in epoch {phase['best_epoch']}"
            for phase in phase_summaries(self.history)
        ]
        return lines + [
            f"Member {number}: {line}" for number, member in enumerate(self.members, 1) for line in member.summary
        ]

    @property
    def epochs(self) -> int:
        """How many epochs there were, those of members included."""
        return len(self.history) + sum(member.epochs for member in self.members)


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

    Of a recipe with members each is trained in a folder of its own in there, one after the other, and the classifier
    has their averaged weights. `place` is other data than the recipe names; `initial` a file of weights for the
    network's body. Under torchrun all processes call this, and the first one writes. Raises what `prepare`,
    `fit_classifier` and `member_files` raise, and SettingsError where another process trains there.
    """
    asked = _Asked(work, place, initial, tensorboard, console or Console(stderr=True))
    members = member_files(file, initial is not None)
    if members:
        return _train_members(file, members, asked, epochs_now)
    return _train_one(file, work, asked, epochs_now)


@dataclass(frozen=True)
class _Asked:
    """What all members have in common."""

    work: Path
    place: Path | None
    initial: Path | None
    tensorboard: bool
    console: Console


def _train_one(file: RecipeFile, folder: Path, asked: _Asked, epochs_now: int | None) -> Training:
    """Train one classifier, whose checkpoints and log lie in `folder`."""
    fabric = make_fabric(training_recipe(file).precision)
    with alone_in(folder, TRAINING, "training") if fabric.is_global_zero else nullcontext():
        return _train_alone(file, folder, asked, epochs_now, fabric)


def _train_alone(file: RecipeFile, folder: Path, asked: _Asked, epochs_now: int | None, fabric: Fabric) -> Training:
    prepared = _prepared_once(fabric, lambda: prepare(file, asked.work, asked.place))
    begun = initial_weights(prepared, asked.initial)
    network = new_network(prepared, begun)
    with ExitStack() as shown:
        watch = Watch()
        if fabric.is_global_zero:
            watch = shown.enter_context(ShownProgress(prepared, folder, asked.console, asked.tensorboard))
        history, complete = fit_classifier(
            network,
            prepared.data,
            prepared.recipe,
            fabric,
            folder / TRAINING,
            epochs_now,
            watch,
            begun.origin["sha256"] if begun else "",
        )
    if not complete:
        return Training(prepared, history, None)
    trained = trained_classifier(prepared, network, history, begun)
    _save(trained, folder, fabric)
    return Training(prepared, history, trained)


def _train_members(file: RecipeFile, members: Sequence[RecipeFile], asked: _Asked, epochs_now: int | None) -> Training:
    """Train the members, one after the other, and average them; with `epochs_now`, so many epochs of all together."""
    done: list[Training] = []
    for number, member in enumerate(members, 1):
        folder = member_folder(asked.work, number)
        before = epochs_in(folder / LOG)
        asked.console.print(f"member {number} of {len(members)}")
        done.append(_train_one(member, folder, asked, epochs_now))
        if epochs_now is not None:
            epochs_now -= done[-1].epochs - before
        if done[-1].trained is None:
            return Training(done[0].prepared, [], None, tuple(done))
    prepared = replace(done[0].prepared, file=file, recipe=training_recipe(file))
    network = averaged([each.trained.network for each in done if each.trained])
    renormalise(network, prepared.data.train, prepared.recipe)
    trained = trained_classifier(prepared, network, [], initial_weights(prepared, asked.initial))
    achieved = [
        {"changes": dict(changes), "phases": phase_summaries(each.history)}
        for changes, each in zip(file.members, done, strict=True)
    ]
    trained = replace(trained, made_by={**trained.made_by, MEMBERS: achieved})
    _save(trained, asked.work, make_fabric(prepared.recipe.precision))
    return Training(prepared, [], trained, tuple(done))


def _save(trained: TrainedClassifier, folder: Path, fabric: Fabric) -> None:
    if fabric.is_global_zero:
        save_trained(trained, folder / CLASSIFIER)
    fabric.barrier()


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
