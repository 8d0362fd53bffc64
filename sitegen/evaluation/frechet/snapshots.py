"""The Fréchet distance of a generator's snapshots from its training images, by the features of one network."""

from pathlib import Path

from sitegen.evaluation.frechet.distances import frechet_distance
from sitegen.evaluation.frechet.features import of_folder
from sitegen.evaluation.frechet.networks import of_bundle, of_onnx
from sitegen.evaluation.frechet.preparation import FeatureSource, Preparation
from sitegen.training.generator.fit import Judge
from sitegen.training.generator.images import TrainingImages
from sitegen.training.generator.samples import real_pictures, write_pictures
from sitegen.training.generator.settings import GeneratorFile


def snapshot_judge(file: GeneratorFile, images: TrainingImages, work: Path, workers: int | None = None) -> Judge | None:
    """Return what measures a folder of made images, None where the settings name no network for features.

    Real images lie in `work` as files, and their features are computed once. Raises what the network's file raises.
    """
    source = _source(file)
    if source is None:
        return None
    asked = file.snapshots
    folder = work / f"real-{images.key}-{asked.count}"
    if not folder.exists():
        unfinished = folder.with_name(f".{folder.name}")
        write_pictures(real_pictures(images.pixels, asked.count, file.training.seed), unfinished)
        unfinished.replace(folder)
    real = of_folder(folder, source, work / "features", workers).values

    def distance(made: Path) -> float:
        return frechet_distance(real, of_folder(made, source, None, workers).values)

    return distance


def _source(file: GeneratorFile) -> FeatureSource | None:
    asked = file.snapshots
    if asked.bundle:
        return of_bundle(file.place(asked.bundle))
    return of_onnx(file.place(asked.network), Preparation(), asked.output or None) if asked.network else None
