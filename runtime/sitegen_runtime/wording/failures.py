"""What is said where the machinery around Python fails: a decoder, a worker, a file that cannot be had.

The page holds these sentences from its build on, because nothing else can speak once its worker is gone. In braces
stands what only the page knows: the file's `{name}`, and the machine's own `{reason}`.
"""

from typing import Any

from sitegen_runtime.document_types import ErrorDocument
from sitegen_runtime.wording.projection import PROJECTION
from sitegen_runtime.wording.report import REPORT
from sitegen_runtime.wording.results import describe_error
from sitegen_runtime.wording.stages import ANALYSIS, describe_stages
from sitegen_runtime.wording.teaching import TEACHING
from sitegen_runtime.wording.what_if import WHAT_IF
from sitegen_runtime.wording.work_list import WORK_LIST

CANCELLED = "The analysis was cancelled."
UNREADABLE = "The file {name} cannot be read: it was moved, changed or locked. Choose it again."
UNDECODABLE = "The image data cannot be decoded: the file is damaged. Copy it again from its source."
MESSAGES = {"cancelled": CANCELLED, "damaged-image": UNDECODABLE}  # by the code that a driver gives
_FAILURES = {  # how it is called in the page: its code in documents, and its message
    "cancelled": ("cancelled", CANCELLED),
    "unreadable": ("unreadable-file", UNREADABLE),
    "given-up": ("engine-failed", "{reason}. The image was given up; others can follow."),
    "failed": ("engine-failed", "{reason}"),
}


def describe_page() -> dict[str, Any]:
    """Return what the page says of images before Python can, or without it.

    Keys: `stages` of an analysis (see `describe_stages`); `failures`, each by its name with the `error` of a document
    and its `wording` (see `results.describe_error`), in both of which what stands in braces is to be filled in;
    `projection`, `report`, `teaching`, `what_if` and `work_list` (see the modules of those names).
    """
    errors: dict[str, ErrorDocument] = {
        name: {"code": code, "message": message} for name, (code, message) in _FAILURES.items()
    }
    failures = {name: {"error": error, "wording": describe_error(error)} for name, error in errors.items()}
    stages = list(describe_stages(ANALYSIS))
    words = {"report": REPORT, "teaching": TEACHING, "what_if": WHAT_IF, "work_list": WORK_LIST}
    return {"stages": stages, "failures": failures, "projection": PROJECTION, **words}
