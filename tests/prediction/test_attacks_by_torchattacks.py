"""Attacks against those of torchattacks 3.5.1, whose images lie in torchattacks.json.

`python -m tests.studies.torchattacks_reference` wrote them; that package's JSMA is another one than ours.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from sitegen_runtime.attacks.methods import Wish
from sitegen_runtime.attacks.table import ATTACKS
from tests.prediction.test_attacks import network, run

REFERENCE = json.loads((Path(__file__).parent / "torchattacks.json").read_text("utf-8"))


@pytest.mark.parametrize("method", ATTACKS)
def test_attacks_are_those_of_torchattacks(method: str) -> None:
    theirs = [each for each in REFERENCE["attacked"] if each["method"] == method]
    assert len({(each["strength"], each["seed"]) for each in theirs}) == 6
    for each in theirs:
        image = network().image(each["seed"])
        wish = Wish(method, each["strength"], REFERENCE["steps"], REFERENCE["finding"], each["seed"])
        found = np.array(run(image, wish).image)
        np.testing.assert_allclose(found, each["image"], rtol=0, atol=1e-6)
        assert np.abs(found - np.array(image)).max() > each["strength"] / 2
