"""Whatever is changed in a file, it is shown or refused with a code; `tests.studies.mutated_dicom` tries many more."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.runtime.dicom_bytes import EXPLICIT, meta
from tests.helpers.runtime.dicom_mutations import Outcomes, altered_frames, altered_headers, small_files


@pytest.mark.parametrize(("files", "count"), [(altered_headers, 4_000), (altered_frames, 700)])
def test_changed_files_are_shown_or_refused(files: Callable[[int, int], Iterator[bytes]], count: int) -> None:
    outcomes = Outcomes()
    for data in files(1, count):
        outcomes.try_out(data)
    assert sum(outcomes.counts.values()) == count
    assert set(outcomes.counts) <= {"shown", "damaged-image", "unsupported-type", "too-large"}
    assert outcomes.counts["shown"] > count / 50
    assert outcomes.counts["damaged-image"] > count / 20


def test_every_beginning_of_a_file_is_refused_or_shown() -> None:
    outcomes = Outcomes()
    files = small_files()
    for data in files:
        for end in range(0, len(data), 7):
            outcomes.try_out(data[:end])
    assert "shown" not in outcomes.counts or outcomes.counts["shown"] <= 4 * len(files)


@settings(max_examples=500)
@given(st.binary(max_size=400), st.sampled_from([b"", meta(), meta(EXPLICIT + ".99"), b"\x08\0\0\0", b"\2\0\0\0"]))
def test_any_bytes(data: bytes, start: bytes) -> None:
    Outcomes().try_out(start + data)
