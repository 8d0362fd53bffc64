"""Random examples for comparing metrics with scikit-learn's: many ties, small weights, unknown targets."""

import numpy as np
from hypothesis import strategies as st


def scored() -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Scores in twelfths, so that many tie, and targets with both classes."""
    rows = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=40)
    both = rows.filter(lambda pairs: len({target for _, target in pairs}) == 2)
    return both.map(lambda pairs: (np.array([s / 12 for s, _ in pairs]), np.array([t for _, t in pairs])))


def weighted() -> st.SearchStrategy[tuple[np.ndarray, ...]]:
    """The same, with weights from 0.25 to 2."""
    row = st.tuples(st.integers(0, 12), st.booleans(), st.integers(1, 8))
    both = st.lists(row, min_size=2, max_size=40).filter(lambda rows: len({target for _, target, _ in rows}) == 2)
    return both.map(lambda rows: tuple(np.array(part) for part in _columns(rows)))


def _columns(rows: list[tuple[int, bool, int]]) -> tuple[list[float], tuple[bool, ...], list[float]]:
    scores, targets, weights = zip(*rows, strict=True)
    return [score / 12 for score in scores], targets, [weight / 4 for weight in weights]


def several(seed: int, images: int = 40, findings: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Scores in twentieths and targets of several findings, each with both classes: [N, L]."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 21, (images, findings)) / 20
    targets = rng.random((images, findings)) < np.linspace(0.1, 0.6, findings)
    targets[0], targets[1] = True, False
    return scores, targets
