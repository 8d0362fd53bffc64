"""Changes DICOM files at random, shows them, and says what became of them: python -m tests.studies.mutated_dicom

Every file has to be shown or refused with a code; the first that is neither is written beside, and ends the run. What
crashes the interpreter ends it too: --seed begins again where it was.
"""

import argparse
import faulthandler
from collections.abc import Iterable
from pathlib import Path

from tests.helpers.runtime.dicom_mutations import Outcomes, altered_frames, altered_headers

_FAILED = Path("failed.dcm")


def run(name: str, files: Iterable[bytes]) -> None:
    outcomes = Outcomes()
    for data in files:
        try:
            outcomes.try_out(data)
        except Exception:
            _FAILED.write_bytes(data)
            raise
    told = ", ".join(f"{count:,} {what}" for what, count in outcomes.counts.most_common())
    print(f"{sum(outcomes.counts.values()):,} {name}: {told}; slowest {outcomes.slowest:.3f} s of CPU", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--headers", type=int, default=200_000)
    parser.add_argument("--frames", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    faulthandler.enable()
    run("headers", altered_headers(asked.seed, asked.headers))
    run("frames", altered_frames(asked.seed, asked.frames))


if __name__ == "__main__":
    main()
