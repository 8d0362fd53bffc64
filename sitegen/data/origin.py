"""What a training records of where its images are from, and how images at hand are related to it.

recorded(records, data)          plain data for checkpoints and bundles: `images`, `collections`
learned_from(document)           that, read again; None where a model does not record it
origins(records, learned, …)     of each image its collection and its relation to the training
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sitegen.bundle.origin import Collection, Use, relation
from sitegen.data.records import TRAIN, VALID, Record
from sitegen.settings.data import DataSettings
from sitegen_runtime.bundle.relations import Relation

Origins = Mapping[Path, "Origin"]
_USES: Mapping[str, Use] = {TRAIN: "trained", VALID: "chosen"}


@dataclass(frozen=True)
class Origin:
    """Where an image is from, and how that is related to the training of a model."""

    collection: Collection
    relation: Relation


@dataclass(frozen=True)
class Learned:
    """What a model learned from: the collection of each source, and how many images of it were in which split."""

    collections: Mapping[str, Collection]
    images: Mapping[str, Mapping[str, int]]

    @property
    def known_as(self) -> list[Collection]:
        """Its collections under their own names and, where these differ, under those of their sources."""
        return [Collection(name, each.hospital) for source, each in self._used() for name in {each.name, source}]

    def whole(self, records: Iterable[Record]) -> set[str]:
        """The sources of which records have as many training and validation images as the training had."""
        there = images_by_source(records)
        return {
            source
            for source, _ in self._used()
            if all(there.get(split, {}).get(source, 0) == self.images.get(split, {}).get(source, 0) for split in _USES)
        }

    def _used(self) -> list[tuple[str, Collection]]:
        seen = {source for split in _USES for source in self.images.get(split, {})}
        return [(source, each) for source, each in self.collections.items() if source in seen]


def images_by_source(records: Iterable[Record]) -> dict[str, dict[str, int]]:
    """Return how many images of each source are in each split, both in order; images in no split are left out."""
    counts = Counter((record.split, record.source) for record in records if record.split)
    found: dict[str, dict[str, int]] = {}
    for (split, source), images in sorted(counts.items()):
        found.setdefault(split, {})[source] = images
    return found


def collection_of(data: DataSettings, source: str) -> Collection:
    """Return what the recipe calls the collection of a source: the source's own name where it says nothing."""
    for part in data.parts:
        if part.name == source:
            return Collection(part.collection or source, part.hospital)
    return Collection(source)


def recorded(records: Sequence[Record], data: DataSettings) -> dict[str, Any]:
    """Return as plain data where images are from: `images` by split and source, and the `collections` by source."""
    counts = images_by_source(records)
    sources = sorted({source for members in counts.values() for source in members})
    named = {source: collection_of(data, source) for source in sources}
    return {
        "images": counts,
        "collections": {source: {"collection": each.name, "hospital": each.hospital} for source, each in named.items()},
    }


def learned_from(document: object) -> Learned | None:
    """Return what `recorded` wrote, or None where it is something else. Older models name sources alone."""
    if not isinstance(document, Mapping) or not isinstance(document.get("images"), Mapping):
        return None
    images = {
        split: {source: number for source, number in members.items() if isinstance(number, int)}
        for split, members in document["images"].items()
        if isinstance(members, Mapping)
    }
    named = document.get("collections")
    sources = {source for members in images.values() for source in members}
    collections = {source: _collection(source, named) for source in sorted(sources)}
    learned = Learned(collections, images)
    return learned if learned.known_as else None


def origins(
    records: Iterable[Record],
    learned: Learned | None,
    divided: Sequence[Record],
    named: Mapping[str, Collection],
) -> dict[Path, Origin]:
    """Return where each image is from; `named` are the collections of the sources at hand.

    `divided` are images of the same data as the model's own recipe divides them. Where they have as many images of a
    source as the training had, they are the training's, and say which patients it trained on, chose with, kept out.
    """
    whole = learned.whole(divided) if learned else set()
    members = [record for record in divided if record.source in whole]
    by_path = {record.path: record for record in members}
    by_patient = {(record.source, record.patient): record for record in members}

    def origin(record: Record) -> Origin:
        collection = named.get(record.source, Collection(record.source))
        if learned is None:
            return Origin(collection, "unknown")
        same = by_path.get(record.path) or by_patient.get((record.source, record.patient))
        if same is None:
            return Origin(collection, relation(collection, learned.known_as))
        own = learned.collections[same.source]
        return Origin(own, relation(own, learned.known_as, _USES.get(same.split, "kept")))

    return {record.path: origin(record) for record in records}


def _collection(source: str, named: object) -> Collection:
    entry = named.get(source) if isinstance(named, Mapping) else None
    if not isinstance(entry, Mapping):
        return Collection(source)
    return Collection(str(entry.get("collection") or source), str(entry.get("hospital") or ""))
