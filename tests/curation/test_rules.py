"""Rules: what passes, and that nothing but a rule is taken for one."""

import pyarrow as pa
import pytest

from sitegen.curation.rules import passing
from sitegen.errors import SettingsError

TABLE = pa.table(
    {
        "accepted": [True, False, None, True],
        "gate_ssim": [0.9, 0.2, None, 0.5],
        "view": ["PA", "LL", None, "AP"],
        "year": pa.array([2019, None, 2020, 2021], pa.int32()),
    }
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("accepted", [1, 0, 0, 1]),
        ("not accepted", [0, 1, 1, 0]),
        ("accepted == false", [0, 1, 0, 0]),
        ("gate_ssim >= 0.5", [1, 0, 0, 1]),
        ("gate_ssim<.5", [0, 1, 0, 0]),
        ("gate_ssim > -1e-3", [1, 1, 0, 1]),
        ("gate_ssim != 0.5", [1, 1, 0, 0]),
        ('view == "PA"', [1, 0, 0, 0]),
        ("view in ('PA', \"AP\")", [1, 0, 0, 1]),
        ("view is missing", [0, 0, 1, 0]),
        ("year is there and year > 2019", [0, 0, 1, 1]),
        ('accepted or view == "LL" and year is missing', [1, 1, 0, 1]),
        ('(accepted or view == "LL") and year is missing', [0, 1, 0, 0]),
        ("not not accepted", [1, 0, 0, 1]),
        ("not (accepted and gate_ssim > 0.6)", [0, 1, 1, 1]),
    ],
)
def test_rows_that_pass(rule: str, expected: list[int]) -> None:
    assert passing(rule, TABLE).astype(int).tolist() == expected


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("", "at its end: expected the name of a column"),
        ("accepted and", "at its end: expected the name"),
        ("gate_ssim", "gate_ssim holds no yes or no"),
        ("gate_ssim > 'high'", "gate_ssim holds numbers"),
        ("gate_ssim == true", "gate_ssim holds numbers"),
        ("accepted == 1", "accepted holds yes or no"),
        ("view == PA", "expected a number, a text"),
        ("view == 3", "view holds texts"),
        ("accepted accepted", "expected and, or, or the end"),
        ("(accepted", "at its end: expected )"),
        ("view in ()", "expected a number, a text"),
        ("colour == 'red'", "no column 'colour'. It has accepted, gate_ssim"),
        ("__import__('os')", "no column '__import__'"),
        ("accepted; drop", "cannot be read at '; drop'"),
        ("(" * 5000 + "accepted", "nested too deeply"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(rule: str, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        passing(rule, TABLE)
    assert reason in str(caught.value)
    assert caught.value.exit_code == 2
