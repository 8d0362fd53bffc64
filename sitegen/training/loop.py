"""The loop that all training shares: AdamW with a one-cycle schedule, seeded, resumable after every epoch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Generator, Tensor, nn

from sitegen.training.checkpoint import Run

BatchLoss = Callable[[Tensor, Generator], Tensor]


@dataclass(frozen=True)
class FitSettings:
    """How long and how fast; the learning rate is the peak of the one cycle."""

    epochs: int = 30
    batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 1


def fit(
    network: nn.Module,
    examples: int,
    loss_of: BatchLoss,
    settings: FitSettings,
    recipe: object = None,
    checkpoint: Path | None = None,
    epochs_now: int | None = None,
) -> list[float]:
    """Train `network` in place and return the mean loss of every epoch.

    `loss_of(indices, generator)` returns the scalar loss of the examples at `indices`; all its randomness must come
    from `generator`. Each epoch's generator is seeded from seed and epoch alone, so a run that was interrupted and
    resumed from `checkpoint` ends where an uninterrupted one does. `recipe` is whatever else the losses depend on,
    written into the checkpoint as its `repr`. `epochs_now` stops earlier, as an interruption would.
    Raises CheckpointError where the checkpoint was made with other settings.
    """
    steps = -(-examples // settings.batch)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.epochs * steps, cycle_momentum=False
    )
    run = Run(network, optimiser, schedule, [])
    described = f"{examples} examples, {settings}, {recipe}"
    if checkpoint:
        run.resume(checkpoint, described)
    last = settings.epochs if epochs_now is None else min(settings.epochs, len(run.losses) + epochs_now)
    with _progress() as progress:
        task = progress.add_task("training", total=settings.epochs * steps, completed=len(run.losses) * steps, loss="")
        while len(run.losses) < last:
            _epoch(run, examples, loss_of, settings, lambda: progress.advance(task))
            progress.update(task, loss=f"loss {run.losses[-1]:.4f}")
            if checkpoint:
                run.save(checkpoint, described)
    network.eval()
    return run.losses


def _epoch(run: Run, examples: int, loss_of: BatchLoss, settings: FitSettings, advance: Callable[[], None]) -> None:
    generator = Generator().manual_seed(settings.seed * 100_003 + len(run.losses))
    run.network.train()
    total = 0.0
    for indices in _batches(examples, settings.batch, generator):
        run.optimiser.zero_grad(set_to_none=True)
        loss = loss_of(indices, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        run.optimiser.step()
        run.schedule.step()
        total += loss.item() * len(indices)
        advance()
    run.losses.append(total / examples)


def _batches(examples: int, batch: int, generator: Generator) -> Iterator[Tensor]:
    yield from torch.split(torch.randperm(examples, generator=generator), batch)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
    )
