"""The parts of the benchmark of training that compute: intervals, the peers' tensors, and that both loops agree."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))  # scripts, not a package

from median_interval import median_interval  # noqa: E402
from preprocessing import by_pillow, by_sitegen, disagreement, drawn_files, files_of, grey_input  # noqa: E402
from training_loops import Epoch, check_same_steps, make_task, mapped, plain_epoch, sitegen_epoch  # noqa: E402

from sitegen.training.launch import make_fabric  # noqa: E402
from training import parser, preprocessing_table, run_rounds, training_table  # noqa: E402


@pytest.mark.parametrize(
    ("count", "low", "high", "share"),
    # Of 10 tosses at most one is heads in 11 of 1,024 cases, so the second values from the ends hold the median in
    # 1 - 22 / 1,024; of 5 none is in 1 of 32, which is too often for 95 %, but there is nothing wider.
    [(10, 2, 9, 1 - 22 / 1024), (6, 1, 6, 1 - 2 / 64), (5, 1, 5, 1 - 2 / 32), (1, 1, 1, 0.0), (20, 6, 15, 0.9586)],
)
def test_the_interval_of_a_median_is_a_pair_of_its_values(count: int, low: int, high: int, share: float) -> None:
    found = median_interval([float(value) for value in range(count, 0, -1)])
    assert (found.median, found.low, found.high) == ((count + 1) / 2, low, high)
    assert found.share == pytest.approx(share, abs=1e-4)


def test_a_median_is_written_with_its_interval() -> None:
    assert median_interval([1.0, 2.0, 4.0]).text(1) == "2.0 (1.0 to 4.0)"
    with pytest.raises(ValueError, match="at least one"):
        median_interval([])


def encoded(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    large = np.kron(pixels, np.ones((16, 16)))  # smaller images than that are no radiographs
    Image.fromarray(large.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_both_peers_take_the_middle_square_and_average_it() -> None:
    raw = encoded(np.array([[9, 0, 255, 7], [9, 255, 255, 7]]))
    entry = grey_input(1)
    assert by_sitegen(raw, entry).tolist() == [[[[0.5]]]]  # 191.25 of 255
    assert by_pillow(raw, entry).item() == pytest.approx(192 / 127.5 - 1)  # rounds across, then rounds down


def test_drawn_files_are_of_each_size_and_type_and_the_peers_agree_on_them() -> None:
    files = drawn_files((64, 96), 2)
    assert list(files) == ["PNG, 64 x 64", "JPEG, 64 x 64", "PNG, 96 x 96", "JPEG, 96 x 96"]
    for kind, contents in files.items():
        with Image.open(io.BytesIO(contents[1])) as image:
            assert f"{image.format}, {image.width} x {image.height}" == kind
        assert len(set(contents)) == 2
        assert all(0 < disagreement(raw, grey_input(32)) < 0.02 for raw in contents)


def test_peers_that_see_other_images_are_not_timed() -> None:
    from dataclasses import replace

    middle_only = replace(grey_input(32), fraction=0.3)  # which the plain peer knows nothing of
    with pytest.raises(ValueError, match="not of the same image"):
        disagreement(drawn_files((64,), 1)["PNG, 64 x 64"][0], middle_only)


def test_files_of_a_folder_are_the_first_images(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "c.png", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    assert files_of(tmp_path, 2) == {str(tmp_path): [b"a.JPG", b"b.png"]}
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty has no file that ends with"):
        files_of(tmp_path / "empty", 2)


def test_the_loops_make_the_same_steps_and_leave_the_network_alone(tmp_path: Path) -> None:
    task = make_task("densenet-tiny", images=24, side=32, batch=8)
    before = {name: value.clone() for name, value in task.network.state_dict().items()}
    fabric = make_fabric("32")
    from_file = mapped(task, tmp_path)
    assert isinstance(from_file.data.train.images, torch.Tensor)
    epochs = {
        "plain": plain_epoch(task, fabric.device),
        "sitegen": sitegen_epoch(task, fabric),
        "mapped": sitegen_epoch(from_file, fabric),
    }
    assert check_same_steps(epochs) < 1e-5
    assert all(epoch.seconds > 0 for epoch in epochs.values())
    assert all(torch.equal(value, before[name]) for name, value in task.network.state_dict().items())


@pytest.mark.parametrize("loss", [0.51, float("nan")])
def test_loops_that_train_otherwise_are_not_timed(loss: float) -> None:
    with pytest.raises(ValueError, match=r"not make the same steps; mean losses: a 0\.500000, b"):
        check_same_steps({"a": Epoch(1, 0.5), "b": Epoch(1, loss)})


def test_conditions_take_turns_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []

    def condition(name: str) -> Callable[..., float]:
        def run() -> float:
            calls.append(name)
            return float(len(calls))

        return run

    times = run_rounds({"a": condition("a"), "b": condition("b")}, 2, "")
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert times == {"a": [4.0, 5.0], "b": [3.0, 6.0]}


def printed(table: Table) -> str:
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_tables_have_rates_and_ratios_within_rounds() -> None:
    text = printed(preprocessing_table({"PNG": {"sitegen": [50.0, 40.0], "Pillow and NumPy": [10.0, 4.0]}}))
    assert "22.5 (20.0 to 25.0)" in text  # images a second
    assert "7.5 (5.0 to 10.0)" in text
    times = {"plain PyTorch loop": [4.0, 8.0], "sitegen": [5.0, 8.0]}
    lines = [line for line in printed(training_table(times, 32)).splitlines() if "loop |" in line or "sitegen" in line]
    assert "6.0 (4.0 to 8.0)" in lines[-2]
    assert "1.125 (1.000 to 1.250)" in lines[-1]


def test_the_page_names_every_option() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    options = [option for action in parser()._actions for option in action.option_strings if option.startswith("--")]
    assert [option for option in options if option != "--help" and f"`{option}" not in text] == []
