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
from sitegen.metrics.resampling import Resampling, share_of_draws

BY = ("source", "view")


def flagged_without_finding(scored: Scored, how: Resampling) -> FlaggedDocument | None:
    """Return of how many images without any finding at least one is flagged at its operating point.

    Those are the images of which all of the model's findings are known to be absent; they may show what the model has
    no finding for. None where there are none, or where no finding has an operating point.
    """
    points = np.array([np.inf if point is None else point for point in scored.operating_points], np.float64)
    rows = np.nonzero((scored.targets == 0.0).all(axis=1))[0]
    if not len(rows) or np.isinf(points).all():
        return None
    flagged = np.asarray((scored.probabilities[rows] >= points).any(axis=1), np.bool_)
    records = [scored.records[row] for row in rows.tolist()]

    def group(members: NDArray[np.int64]) -> FlaggedGroupDocument:
        found, patients = flagged[members], [records[row].patient for row in members.tolist()]
        share = interval_by_patient(lambda draws: share_of_draws(found, draws), patients, how.resamples, seed=how.seed)
        return {
            "images": len(found),
            "patients": len(set(patients)),
            "flagged": int(found.sum()),
            "share": cast(IntervalDocument, asdict(share)),
        }

    groups: Mapping[str, list[str | None]] = {name: [GROUPS[name](record) for record in records] for name in BY}
    return {
        **group(np.arange(len(rows))),
        "by": {name: by_group(members, group) for name, members in groups.items() if any(members)},
    }
