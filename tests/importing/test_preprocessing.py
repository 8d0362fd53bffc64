"""The source's own preprocessing beside sitegen's: figures that the test computes for itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sitegen.errors import DataError
from sitegen.importing.proof.document_types import PreprocessingDocument
from sitegen.importing.proof.preprocessing import BINS, FRACTIONS, compare_preprocessing, shares
from sitegen.importing.proof.sample_images import SampleImages, sample_images
from sitegen.phantom import phantom
from sitegen_runtime.bundle.model import NetworkInput
from tests.helpers.importing.fake_source import (
    LABELS,
    SIDE,
    PillowPreparation,
    TorchOriginal,
    fake_model,
    random_network,
)
from tests.helpers.typed_documents import hold

MODEL = fake_model()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the classifier, and one with images below it."""
    folder = tmp_path_factory.mktemp("classifier")
    MODEL.write(folder)
    (folder / "images").mkdir()
    for seed in range(4):
        Image.fromarray(phantom(seed, 160)[: 160 - 15 * seed]).save(folder / "images" / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def given(folder: Path) -> SampleImages:
    return sample_images([folder / "images"], MODEL.image)


def compared(folder: Path, given: SampleImages, resized: int) -> Any:
    return compare_preprocessing(folder, PillowPreparation(resized), given, MODEL.image, MODEL.labels)


def test_differences_are_those_of_the_probabilities(folder: Path, given: SampleImages) -> None:
    document = compared(folder, given, 40)
    original, preparation = TorchOriginal(random_network()), PillowPreparation(40)
    source = np.stack([preparation.tensor(content) for content in given.contents])
    theirs, ours = (1 / (1 + np.exp(-original.logits(tensors))) for tensors in (source, given.tensors))
    points = 100 * np.abs(ours - theirs)
    assert [entry["label"] for entry in document["findings"]] == list(LABELS)
    for at, entry in enumerate(document["findings"]):
        assert entry["mean"] == pytest.approx(points[:, at].mean(), abs=1e-4)
        assert entry["p95"] == pytest.approx(np.percentile(points[:, at], 95), abs=1e-4)
        assert entry["largest"] == pytest.approx(points[:, at].max(), abs=1e-4)
        point = entry["operating_point"]
        assert entry["changed"] == ((ours[:, at] >= point) != (theirs[:, at] >= point)).sum()
        histogram = entry["histogram"]
        assert (len(histogram["counts"]), len(histogram["edges"])) == (BINS, BINS + 1)
        assert sum(histogram["counts"]) == 4
        assert histogram["edges"][0] == -histogram["edges"][-1]
        assert histogram["edges"][-1] >= points.max()
    assert len({tuple(entry["histogram"]["edges"]) for entry in document["findings"]}) == 1
    difference = np.abs(given.tensors.astype(np.float64) - source)
    assert document["tensor"]["mean"] == pytest.approx(difference.mean())
    assert document["tensor"]["largest"] == pytest.approx(difference.max())


def test_images_that_change_sides_are_counted(folder: Path, given: SampleImages) -> None:
    from sitegen.bundle import Label

    entry = compared(folder, given, 40)["findings"][0]
    original = TorchOriginal(random_network())
    ours = 1 / (1 + np.exp(-original.logits(given.tensors)))[:, 0]
    source = np.stack([PillowPreparation(40).tensor(content) for content in given.contents])
    theirs = 1 / (1 + np.exp(-original.logits(source)))[:, 0]
    assert entry["mean"] > 0
    between = float((ours[0] + theirs[0]) / 2)  # one image at least has its two probabilities on both sides of it
    labels = [Label(name=name, operating_point=between) for name in LABELS]
    document = compare_preprocessing(folder, PillowPreparation(40), given, MODEL.image, labels)
    expected = int(((ours >= between) != (theirs >= between)).sum())
    assert document["findings"][0]["changed"] == expected >= 1


@pytest.mark.parametrize(("resized", "suggested"), [(32, None), (36, 0.9), (40, 0.8)])
def test_the_crop_of_the_source_is_found(
    folder: Path, given: SampleImages, resized: int, suggested: float | None
) -> None:
    document = compared(folder, given, resized)
    assert [entry["fraction"] for entry in document["fractions"]] == list(FRACTIONS)
    if suggested is None:
        assert document["suggested"] is None
    else:
        assert document["suggested"] == pytest.approx(suggested, abs=0.026)  # one step: 32 pixels are few
        tensors = {entry["fraction"]: entry["tensor"] for entry in document["fractions"]}
        assert tensors[document["suggested"]] == min(tensors.values()) < 0.8 * tensors[1.0]


def test_shares_are_of_the_way_from_black_to_white() -> None:
    image = NetworkInput("image", (1, 3, 16, 16), "rgb", 1.0, (-1.0, 1.0), (0.5, 0.5, 0.5), (0.5, 1.0, 2.0))
    black, white = (
        np.broadcast_to(((np.float32(end) - 0.5) / np.array([0.5, 1, 2], np.float32))[:, None, None], (3, 16, 16))
        for end in (-1, 1)
    )
    assert shares(black[np.newaxis], white[np.newaxis], image) == pytest.approx(np.ones((1, 3, 16, 16)))


def test_images_that_the_source_does_not_take_are_told(folder: Path, given: SampleImages) -> None:
    class Picky(PillowPreparation):
        def tensor(self, content: bytes) -> Any:
            if content == given.contents[1]:
                raise ValueError("is not square")
            return super().tensor(content)[:, 1:] if content == given.contents[2] else super().tensor(content)

    document = compare_preprocessing(folder, Picky(), given, MODEL.image, MODEL.labels)
    hold(PreprocessingDocument, [document])
    assert document["images"] == 2
    assert document["problems"] == [
        {"file": "1.png", "problem": "is not square"},
        {"file": "2.png", "problem": f"becomes [1, {SIDE - 1}, {SIDE}], and the bundle takes [1, {SIDE}, {SIDE}]"},
    ]

    class Never(PillowPreparation):
        def tensor(self, content: bytes) -> Any:
            raise OSError("no library")

    document = compare_preprocessing(folder, Never(), given, MODEL.image, MODEL.labels)
    assert (document["images"], document["findings"], document["suggested"]) == (0, [], None)


def test_files_and_folders_are_samples_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    grey = Image.fromarray(phantom(0, 64))
    (tmp_path / "many").mkdir()
    for at in range(40):
        grey.save(tmp_path / "many" / f"{at:02}.png")
    (tmp_path / "many" / "20.png").write_bytes(b"no image")
    given = sample_images([tmp_path / "many"], MODEL.image)
    assert len(given.names) + len(given.problems) == 32
    assert (given.names[0], given.names[-1]) == ("00.png", "39.png")
    assert given.tensors.shape == (len(given.names), 1, SIDE, SIDE)
    assert not given.synthetic
    both = sample_images([tmp_path / "many" / "03.png", tmp_path / "many" / "20.png"], MODEL.image)
    assert (both.names, [name for name, _ in both.problems]) == (["03.png"], ["20.png"])
    with pytest.raises(DataError, match=r"None of the 1 images can be read. The first: 20\.png: "):
        sample_images([tmp_path / "many" / "20.png"], MODEL.image)
    with pytest.raises(DataError, match=r"missing does not exist. Name image files"):
        sample_images([tmp_path / "missing"], MODEL.image)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="There is no file in"):
        sample_images([tmp_path / "empty"], MODEL.image)


@pytest.mark.slow
def test_without_images_phantoms_are_drawn_square_and_wide() -> None:
    given = sample_images([], MODEL.image)
    assert given.synthetic
    assert given.names == [f"phantom-{seed}.png" for seed in range(8)]
    assert len({tensor.tobytes() for tensor in given.tensors}) == 8
    assert torch.from_numpy(given.tensors).isfinite().all()
