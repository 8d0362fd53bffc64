"""The keys of what a bundle keeps of the form of its weights, and the type of each; docs/export.md describes them."""

from typing import TypedDict

from sitegen.metrics.document_types import IntervalDocument


class JudgedFinding(TypedDict):
    """A finding before and after."""

    images: int
    positives: int
    original: float
    auc: float
    difference: IntervalDocument


class JudgedDocument(TypedDict):
    """What the form of the weights changes on validation images."""

    images: int
    margin: float
    moved: IntervalDocument
    largest: float
    mean_difference: IntervalDocument | None
    findings: dict[str, JudgedFinding | None]


class FormDocument(JudgedDocument):
    """The form of the weights, and what it changes."""

    form: str
    numbers: int
    bytes: dict[str, int]
