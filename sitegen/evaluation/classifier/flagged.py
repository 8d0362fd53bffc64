"""How many images without any finding a model nevertheless flags: what a list of many findings costs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sitegen.evaluation.classifier.document_types import FlaggedDocument, FlaggedGroupDocument
from sitegen.evaluation.classifier.finding_document import GROUPS
from sitegen.evaluation.classifier.scored import Scored
from sitegen.metrics import by_group, interval_by_patient
from sitegen.metrics.document_types import IntervalDocument
from sitegen.metrics.examples import Scores
from sitegen.metrics.resampling import Resampling, share_of_draws
from sitegen_runtime.bundle.relations import NO_FINDING

BY = ("source", "view")


def flagged_without_finding(scored: Scored, how: Resampling) -> FlaggedDocument | None:
    """Return of how many images without any finding at least one is flagged at its operating point.

    Those are the images of which all of the model's findings are known to be absent, or which are labelled as without
    any; they may show what the model has no finding for. None where there are none, or no finding has an operating
    point.
    """
    found = np.array([label.lower() not in NO_FINDING for label in scored.labels])
    given = zip(scored.operating_points, found, strict=True)
    points = np.array([point if point is not None and each else np.inf for point, each in given], np.float64)
    rows = np.nonzero(_without_finding(scored.targets, found))[0]
    if not len(rows) or np.isinf(points).all():
        return None
    flagged = np.asarray((scored.probabilities[rows] >= points).any(axis=1), np.bool_)
    records = [scored.records[row] for row in rows.tolist()]

    def group(members: NDArray[np.int64]) -> FlaggedGroupDocument:
        marked, patients = flagged[members], [records[row].patient for row in members.tolist()]
        share = interval_by_patient(lambda draws: share_of_draws(marked, draws), patients, how.resamples, seed=how.seed)
        return {
            "images": len(marked),
            "patients": len(set(patients)),
            "flagged": int(marked.sum()),
            "share": cast(IntervalDocument, asdict(share)),
        }

    groups: Mapping[str, list[str | None]] = {name: [GROUPS[name](record) for record in records] for name in BY}
    return {
        **group(np.arange(len(rows))),
        "by": {name: by_group(members, group) for name, members in groups.items() if any(members)},
    }


def _without_finding(targets: Scores, found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which images [N] have no finding, by targets [N, L] of which only some labels [L] stand for something found."""
    absent = (targets[:, found] == 0.0).all(axis=1) & bool(found.any())
    return np.asarray(absent | (targets[:, ~found] == 1.0).any(axis=1), np.bool_)
