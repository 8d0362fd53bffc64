import csv
import sys
from pathlib import Path
from typing import Any, Self

import pytest

from sitegen.errors import SettingsError
from sitegen.training.history import Epoch, phase_summaries, write_csv, write_tensorboard


def epoch(phase: int, number: int, score: float) -> Epoch:
    aucs = {"Mass": score, "Hernia": None}
    return Epoch(phase, "all" if phase == 1 else "head", number, 1e-3, 0.9, 0.5, 0.4, score, aucs, 1.5)


HISTORY = [epoch(1, 1, 0.6), epoch(1, 2, 0.8), epoch(1, 3, 0.7), epoch(2, 1, 0.75)]


def test_a_table_has_a_row_an_epoch_and_a_column_a_label(tmp_path: Path) -> None:
    write_csv(HISTORY, tmp_path / "log.csv")
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [(row["phase"], row["epoch"], row["auc Mass"], row["auc Hernia"]) for row in rows] == [
        ("1", "1", "0.6", ""),
        ("1", "2", "0.8", ""),
        ("1", "3", "0.7", ""),
        ("2", "1", "0.75", ""),
    ]


def test_phases_are_summed_up() -> None:
    first, second = phase_summaries(HISTORY)
    assert first == {
        "phase": 1,
        "trains": "all",
        "epochs": 3,
        "best_epoch": 2,
        "best_valid_auc": 0.8,
        "last_valid_auc": 0.7,
        "last_valid_loss": 0.4,
    }
    assert (second["trains"], second["epochs"], second["best_valid_auc"]) == ("head", 1, 0.75)


def test_tensorboard_is_asked_for_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(SettingsError, match="pip install tensorboard"):
        write_tensorboard(HISTORY, tmp_path)


def test_tensorboard_gets_every_number_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for the package, which is optional."""
    written = []

    class Writer:
        def __init__(self, folder: Path) -> None:
            assert folder == str(tmp_path)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

    stand_in: Any = type(sys)("torch.utils.tensorboard")
    stand_in.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stand_in)
    (tmp_path / "events.out.tfevents.1").write_text("of a run that was interrupted")
    write_tensorboard(HISTORY, tmp_path)
    assert not list(tmp_path.iterdir())
    assert ("valid_auc", 0.8, 2) in written
    assert ("auc/Mass", 0.75, 4) in written
    assert not [name for name, *_ in written if "Hernia" in name]
