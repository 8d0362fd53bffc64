"""What noise tells of an output: shares of a sum, and numbers that hardly differ between images."""

import numpy as np

from sitegen.importing.graph.probe import Probed


def test_counts_with_one_sum_are_shares_of_it() -> None:
    assert Probed(np.array([[10.0, 20.0, 70.0], [30.0, 30.0, 40.0]])).shares_of_a_sum


def test_logits_that_hardly_differ_are_none() -> None:
    """Of a network with random weights: three logits, by chance above 0, whose sums are nearly the same."""
    values = np.array([[0.2311, 0.2685, 0.3054], [0.2311, 0.2686, 0.3053], [0.2312, 0.2685, 0.3054]])
    assert not Probed(values).shares_of_a_sum
    assert not Probed(values).softmax
