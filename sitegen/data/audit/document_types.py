"""The keys of an audit's report (sitegen.data-audit/1), and the type of each; docs/data.md says what they mean."""

from typing import TypedDict

from sitegen.data.audit.shortcuts.document_types import ShortcutsDocument


class ProblemDocument(TypedDict):
    """A file that cannot be used, and why."""

    file: str
    problem: str


class DuplicateDocument(TypedDict):
    """Files of the same content."""

    files: list[str]
    several_splits: bool
    several_patients: bool
    labels_differ: bool


class ImpossibleAge(TypedDict):
    """An image whose patient is older than anyone."""

    file: str
    age: float


class ProblemsDocument(TypedDict):
    """Everything that makes figures wrong."""

    unreadable: list[ProblemDocument]
    duplicates: list[DuplicateDocument]
    patients_in_several_splits: dict[str, list[str]]
    impossible_ages: list[ImpossibleAge]


class SpreadDocument(TypedDict, total=False):
    """Of numbers, where there are any."""

    least: float
    median: float
    most: float


class SizeDocument(TypedDict):
    """Images of one size."""

    width: int
    height: int
    images: int


class SizesDocument(TypedDict):
    """The sizes of images as stored."""

    different: int
    width: SpreadDocument | None
    height: SpreadDocument | None
    aspect: SpreadDocument | None
    most: list[SizeDocument]


class LabelCounts(TypedDict):
    """Images of a label, where it is known."""

    present: int
    absent: int


class GroupCounts(TypedDict):
    """What a group of images has."""

    images: int
    patients: int
    labels: dict[str, LabelCounts]


class AuditDocument(TypedDict):
    """The report on a data set."""

    schema: str
    records: str
    images: int
    patients: int
    images_of_a_patient: SpreadDocument
    problems: ProblemsDocument
    clean: bool
    sizes: SizesDocument
    labels: list[str]
    prevalence: dict[str, dict[str, GroupCounts]]
    shared_collections: list[str]
    shortcuts: ShortcutsDocument | None
