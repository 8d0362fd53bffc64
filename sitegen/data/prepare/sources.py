"""Which files there are to prepare, in a folder, its folders, and the zip archives in these.

MIDRC gives a case's studies as folders and each series as an archive, `CASE/STUDY/SERIES.zip`: what lies in an archive
counts as lying in a folder of its name, so that archives need not be unpacked, and prepared files have the same places
whether they were or not.
"""

import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from sitegen.data.layouts.class_folders import ENDINGS
from sitegen.errors import DataError
from sitegen.prediction.reading import LARGEST_FILE, read_image_file
from sitegen_runtime.errors import TooLarge, UnreadableFile
from sitegen_runtime.formats.sniff import begins_as_dicom

PICTURES = ENDINGS
DICOM = frozenset({".dcm", ".dicom", ".ima"})
VOLUMES = (".nii.gz", ".nii")
_LISTED = 10
_START = 132
_INDEX = "DICOMDIR"
_MOST_MEMBERS = 200_000


@dataclass(frozen=True)
class Source:
    """A file to prepare: its place below the folder, with "/", and where its bytes are."""

    name: str
    path: Path
    member: str = ""
    """The file in the archive at `path`; "" where `path` is the file itself."""
    mask: Path | None = None
    """The file of a mask that belongs to it."""
    target: str = ""
    """A folder that what is made of it goes into."""
    problem: str = ""
    """Why its bytes cannot be had, where that is known before they are read."""

    @property
    def stem(self) -> str:
        """The name without an ending that is known here; numbers with points are none."""
        folded = self.name.lower()
        endings = (*VOLUMES, *sorted(PICTURES | DICOM))
        ending = next((each for each in endings if folded.endswith(each)), "")
        return self.name[: len(self.name) - len(ending)]

    @property
    def is_volume(self) -> bool:
        """Whether the name is that of a NIfTI file."""
        return self.name.lower().endswith(VOLUMES)

    def read(self) -> bytes:
        """Return the file's bytes. Raises UnreadableFile or TooLarge."""
        if self.problem:
            raise UnreadableFile(self.problem)
        return _member(self.path, self.member) if self.member else read_image_file(self.path)


def find_sources(place: Path, *, pictures: bool = False, volumes: bool = False, dicom: bool = True) -> list[Source]:
    """Return the files of these kinds in a folder, by name; or the one file that `place` is.

    DICOM files are told by their content where they have no ending of their own, the others by their endings. Hidden
    files and folders are left out. An archive that cannot be read is a file with a problem. Raises DataError where
    there is nothing to prepare.
    """
    if not place.exists():
        raise DataError(f"{place} does not exist. Name a folder, or a file.")
    endings = (*(PICTURES if pictures else ()), *(VOLUMES if volumes else ()), *(DICOM if dicom else ()))
    found = sorted(_wanted(_all_files(place), endings, dicom), key=lambda source: source.name)
    if not found:
        raise DataError(
            f"{place} has no file to prepare: none that ends in {', '.join(sorted(endings))}"
            f"{', and no DICOM file' if dicom else ''}. Name the folder that holds them."
        )
    return found


def check_names(sources: Sequence[Source]) -> None:
    """Raise DataError, listing them, where two files would be written to one place."""
    by_stem: dict[str, list[str]] = {}
    for source in sources:  # many file systems hold two names for one that differ in capitals alone
        by_stem.setdefault(source.stem.lower(), []).append(source.name)
    if clashes := [" and ".join(names) for names in by_stem.values() if len(names) > 1]:
        raise DataError(f"Files whose names differ in their endings alone: {listed(clashes)}. Rename one of each.")


def with_masks(sources: Sequence[Source], masks: Path) -> list[Source]:
    """Return the sources with their masks: files of the same names in a folder, or one file for one source.

    Raises DataError where they do not match, listing those without a partner on either side.
    """
    if masks.is_file():
        if len(sources) != 1:
            raise DataError(f"{masks} is one mask, for {len(sources)} files. Name a folder of masks of their names.")
        return [replace(sources[0], mask=masks)]
    found = {mask.stem: mask.path for mask in find_sources(masks, volumes=True, dicom=False)}
    without = [source.name for source in sources if source.stem not in found]
    stems = {source.stem for source in sources}
    if left := [stem for stem in found if stem not in stems]:
        without += [f"{stem} (a mask)" for stem in left]
    if without:
        raise DataError(
            f"{masks} does not match: without a partner of the same name are {listed(without)}. "
            "Give each file and its mask the same name, in the same folder below."
        )
    return [replace(source, mask=found[source.stem]) for source in sources]


def listed(names: Sequence[str]) -> str:
    """Return names for a sentence: the first ten, and how many more there are."""
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _wanted(sources: Iterable[Source], endings: tuple[str, ...], dicom: bool) -> Iterator[Source]:
    other = (*(PICTURES | set(VOLUMES)), _INDEX.lower())  # what these hold is told by their names
    for source in sources:
        name = source.name.lower()
        if source.problem or name.endswith(endings) or (dicom and not name.endswith(other) and _is_dicom(source)):
            yield source


def _is_dicom(source: Source) -> bool:
    try:
        if not source.member:
            with source.path.open("rb") as file:
                return begins_as_dicom(file.read(_START))
        with zipfile.ZipFile(source.path) as archive, archive.open(source.member) as file:
            return begins_as_dicom(file.read(_START))
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return False


def _all_files(place: Path) -> Iterator[Source]:
    if place.is_file():
        yield from _of(place, place.name)
        return
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place)
        if not any(part.startswith(".") for part in name.parts) and path.is_file():
            yield from _of(path, name.as_posix())


def _of(path: Path, name: str) -> Iterator[Source]:
    if path.suffix.lower() != ".zip":
        yield Source(name, path)
        return
    try:
        members = _members(path)
    except DataError as error:
        yield Source(name, path, problem=str(error))
        return
    folder = PurePosixPath(name).with_suffix("")
    for member in members:
        parts = PurePosixPath(member.replace("\\", "/")).parts
        # Studies and series are folders above the archive: inside it, MIDRC repeats the series' name.
        inside = parts[1:] if len(parts) > 1 and parts[0] == folder.name else parts
        if not any(part.startswith(".") or part == "__MACOSX" for part in parts):
            yield Source((folder / PurePosixPath(*inside)).as_posix(), path, member)


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise DataError(f"It is no archive that can be read: {error}. Get it again.") from error
    if len(names) > _MOST_MEMBERS:
        raise DataError(f"It has {len(names)} files, more than {_MOST_MEMBERS}. Unpack what you want of it.")
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0]:
            raise DataError(f"It has a file outside of itself: {name!r}. Do not trust it.")
    return names


def _member(path: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError) as error:
        raise UnreadableFile(f"{name} in {path} cannot be read: {error}. Get the archive again.") from error
    if len(data) > LARGEST_FILE:
        raise TooLarge(f"{name} in {path} has more than {LARGEST_FILE:,} bytes. Save the image smaller.")
    return data
