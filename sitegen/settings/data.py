"""Which images a recipe is for: one table or folder, or several parts that are read one by one and put together."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from sitegen.settings.reading import STRICT

Share = Annotated[float, Field(gt=0, lt=1)]
Named = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class SelectionSettings:
    """Which images of a place, which labels, and who is in which split."""

    __pydantic_config__ = STRICT
    place: str = ""  # folder or table, from where the recipe lies; of a part, from the data's place
    findings: str = ""  # the column of a table with findings such as "Mass|Nodule"
    labels: dict[str, str] | tuple[str, ...] = ()  # the model's name of each label, with the data's; all if empty
    sources: tuple[str, ...] = ()  # only these; all if empty
    only_present: bool = False  # leave out what the table lists and the folder lacks
    only_with_findings: bool = False
    split: Literal["given", "70/10/20", "80/20"] | dict[str, Share] = "given"
    split_file: str = ""  # a table of file, patient, split, from where the recipe lies; instead of `split`
    divide: str = ""  # the given split that `split` divides, the others staying as they are; everything if empty
    seed: int = 1


@dataclass(frozen=True)
class PartSettings(SelectionSettings):
    """One of several collections. Labels that it does not have are unknown of its images.

    `name` is the source of all its images. `collection` is what people call it, the name where empty; `hospital` is
    who made the images, unknown where empty: from these it is told how far from the training an image comes.
    """

    __pydantic_config__ = STRICT
    name: Named = field(kw_only=True)
    collection: str = ""
    hospital: str = ""


@dataclass(frozen=True)
class DataSettings(SelectionSettings):
    """All images of a recipe. With `parts`, the other keys choose from what the parts have together."""

    __pydantic_config__ = STRICT
    parts: tuple[PartSettings, ...] = ()
    balance_sources: bool = False  # every source weighs the same in the loss
    balance_patients: bool = False  # a patient's n images weigh as much as the square root of n patients of one
    source_shares: dict[str, Share] = field(default_factory=dict)  # of the weight in training; instead of equal ones
