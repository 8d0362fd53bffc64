"""The images of a recipe: read, restricted, divided, with the labels under the model's names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sitegen.data.layouts.known import read_dataset
from sitegen.data.layouts.label_styles import Findings
from sitegen.data.records import NO_FINDING, Record, check_patients, label_names, present
from sitegen.data.splits import PRESETS, read_split, split_patients, with_findings
from sitegen.errors import DataError
from sitegen.settings.recipe import DataSettings, RecipeFile

EVERYTHING = "all"  # what stands for every split


def read_records(recipe: RecipeFile, place: Path | None = None) -> list[Record]:
    """Return all images of a recipe, each with its split, labels as the model calls them; `place` is other data.

    Raises DataError where the data is not there, a label does not occur in it, or a patient is in two splits.
    """
    data = recipe.data
    folder = place or recipe.place(data.place)
    if not place and not data.place:
        raise DataError('The recipe names no data. Write place = "…" in its [data], or give --data DIR.')
    records = read_dataset(folder, Findings(data.findings) if data.findings else None)
    records = _restricted(records, data)
    if not records:
        raise DataError(f"{folder} has no image that the recipe's [data] lets through.")
    if data.split_file:
        records = read_split(recipe.place(data.split_file), records, folder if folder.is_dir() else folder.parent)
    else:
        records = divided(records, data)
    check_patients(records, folder)
    return relabelled(records, data.labels, folder)


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


def divided(records: Sequence[Record], data: DataSettings) -> list[Record]:
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

    Without any, all labels stay but the ones that say that nothing was found. Raises DataError for a label that no
    record has.
    """
    known = label_names(records)
    chosen = dict(labels) if isinstance(labels, Mapping) else {each: each for each in labels}
    chosen = chosen or {each: each for each in known if each.lower() not in NO_FINDING}
    if missing := [each for each in chosen.values() if each not in known]:
        raise DataError(f"{name} has no label {missing[0]!r}; it has {', '.join(known)}.")
    return [replace(record, labels={new: record.labels.get(old) for new, old in chosen.items()}) for record in records]


def named_alike(records: Sequence[Record], labels: Sequence[str], name: object) -> list[Record]:
    """Return the records with those of a model's labels that they have by name, capitals aside; as they are without."""
    theirs = {each.lower(): each for each in label_names(records)}
    same = {label: theirs[label.lower()] for label in labels if label.lower() in theirs}
    return relabelled(records, same, name) if same else list(records)


def _restricted(records: Sequence[Record], data: DataSettings) -> list[Record]:
    kept = [record for record in records if not data.sources or record.source in data.sources]
    if data.only_with_findings:
        kept = with_findings(kept)
    return present(kept) if data.only_present else kept
