"""What is written down of every epoch: in the checkpoint, as a table for spreadsheets, and for TensorBoard."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sitegen.errors import SettingsError


@dataclass(frozen=True)
class Epoch:
    """One epoch; losses are means over images, AUCs those of the validation images, None where a class is missing."""

    phase: int  # from 1
    trains: str  # "all" or "head"
    epoch: int  # of the phase, from 1
    learning_rate: float  # of the last batch
    momentum: float
    train_loss: float
    valid_loss: float
    valid_auc: float  # the mean over labels
    aucs: Mapping[str, float | None]
    seconds: float


def as_rows(history: Sequence[Epoch]) -> list[dict[str, Any]]:
    """Return the epochs as flat rows; the AUC of a label is in the column "auc <label>"."""
    rows = []
    for epoch in history:
        fields = asdict(epoch)
        aucs = fields.pop("aucs")
        rows.append(fields | {f"auc {label}": value for label, value in aucs.items()})
    return rows


def write_csv(history: Sequence[Epoch], path: Path) -> None:
    """Write the history as a table, the whole of it, so that a resumed training has each epoch once."""
    rows = as_rows(history)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def epochs_in(path: Path) -> int:
    """Return how many epochs a table has that `write_csv` wrote; none where there is no table."""
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8", newline="") as rows:
        return sum(1 for _ in csv.DictReader(rows))


def write_tensorboard(history: Sequence[Epoch], folder: Path) -> None:
    """Write the history for TensorBoard, in place of what an interrupted run left in the folder.

    Raises SettingsError where the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise SettingsError("logs for TensorBoard need its package: pip install tensorboard") from error
    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()
    with SummaryWriter(str(folder)) as writer:
        for step, row in enumerate(as_rows(history), 1):
            for name, value in row.items():
                if isinstance(value, float):
                    writer.add_scalar(name.replace(" ", "/"), value, step)


def phase_summaries(history: Sequence[Epoch]) -> list[dict[str, Any]]:
    """Return what each phase achieved on the validation images: its epochs, its best one, its last one."""
    summaries = []
    for number in sorted({epoch.phase for epoch in history}):
        epochs = [epoch for epoch in history if epoch.phase == number]
        best = max(epochs, key=lambda epoch: epoch.valid_auc)
        summaries.append(
            {
                "phase": number,
                "trains": best.trains,
                "epochs": len(epochs),
                "best_epoch": best.epoch,
                "best_valid_auc": best.valid_auc,
                "last_valid_auc": epochs[-1].valid_auc,
                "last_valid_loss": epochs[-1].valid_loss,
            }
        )
    return summaries
