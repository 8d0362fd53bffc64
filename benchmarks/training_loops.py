"""One epoch of training by sitegen, and by a plain PyTorch loop that makes the very same steps.

Network, optimiser, schedule, order of the images and augmentation are the same, so that both end with the same loss and
what differs in time is the loop alone: its indexing, its weights and unknown labels, its way through Fabric.
"""

import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Generator
from torch.nn import functional

from sitegen.networks.classifier import Classifier
from sitegen.networks.registry import make_network, read_network
from sitegen.phantom import phantom
from sitegen.training.augment import augment
from sitegen.training.examples import LabelledImages
from sitegen.training.fit import TrainingData, epoch_seed, fit_classifier  # the plain loop must draw the same numbers
from sitegen.training.presets import Phase, Recipe
from sitegen.training.schedules import AdamSettings, OneCycleSettings, make_schedule

CLOSE = 1e-3  # of the two mean losses: sums in another order differ in their last digits, and steps amplify that
VALIDATION = 8  # images; their time is not counted


@dataclass(frozen=True)
class Epoch:
    """What an epoch took, in seconds, and its mean loss."""

    seconds: float
    loss: float


@dataclass(frozen=True)
class Task:
    """What is trained: a network to begin with (never changed), images, and the recipe of one epoch."""

    network: Classifier
    data: TrainingData
    recipe: Recipe


def make_task(network: str, images: int, side: int, batch: int) -> Task:
    """Return a task on synthetic radiographs [images, 1, side, side], every second one with an opacity."""
    torch.manual_seed(0)
    made = make_network(read_network({"name": network, "channels": 1, "labels": 1}))
    made.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as `sitegen train` has it
    schedule = OneCycleSettings(initial_rate=1e-4, peak_rate=1e-3)
    recipe = Recipe((Phase("all", 1, schedule),), adam=AdamSettings(weight_decay=1e-2), batch=batch, precision="32")
    return Task(made, TrainingData(_drawn(images, side), _drawn(VALIDATION, side), ("Opacity",)), recipe)


def mapped(task: Task, folder: Path) -> Task:
    """Return the task with its images mapped from a file, as `data.tensors.stacks` has those of large data sets."""
    file = folder / "images.npy"
    train = task.data.train
    np.save(file, train.images.numpy())
    images = torch.from_numpy(np.load(file, mmap_mode="c"))
    data = TrainingData(LabelledImages(images, train.targets, train.weights), task.data.valid, task.data.labels)
    return Task(task.network, data, task.recipe)


def sitegen_epoch(task: Task, fabric: Fabric) -> Epoch:
    """Train a copy of the network for an epoch by sitegen's loop; validation is not counted."""
    history, _ = fit_classifier(deepcopy(task.network), task.data, task.recipe, fabric)
    return Epoch(history[0].seconds, history[0].train_loss)


def plain_epoch(task: Task, device: torch.device) -> Epoch:
    """Train a copy of the network for an epoch by a plain loop."""
    network = deepcopy(task.network).to(device).train()
    train, recipe = task.data.train, task.recipe
    steps = -(-len(train.images) // recipe.batch)
    optimiser, schedule = make_schedule(network, recipe.adam, recipe.phases[0].schedule, 1, steps)
    began = time.perf_counter()
    generator = Generator().manual_seed(epoch_seed(recipe.seed, 0, 0))
    total = torch.zeros((), device=device)
    for indices in torch.tensor_split(torch.randperm(len(train.images), generator=generator), steps):
        images, targets = train.images[indices].to(device), train.targets[indices].to(device)
        images = augment(images, recipe.augment, task.data.black, task.data.white, generator)
        loss = functional.binary_cross_entropy_with_logits(network(images), targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.after_batch()
        total += loss.detach() * len(indices)
    loss_value = total.item() / len(train.images)
    return Epoch(time.perf_counter() - began, loss_value)


def check_same_steps(epochs: dict[str, Epoch]) -> float:
    """Return how far apart the mean losses are. Raises ValueError where the loops did not train in the same way."""
    losses = {name: epoch.loss for name, epoch in epochs.items()}
    distance = float(np.ptp(list(losses.values())))  # NaN where one of them is
    if not distance <= CLOSE:
        told = ", ".join(f"{name} {loss:.6f}" for name, loss in losses.items())
        raise ValueError(f"the loops do not make the same steps; mean losses: {told}")
    return distance


def _drawn(images: int, side: int) -> LabelledImages:
    """Synthetic radiographs, at most 64 different ones, again and again: what they show takes no time."""
    different = min(images, 64)
    drawn = np.stack([phantom(seed, side, opacity=seed % 2 == 1) for seed in range(different)])
    tensors = torch.from_numpy(drawn.astype(np.float32) / 127.5 - 1).unsqueeze(1)
    chosen = torch.arange(images) % different
    targets = (chosen % 2).float().unsqueeze(1)
    return LabelledImages(tensors[chosen].contiguous(), targets, torch.ones(images))
