"""The settings of a training of concepts, as a file's table [concepts] has them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from sitegen.errors import SettingsError
from sitegen.settings.reading import STRICT, Count, read_settings

Share = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


@dataclass(frozen=True)
class ConceptSettings:
    """`images` are files, folders or data sets, relative to the file; of the split `train` at most `train_images` are
    trained on, of the split `test` at most `test_images` are measured ("all" for images without splits: then the ones
    measured are others). `codes` is how many concepts there are, `hidden` the channels before and after them.

    `shallow`, `deep` and `interpretability` are the λs of the losses (`autoencoder`). Attacks and masks are as in
    the adversarial check. `strongest` images show each concept.
    """

    __pydantic_config__ = STRICT

    images: tuple[str, ...]
    train: str = "train"
    test: str = "test"
    train_images: Count = 64
    test_images: Count = 24
    codes: Count = 8
    hidden: Count = 32
    epochs: Count = 20
    batch: Count = 8
    rate: Annotated[float, Field(gt=0)] = 1e-3
    shallow: Weight = 1.0
    deep: Weight = 1.0
    interpretability: Weight = 0.1
    strength: Share = 0.3
    steps: Annotated[int, Field(ge=1, le=1000)] = 10
    masks: Count = 4
    share: Share = 0.1
    strongest: Count = 5
    seed: Annotated[int, Field(ge=0)] = 0


def read_concept_settings(path: Path) -> ConceptSettings:
    """Read the table [concepts] of a TOML file. Raises SettingsError, which lists everything that does not fit."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}") from error
    if set(document) != {"concepts"} or not isinstance(document["concepts"], dict):
        raise SettingsError(f"{path} must have one table, [concepts]; it has {', '.join(document) or 'nothing'}.")
    try:
        return read_settings(ConceptSettings, document["concepts"])
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error
