"""What scanners say of the libraries inside Pyodide, and why the page is not touched by it: VEX, as part of the bill.

Pyodide brings libraries that are older than today's, and scanners name what was found in them since. The bill of
materials answers each (CycloneDX 1.6, `vulnerabilities`). A test holds the reasons: nothing of the runtime imports what
would call those libraries, and the versions are the ones that the bill names. What is found later is not answered here.

Where a site's owner added wheels, these may call what the page's own program never calls: there nothing is promised.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cyclonedx.model import XsUri
from cyclonedx.model.impact_analysis import ImpactAnalysisJustification, ImpactAnalysisState
from cyclonedx.model.vulnerability import BomTarget, Vulnerability, VulnerabilityAnalysis, VulnerabilitySource

NOT_CALLED = ImpactAnalysisJustification.CODE_NOT_REACHABLE
NOT_THERE = ImpactAnalysisJustification.CODE_NOT_PRESENT
ADDED = (
    "Packages were added to the page's Python by who made this site. Whether they use this library, the page does not "
    "know; its own program does not."
)


@dataclass(frozen=True)
class Answer:
    """What holds of some vulnerabilities of a library.

    `justification` is why they do not matter, None where that is not known. `module` is the one of Python by which
    alone the library is called, "" where the page's program uses it.
    """

    library: str
    ids: tuple[str, ...]
    justification: ImpactAnalysisJustification | None
    why: str
    module: str = ""


def _numbered(year: int, *numbers: int) -> tuple[str, ...]:
    return tuple(f"CVE-{year}-{number}" for number in numbers)


ANSWERS = (
    Answer(
        "sqlite",
        ("CVE-2022-35737", "CVE-2023-7104", "CVE-2025-6965", "CVE-2025-70873", "CVE-2026-11822", "CVE-2026-11824"),
        NOT_CALLED,
        "The page opens no database and runs no SQL: nothing imports sqlite3, which is not even loaded.",
        "sqlite3",
    ),
    Answer("sqlite", ("CVE-2022-46908",), NOT_THERE, "It is in SQLite's command line, which is not part of Pyodide."),
    Answer(
        "bzip2",
        ("CVE-2019-12900",),
        NOT_CALLED,
        "The page unpacks nothing that is packed by bzip2: no file that people open gets to it.",
        "bz2",
    ),
    Answer("bzip2", ("CVE-2016-3189",), NOT_THERE, "It is in the program bzip2recover, which is not part of Pyodide."),
    Answer(
        "xz",
        ("CVE-2026-34743",),
        NOT_CALLED,
        "The page unpacks nothing that is packed by xz: no file that people open gets to it.",
        "lzma",
    ),
    Answer(
        "xz", ("CVE-2022-1271", "CVE-2024-47611"), NOT_THERE, "It is in programs of xz, which are not part of Pyodide."
    ),
    Answer(
        "expat",
        (
            *("CVE-2025-66382", "CVE-2026-24515", "CVE-2026-25210", "CVE-2026-45186", "CVE-2026-50219"),
            *_numbered(2026, 32776, 32777, 32778, 56131, 56132, 56403, 56404, 56405, 56406, 56407, 56408),
            *_numbered(2026, 56409, 56410, 56411, 56412, 76956, 76957),
        ),
        NOT_CALLED,
        "The page reads no XML: no file that people open gets to it.",
        "pyexpat",
    ),
    Answer("zlib", ("CVE-2023-45853",), NOT_THERE, "It is in minizip, which is not part of Pyodide."),
    Answer("zlib", ("CVE-2026-22184",), NOT_THERE, "It is in the program untgz, which is not part of Pyodide."),
    Answer("zlib", ("CVE-2026-27171",), NOT_CALLED, "Python 3.14 never combines checksums (crc32_combine)."),
    Answer(
        "zlib",
        ("CVE-2026-85091",),
        None,
        "Not looked into yet. The page inflates PNG pixels and deflated DICOM files by zlib, inside WebAssembly, whose "
        "memory holds nothing but what the page itself has.",
    ),
)


def answers(*, has_wheels: bool) -> Iterator[Vulnerability]:
    """Yield what the bill says of each; `has_wheels` where the site's owner added some to the page's Python."""
    for answer in ANSWERS:
        for name in answer.ids:
            yield Vulnerability(
                bom_ref=f"vulnerability:{name}",
                id=name,
                source=VulnerabilitySource(name="NVD", url=XsUri(f"https://nvd.nist.gov/vuln/detail/{name}")),
                analysis=_analysis(answer, has_wheels and answer.justification == NOT_CALLED),
                affects=[BomTarget(ref=f"inside:{answer.library}")],
            )


def _analysis(answer: Answer, may_be_called: bool) -> VulnerabilityAnalysis:
    if may_be_called or answer.justification is None:
        why = f"{answer.why} {ADDED}" if may_be_called else answer.why
        return VulnerabilityAnalysis(state=ImpactAnalysisState.IN_TRIAGE, detail=why)
    return VulnerabilityAnalysis(
        state=ImpactAnalysisState.NOT_AFFECTED, justification=answer.justification, detail=answer.why
    )
