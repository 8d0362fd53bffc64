"""A generator from its file: sitegen's own, or official StyleGAN2-ADA tensors."""

from pathlib import Path

from sitegen.errors import CheckpointError
from sitegen.networks.stylegan2.official import read_official
from sitegen.networks.stylegan2.trained import TrainedGenerator, load_generator


def open_generator(path: Path) -> TrainedGenerator:
    """Return the generator of a file. Raises CheckpointError where it is none; a folder is none, too."""
    if path.is_dir():
        raise CheckpointError(
            f"{path} is a folder. Name the file of a generator that sitegen train generator wrote (.safetensors); with "
            "sitegen project a bundle that has a generator will do."
        )
    try:
        return load_generator(path)
    except CheckpointError as error:
        if not path.is_file():
            raise
        try:
            return read_official(path)
        except CheckpointError as other:
            raise CheckpointError(f"{error} Nor are these official weights: {other}") from other
