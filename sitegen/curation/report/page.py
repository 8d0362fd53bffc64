"""The page: what is in a repository, what the scores say, and what a threshold would drop."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sitegen.bundle import Bundle
from sitegen.curation.columns import Options, columns_of
from sitegen.curation.document_types import ManifestDocument
from sitegen.curation.report.charts import histograms
from sitegen.curation.report.counted import drawn as drawn_rows
from sitegen.curation.report.counted import flags, sliders
from sitegen.curation.report.groups import KINDS, Division, divided
from sitegen.curation.report.thumbnails import Thumbnails
from sitegen.evaluation.report.page import WIDE, drawn, render
from sitegen_runtime.formats.sniff import DICOM

EXTREMES = 12
_HERE = Path(__file__).parent


def as_html(
    table: pa.Table,
    manifest: ManifestDocument,
    bundle: Bundle,
    *,
    thumbnails: Thumbnails | None = None,
    names: bool = False,
) -> str:
    """Return one file that loads nothing; with `thumbnails` it has pictures, with `names` those of folders."""
    script = (_HERE / "counting.js").read_text("utf-8")
    counted = drawn_rows(table)
    scores = _scores(table, bundle)
    divisions = {kind: divided(table, kind, names) for kind in KINDS}
    values = {
        "manifest": manifest,
        "total": len(table),
        "rows": len(counted),
        "sampled": len(counted) < len(table),
        **_facts(table),
        **_thresholds(counted, scores, len(table)),
        "distributions": [
            (score, limit, [(kind, _chart(table, kind, of, score, limit)) for kind, of in divisions.items()])
            for score, (limit, _) in scores.items()
        ],
        "extremes": _extremes(table, scores, thumbnails),
        "first_score": next(iter(scores), ""),
        "pictures": thumbnails is not None,
        "script": drawn(script),
        "script_hash": f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
    }
    return render(_HERE, {}, (WIDE,), **values)


def _scores(table: pa.Table, bundle: Bundle) -> dict[str, tuple[float | None, bool]]:
    """The gate's columns, then the distances that are there: the threshold, and whether lower is less like."""
    gate = bundle.model.gate
    found: dict[str, tuple[float | None, bool]] = {}
    if gate:
        names = columns_of(bundle.model, Options()).gate
        found[names[gate.metric]] = (gate.threshold, True)
        found |= {names[each.metric]: (each.threshold, each.higher == "alike") for each in gate.scores}
    for name in ("mse", "wasserstein", "ssim"):
        for column in (name, f"patch_{name}"):
            if column in table.column_names:
                found[column] = (None, name == "ssim")
    return {name: each for name, each in found.items() if table[name].null_count < len(table)}


def _facts(table: pa.Table) -> dict[str, Any]:
    errors = Counter(code for code in table["error"].to_pylist() if code)
    missing = Counter(name for each in table["missing"].to_pylist() for name in (each or "").split())
    accepted = table["accepted"].to_pylist() if "accepted" in table.column_names else []
    refused = sum(each is False for each in accepted)
    return {
        "errors": sorted(errors.items(), key=lambda each: (-each[1], each[0])),
        "missing": sorted(missing.items(), key=lambda each: (-each[1], each[0])),
        "dicom": sum(kind == DICOM for kind in table["type"].to_pylist()),
        "refused": f"{refused:,}" if accepted else "the model has no gate",
        "copies": len(table) - table["copy_of"].null_count,
        "alike": len(table) - table["alike"].null_count,
    }


def _thresholds(counted: pa.Table, scores: Mapping[str, tuple[float | None, bool]], total: int) -> dict[str, Any]:
    tried, asked = sliders(counted), flags(counted)
    starts = {}
    for each in tried:
        limit = scores[each.name][0] if each.name in scores else None
        starts[each.name] = (each.low + each.high) / 2 if limit is None else min(max(limit, each.low), each.high)
    packed = {
        "rows": len(counted),
        "total": total,
        "flags": [values for _, _, values in asked],
        "sliders": [each.values for each in tried],
    }
    return {
        "sliders": tried,
        "flags": asked,
        "starts": starts,
        "lower_is_unlike": [name for name, (_, lower) in scores.items() if lower],
        "counted": drawn(json.dumps(packed)),  # base64 and numbers: nothing in it could end the element
    }


def _chart(table: pa.Table, kind: str, of: Division, score: str, limit: float | None) -> Any:
    return drawn(histograms(f"{score} by {kind}:", of.of_score(table, score), limit))


def _extremes(
    table: pa.Table, scores: Mapping[str, tuple[float | None, bool]], thumbnails: Thumbnails | None
) -> list[tuple[str, list[dict[str, Any]]]]:
    if not scores:
        return []
    score, (_, lower) = next(iter(scores.items()))
    values = table[score].to_numpy(zero_copy_only=False).astype(np.float64)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known] if lower else -values[known], kind="stable")]
    least_like, most_like = order[:EXTREMES], order[::-1][:EXTREMES]
    return [
        ("The most unlike the training images", [_row(table, at, score, thumbnails) for at in least_like]),
        ("The least unlike", [_row(table, at, score, thumbnails) for at in most_like]),
    ]


def _row(table: pa.Table, at: int, score: str, thumbnails: Thumbnails | None) -> dict[str, Any]:
    row = table.slice(int(at), 1).to_pylist()[0]
    pair = thumbnails.pair(row["address"], row["id"]) if thumbnails else None
    return {"id": row["id"], "value": row[score], "failed": row["failed"], "pair": pair}
