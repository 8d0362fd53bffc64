"""What a bundle knows of its maps against boxes that radiologists drew: a typed reading of `localisation`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Pointing:
    """How often (0..1) the strongest place of a method's maps lay in a box, and how often the usual place did (None
    where it is not known); of how many cases and patients; and the verdict, one of `wording.localisation`'s."""

    cases: int
    patients: int
    maps: float
    usual: float | None
    verdict: str


@dataclass(frozen=True)
class Localisation:
    """The same of each method, for all findings together and for each finding that has boxes; on which split."""

    split: str | None
    methods: Mapping[str, Pointing]
    findings: Mapping[tuple[str, str], Pointing]  # by method and finding


def read_localisation(fields: Mapping[str, Any]) -> Localisation:
    """Read `localisation` of a valid `bundle.json`."""
    methods = fields["methods"]
    return Localisation(
        fields["split"],
        {each["method"]: _pointing(each) for each in methods},
        {(each["method"], part["finding"]): _pointing(part) for each in methods for part in each["findings"]},
    )


def _pointing(fields: Mapping[str, Any]) -> Pointing:
    usual = fields["usual"]
    return Pointing(
        fields["cases"],
        fields["patients"],
        fields["pointing"]["value"],
        usual["value"] if usual else None,
        fields["verdict"],
    )
