"""How fast images become tensors, and how fast networks train on them, beside the plainest ways to do either.

    python benchmarks/training.py [--images DIR] [--rounds 10] [--network densenet-compact] [--json FILE]

Preprocessing is sitegen's pixel path against Pillow and NumPy, on one core. Training is an epoch of sitegen's loop
against a plain PyTorch loop over decoded tensors: the same network, batches, augmentation and optimiser, and what both
compute is compared before it is timed. Images are synthetic radiographs; `--images` adds those of a folder to the first
part. In each round every condition runs once, in turns forwards and backwards; ratios are taken within a round, and the
interval of their median is of 95 %.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from median_interval import median_interval
from preprocessing import PEERS, Files, disagreement, drawn_files, files_of, grey_input, time_files
from rich.box import MARKDOWN
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from samples import Rounds, ratios, summarise
from training_loops import Epoch, check_same_steps, make_task, mapped, plain_epoch, sitegen_epoch

from sitegen.training.launch import make_fabric

SIDES = (256, 512, 1024)  # of drawn files; ChestX-ray14 has 1024
PLAIN, IN_MEMORY, MAPPED = "plain PyTorch loop", "sitegen", "sitegen, images mapped from a file"
Times = dict[str, list[float]]
"""By condition one value a round: milliseconds an image, or seconds an epoch."""


def run_rounds(conditions: Mapping[str, Callable[[], float]], rounds: int, told: str) -> Times:
    """Return what each condition gives in each round, after one round that does not count."""
    times: Times = {name: [] for name in conditions}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(told, total=(rounds + 1) * len(conditions))
        for number in range(-1, rounds):
            order = list(conditions)[:: 1 if number % 2 else -1]
            for name in order:
                value = conditions[name]()
                if number >= 0:
                    times[name].append(value)
                progress.advance(bar)
    return times


def measure_preprocessing(files: Files, side: int, rounds: int) -> dict[str, Times]:
    """Return milliseconds an image by kind and peer, on one core."""
    entry = grey_input(side)
    found = {}
    for kind, contents in files.items():
        for raw in contents:
            disagreement(raw, entry)
        conditions = {peer: partial(time_files, peer, contents, entry) for peer in PEERS}
        found[kind] = run_rounds(conditions, rounds, kind)
    return found


def measure_training(options: argparse.Namespace) -> tuple[Times, float]:
    """Return the seconds of each epoch by condition, and how far apart the losses are."""
    fabric = make_fabric("32")
    task = make_task(options.network, options.epoch_images, options.side, options.batch)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        from_file = mapped(task, Path(folder))
        loops: dict[str, Callable[[], Epoch]] = {
            PLAIN: lambda: plain_epoch(task, fabric.device),
            IN_MEMORY: lambda: sitegen_epoch(task, fabric),
            MAPPED: lambda: sitegen_epoch(from_file, fabric),
        }
        distance = check_same_steps({name: loop() for name, loop in loops.items()})
        seconds = {name: lambda loop=loop: loop().seconds for name, loop in loops.items()}
        return run_rounds(seconds, options.rounds, "Training"), distance


def preprocessing_table(found: Mapping[str, Times]) -> Table:
    """Return images a second on one core, and how many times longer sitegen takes."""
    table = Table("images", *(f"{peer}, images/s" for peer in PEERS), "sitegen takes, times", box=MARKDOWN)
    table.title = "One core; median (minimum to maximum), the ratio with its interval"
    for kind, times in found.items():
        rates = [summarise([1000 / value for value in times[peer]]).text(1) for peer in PEERS]
        table.add_row(kind, *rates, _ratio(times["sitegen"], times["Pillow and NumPy"], 1))
    return table


def training_table(times: Times, images: int) -> Table:
    """Return images a second of each loop, and how many times as long as the plain one it takes."""
    table = Table("loop", "images/s", "takes, times the plain loop", box=MARKDOWN)
    table.title = "Training alone, without validation; median (minimum to maximum), the ratio with its interval"
    for name, values in times.items():
        ratio = "" if name == PLAIN else _ratio(values, times[PLAIN], 3)
        table.add_row(name, summarise([images / value for value in values]).text(1), ratio)
    return table


def _ratio(values: Rounds, reference: Rounds, digits: int) -> str:
    return median_interval(ratios(values, reference)).text(digits)


def parser() -> argparse.ArgumentParser:
    """Return the options of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=int, default=10)
    made.add_argument("--images", type=Path, metavar="DIR", help="also preprocess image files of this folder")
    made.add_argument("--files", type=int, default=4, help="files of each kind; of --images ten times as many")
    made.add_argument("--side", type=int, default=128, help="of the network's input")
    made.add_argument("--network", default="densenet-compact")
    made.add_argument("--batch", type=int, default=32)
    made.add_argument("--epoch-images", type=int, default=512)
    made.add_argument("--json", type=Path, help="also write all rounds here")
    return made


def main() -> None:
    """Run the benchmark from the command line."""
    options = parser().parse_args()
    console = Console(width=150)
    files = drawn_files(SIDES, options.files)
    if options.images:
        files |= files_of(options.images, 10 * options.files)
    preprocessing = measure_preprocessing(files, options.side, options.rounds)
    console.print(preprocessing_table(preprocessing))
    training, distance = measure_training(options)
    console.print(training_table(training, options.epoch_images))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} threads"
    console.print(
        f"{options.network}, {options.side} x {options.side}, batches of {options.batch}, on {device}; "
        f"PyTorch {torch.__version__}; mean losses within {distance:.1e}"
    )
    if options.json:
        machine: dict[str, Any] = {"processors": os.cpu_count(), "device": device, "torch": str(torch.__version__)}
        measured = {"machine": machine, "preprocessing ms": preprocessing, "epoch seconds": training}
        options.json.write_text(json.dumps(measured, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
