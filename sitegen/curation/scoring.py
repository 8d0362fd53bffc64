"""One image, one row: by the runtime's own way, so that the numbers are those of the page and of `sitegen predict`."""

from collections.abc import Iterator

import numpy as np

from sitegen.bundle import Bundle
from sitegen.curation.addresses import read_entry
from sitegen.curation.columns import Columns, Options, Row, columns_of
from sitegen.curation.entries import Entry
from sitegen.curation.header import Tags, read_tags
from sitegen.curation.perceptual import perceptual_hash
from sitegen.errors import SettingsError
from sitegen.prediction import Predictor
from sitegen_runtime.analysis import Analysis, Seen
from sitegen_runtime.document_types import GateDocument, ResultDocument
from sitegen_runtime.errors import AnalysisError
from sitegen_runtime.formats.sniff import DICOM
from sitegen_runtime.running import image_input

HEADER_CHECKS = frozenset({"modality", "body-part", "view", "unprocessed", "frames", "pixel-shape"})
"""Checks of the gate that are of a DICOM header."""

LOST = "worker-lost"
"""The code of an image at which processes ended, each that was given it: it may need more memory than they have."""


class Scorer:
    """Makes rows of files with one bundle; its sessions are opened at the first image and kept."""

    def __init__(self, bundle: Bundle, options: Options) -> None:
        self.columns: Columns = columns_of(bundle.model, options)
        self._options = options
        self._predictor = Predictor(bundle)
        if options.distances and bundle.model.gate is None:
            raise SettingsError(f"{bundle.folder} has no gate, and so no distances. Leave --distances out.")

    def row(self, entry: Entry) -> Row:
        """Return the row of a file; one that cannot be read or analysed has the code of what is in the way."""
        try:
            data = read_entry(entry)
        except AnalysisError as failure:
            return failed_row(entry, failure.code, str(failure))
        analysis = self._predictor.analyse(data, entry.id, force=self._options.force)
        document = analysis.document
        row = _file_cells(entry, document)
        if document["image"]["type"] == DICOM:
            row |= _tag_cells(read_tags(data))
        if error := document.get("error"):
            return row | {"error": error["code"], "message": error["message"]}
        return row | dict(self._cells(document, analysis))

    def _cells(self, document: ResultDocument, analysis: Analysis) -> Iterator[tuple[str, object]]:
        if analysis.seen:
            yield "perceptual", _hash(analysis.seen)
        if gate := document.get("gate"):
            yield from _gate_cells(gate, self.columns, document["image"]["type"] == DICOM)
        for finding in document.get("findings", ()):
            yield self.columns.probability[finding["label"]], finding["probability"]
            if finding["label"] in self.columns.calibrated:
                yield self.columns.calibrated[finding["label"]], finding["calibrated"]
        if self._options.distances:
            from sitegen.curation.distances import distance_cells  # here, so that who asks for none imports none

            yield from distance_cells(analysis, self._predictor.model).items()


def failed_row(entry: Entry, code: str, message: str) -> Row:
    """Return the row of a file that could not be analysed."""
    return _entry_cells(entry) | {"error": code, "message": _text(message)}


def _entry_cells(entry: Entry) -> Row:
    address, path = _text(entry.address), _text(entry.path)
    return {
        "key": entry.key,
        "id": entry.id,
        "address": address,
        "root": entry.root,
        "path": path,
        "size": entry.size,
    }


def _text(text: str) -> str:
    """A name as text that every table takes: bytes that are none are written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _file_cells(entry: Entry, document: ResultDocument) -> Row:
    image = document["image"]
    cells = {name: image[name] for name in ("sha256", "type", "width", "height", "bits")}
    return _entry_cells(entry) | cells | {"content": document["tensors"].get("classifier")}


def _tag_cells(tags: Tags) -> Row:
    return {
        "modality": tags.modality,
        "body_part": tags.body_part,
        "view": tags.view,
        "manufacturer": tags.manufacturer,
        "year": tags.year,
        "burned_in": tags.burned_in,
        "missing": " ".join(tags.missing),
    }


def _gate_cells(gate: GateDocument, columns: Columns, is_dicom: bool) -> Iterator[tuple[str, object]]:
    checks = [check["check"] for check in gate["checks"]]
    failing = [score["metric"] for score in gate["scores"] if not score["passed"]]
    if not gate["score"] >= gate["threshold"]:
        failing.insert(0, gate["metric"])
    yield "accepted", gate["accepted"]
    yield "scores_pass", not failing
    if is_dicom:
        yield "tags_fit", HEADER_CHECKS.isdisjoint(checks)
    yield "failed", " ".join(failing)
    yield "checks", " ".join(checks)
    yield columns.gate[gate["metric"]], gate["score"]
    for score in gate["scores"]:
        yield columns.gate[score["metric"]], score["value"]


def _hash(seen: Seen) -> str | None:
    grid = image_input(seen.draft.model, "classifier").grid
    values = np.frombuffer(seen.image.values, np.float32).reshape(-1, *grid)
    found = perceptual_hash(values.mean(axis=0))
    return None if found is None else f"{found:016x}"
