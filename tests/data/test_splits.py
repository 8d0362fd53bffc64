from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitegen.data.records import Record
from sitegen.data.splits import PRESETS, read_shares, read_split, split_patients, with_findings, write_split
from sitegen.errors import DataError, SettingsError

FINDINGS = ("Mass", "Nodule", "Hernia")


def record(patient: int, number: int, present: Collection[str] = ()) -> Record:
    labels = {name: float(name in present) for name in FINDINGS}
    return Record(Path(f"data/{patient}/{number}.png"), f"p{patient}", labels)


@st.composite
def data_sets(draw: st.DrawFn) -> list[Record]:
    """Data sets of up to 60 patients with up to 6 images each."""
    images = draw(st.lists(st.lists(st.sets(st.sampled_from(FINDINGS)), min_size=1, max_size=6), max_size=60))
    return [record(patient, number, found) for patient, each in enumerate(images) for number, found in enumerate(each)]


shares = st.sampled_from([*PRESETS.values(), {"a": 0.5, "b": 0.25, "c": 0.25}, {"a": 1.0}])


@given(data_sets(), shares, st.integers(0, 2**32))
def test_patients_are_on_one_side_and_shares_hold(
    records: list[Record], shares: Mapping[str, float], seed: int
) -> None:
    divided = split_patients(records, shares, seed)
    assert [replace(each, split="") for each in divided] == records
    assert len({(each.patient, each.split) for each in divided}) == len({each.patient for each in records})
    largest = max((int(each.path.stem) + 1 for each in records), default=0)
    for name, share in shares.items():
        excess = sum(each.split == name for each in divided) - share * len(records)
        assert excess < largest or not records
        assert excess > -largest * (len(shares) - 1) or excess == pytest.approx(0)


@given(data_sets(), st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_the_same_seed_gives_the_same_split_in_any_order(records: list[Record], seed: int, random: Random) -> None:
    divided = {each.path: each.split for each in split_patients(records, PRESETS["70/10/20"], seed)}
    random.shuffle(records)
    assert {each.path: each.split for each in split_patients(records, PRESETS["70/10/20"], seed)} == divided


def many() -> list[Record]:
    """2,000 patients with 1 to 5 images; a Hernia in one of a hundred, as in ChestX-ray14 or a little more."""
    random = np.random.default_rng(5)
    rates = {"Mass": 0.1, "Nodule": 0.06, "Hernia": 0.01}
    return [
        record(patient, number, [name for name, rate in rates.items() if random.random() < rate])
        for patient in range(2000)
        for number in range(random.integers(1, 6))
    ]


def test_findings_are_spread_as_images_are() -> None:
    divided = split_patients(many(), PRESETS["70/10/20"], seed=3)
    for name in FINDINGS:
        total = sum(each.labels[name] == 1 for each in divided)
        for split, share in PRESETS["70/10/20"].items():
            found = sum(each.labels[name] == 1 and each.split == split for each in divided)
            assert abs(found - share * total) <= max(2, 0.02 * total), (name, split)


def test_another_seed_gives_another_split() -> None:
    first, second = (split_patients(many(), PRESETS["80/20"], seed) for seed in (1, 2))
    moved = sum(one.split != other.split for one, other in zip(first, second, strict=True))
    assert 0.2 < moved / len(first) < 0.45  # two independent splits differ in 2 x 0.8 x 0.2 = 0.32


def test_the_presets_are_the_papers() -> None:
    assert PRESETS == {
        "70/10/20": {"train": 0.7, "valid": 0.1, "test": 0.2},
        "80/20": {"train": 0.8, "valid": 0.2},
    }


@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.4}, {"a": 1.2, "b": -0.2}, {"a": 1.0, "b": 0.0}, {}])
def test_shares_that_are_none(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="should be above 0 and add up to 1"):
        split_patients([record(1, 0)], shares, 0)


def test_images_with_a_finding() -> None:
    records = [record(1, 0, ["Mass"]), record(1, 1), record(2, 0, ["Hernia", "Nodule"])]
    assert with_findings(records) == [records[0], records[2]]


def test_a_split_is_written_and_read(tmp_path: Path) -> None:
    records = [record(1, 0), record(1, 1, ["Mass"]), record(2, 0), record(3, 0)]
    divided = split_patients(records[1:], PRESETS["80/20"], 0)
    write_split(divided, Path("data"), tmp_path / "split.csv")
    lines = (tmp_path / "split.csv").read_text("utf-8").splitlines()
    assert lines[:2] == ["file,patient,split", f"1/1.png,p1,{divided[0].split}"]
    assert read_split(tmp_path / "split.csv", records, Path("data")) == divided


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("9/0.png,p9,train\n", r"lists 9/0\.png, which the data set lacks"),
        ("1/0.png,p1,train\n1/0.png,p1,train\n", r"lists 1/0\.png, which the data set lacks, or twice"),
        ("1/0.png,p2,train\n", r"has 1/0\.png as the patient 'p2', the data set as 'p1'"),
        ("1/0.png,p1,train\n1/1.png,p1,test\n", "has the patient 'p1' in two splits, 'train' and 'test'"),
    ],
)
def test_a_split_that_does_not_fit(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "split.csv").write_text("file,patient,split\n" + rows, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_split(tmp_path / "split.csv", [record(1, 0), record(1, 1)], Path("data"))


def test_a_split_with_a_patient_on_both_sides_is_not_written(tmp_path: Path) -> None:
    records = [replace(record(1, 0), split="train"), replace(record(1, 1), split="test")]
    with pytest.raises(DataError, match="'p1' in two splits"):
        write_split(records, Path("data"), tmp_path / "split.csv")
    assert not (tmp_path / "split.csv").exists()


def test_a_split_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"split\.csv cannot be written: No such file or directory"):
        write_split([record(1, 0)], Path("data"), tmp_path / "none" / "split.csv")


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("70/10/20", {"train": 0.7, "valid": 0.1, "test": 0.2}),
        ("80/20", {"train": 0.8, "valid": 0.2}),
        ("train=0.5, a=.25,b=0.25", {"train": 0.5, "a": 0.25, "b": 0.25}),
    ],
)
def test_shares_are_read(text: str, shares: dict[str, float]) -> None:
    assert read_shares(text) == shares


@pytest.mark.parametrize(
    "text", ["", "70/20", "train", "a=1,a=0", "a=0.5,b=0.4", "a=0.5,a=0.5", "=1", "a=nan", "a=1,b=0"]
)
def test_other_texts_are_no_shares(text: str) -> None:
    with pytest.raises(SettingsError, match=r"are no shares: name 70/10/20 or 80/20, or all of them"):
        read_shares(text)
