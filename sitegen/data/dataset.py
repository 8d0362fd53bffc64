"""The images of a recipe: read, restricted, divided, with the labels under the model's names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.label_styles import Findings
from sitegen.data.records import Record, check_patients, label_names, present
from sitegen.data.splits import PRESETS, read_split, split_patients, with_findings
from sitegen.errors import DataError
from sitegen.settings.data import DataSettings, PartSettings, SelectionSettings
from sitegen.settings.recipe import RecipeFile
from sitegen_runtime.bundle.relations import NO_FINDING

EVERYTHING = "all"  # what stands for every split


def read_records(recipe: RecipeFile, place: Path | None = None) -> list[Record]:
    """Return all images of a recipe, each with its split, labels as the model calls them; `place` is other data.

    Other data of a recipe with parts either holds these parts, each under its own place, or is one data set of its own
    with labels of the model's names. Raises DataError where the data is not there, a label does not occur in it, or a
    patient is in two splits.
    """
    data = recipe.data
    folder = _place(recipe, place)
    if not data.parts:
        return _selected(folder, data, recipe)
    if place and not any((place / part.place).exists() for part in data.parts):
        return named_alike(read_dataset(place), model_labels(data), place)
    together = [record for part in data.parts for record in _part(folder, part, recipe)]
    return _chosen(together, folder, data, recipe)


def model_labels(data: DataSettings) -> list[str]:
    """Return the model's labels as far as settings name them: those of the whole, else those of the parts."""
    named = [*data.labels] or [label for part in data.parts for label in part.labels]
    return list(dict.fromkeys(named))


def data_folder(recipe: RecipeFile, place: Path | None = None) -> Path:
    """Return the folder that a recipe's data lies in, also where it is a table; `place` is other data.

    Raises DataError where neither is named.
    """
    named = _place(recipe, place)
    return named.parent if named.is_file() else named


def of_split(records: Sequence[Record], split: str) -> list[Record]:
    """Return the records of a split, or all for EVERYTHING. Raises DataError where none is in it."""
    chosen = [record for record in records if split in (EVERYTHING, record.split)]
    if not chosen:
        there = ", ".join(sorted({record.split or "none" for record in records}))
        raise DataError(
            f"There is no image in the split {split!r}; the splits are: {there}. Name one with --split, "
            f"or every image with --split {EVERYTHING}."
        )
    return chosen


def divided(records: Sequence[Record], data: SelectionSettings) -> list[Record]:
    """Return the records with the splits that `data` asks for: its publisher's, or new ones of all or of one split."""
    if data.split == "given":
        return list(records)
    shares = PRESETS[data.split] if isinstance(data.split, str) else data.split
    if not data.divide:
        return split_patients(records, shares, data.seed)
    anew = [record for record in records if record.split == data.divide]
    new = iter(split_patients(anew, shares, data.seed))
    return [next(new) if record.split == data.divide else record for record in records]


def relabelled(records: Sequence[Record], labels: Mapping[str, str] | Sequence[str], name: object) -> list[Record]:
    """Return the records with those labels alone, under the names that they have in the model.

    Without any, all labels stay but the ones that say that nothing was found. "A|B" is present where one of them is.
    Where "No Finding" is asked for and no column says it, it is present where all other labels are absent. Raises
    DataError for a label that no record has.
    """
    known = label_names(records)
    chosen = dict(labels) if isinstance(labels, Mapping) else {each: each for each in labels}
    chosen = chosen or {each: each for each in known if each.lower() not in NO_FINDING}
    told = known + [each for each in chosen.values() if known and each.lower() in NO_FINDING]
    if missing := [each for several in chosen.values() for each in several.split("|") if each not in told]:
        raise DataError(f"{name} has no label {missing[0]!r}; it has {', '.join(known)}.")
    derived = {each for each in chosen.values() if each not in known and each.lower() in NO_FINDING}
    return [
        replace(record, labels={new: _value(record, old, old in derived) for new, old in chosen.items()})
        for record in records
    ]


def _value(record: Record, label: str, derived: bool) -> float | None:
    """Whether a label is present; the absence of findings is `derived` from all others where no column says it."""
    if derived:
        found = _any([value for name, value in record.labels.items() if name.lower() not in NO_FINDING])
        return None if found is None else 1.0 - found
    return _any([record.labels.get(each) for each in label.split("|")])


def _any(values: Sequence[float | None]) -> float | None:
    """Whether one of several labels is present: unknown where none is and one is unknown, or there is none."""
    if 1.0 in values:
        return 1.0
    return None if None in values or not values else 0.0


def named_alike(records: Sequence[Record], labels: Sequence[str], name: object) -> list[Record]:
    """Return the records with those of a model's labels that they have by name, capitals aside; as they are without.

    The absence of findings is told from the others only where the data has all findings that the model knows.
    """
    theirs = {each.lower(): each for each in label_names(records)}
    same = {label: theirs[label.lower()] for label in labels if label.lower() in theirs}
    others = [label for label in labels if label.lower() not in NO_FINDING]
    if others and set(others) <= set(same):
        same |= {label: label for label in labels if label not in same}
    return relabelled(records, same, name) if same else list(records)


def _place(recipe: RecipeFile, place: Path | None) -> Path:
    if not place and not recipe.data.place:
        raise DataError('The recipe names no data. Write place = "…" in its [data], or give --data DIR.')
    return place or recipe.place(recipe.data.place)


def _part(folder: Path, part: PartSettings, recipe: RecipeFile) -> list[Record]:
    """The images of a part, which are all of the source that the part's name is."""
    return [replace(record, source=part.name) for record in _selected(folder / part.place, part, recipe)]


def _selected(folder: Path, asked: SelectionSettings, recipe: RecipeFile) -> list[Record]:
    """The images of one place, restricted, divided and with the labels that are asked for."""
    return _chosen(read_dataset(folder, Findings(asked.findings) if asked.findings else None), folder, asked, recipe)


def _chosen(records: Sequence[Record], folder: Path, asked: SelectionSettings, recipe: RecipeFile) -> list[Record]:
    kept = _restricted(records, asked)
    if not kept:
        raise DataError(f"{folder} has no image that the recipe's [data] lets through.")
    if asked.split_file:
        kept = read_split(recipe.place(asked.split_file), kept, folder if folder.is_dir() else folder.parent)
    else:
        kept = divided(kept, asked)
    check_patients(kept, folder)
    return relabelled(kept, asked.labels, folder)


def _restricted(records: Sequence[Record], asked: SelectionSettings) -> list[Record]:
    kept = [record for record in records if not asked.sources or record.source in asked.sources]
    if asked.only_with_findings:
        kept = with_findings(kept)
    return present(kept) if asked.only_present else kept
