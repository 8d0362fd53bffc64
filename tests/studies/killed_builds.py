"""Kills builds at random moments, and lets others run out of room: python -m tests.studies.killed_builds --count 100

After each the site that was there has to be whole, or the new one in its place; what the dead left has to be gone once
somebody works there again; and in the end a build with the cache that all of them used gives what it gave at first.
Leave the sources as they are meanwhile. Running out of room is tried by a limit on the size of files, at which every
write fails from some size on.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sitegen.bundle import Bundle
from sitegen.errors import SitegenError
from sitegen.replacing import PREFIX, recover
from sitegen.site import build_site
from sitegen.site.cache import cache_folder
from sitegen.site.engines.files import install_engines
from sitegen.site.integrity.check import check_site
from tests.helpers.bundles import make_bundle

LARGEST = 40_000_000
"""Bytes: more than any file of a site or of the cache has."""


def digest(site: Path) -> str:
    """The number that stands for all of a site."""
    return check_site(site).digests["manifest.json"]


def child(work: Callable[[], object], room: int | None) -> int:
    """Do work in a process of its own, in which no file may have more than `room` bytes; return its number."""
    number = os.fork()
    if number:
        return number
    try:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        work()
    except (OSError, SitegenError):
        os._exit(1)
    except BaseException:
        os._exit(3)
    os._exit(0)


def trial(bundle: Bundle, site: Path, seconds: float | None, room: int | None) -> str:
    """Build over a site, and end that after some seconds, or by lack of room; return how it ended."""
    number = child(lambda: build_site(bundle, site), room)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(number, signal.SIGKILL)
    _, status = os.waitpid(number, 0)
    if os.WIFSIGNALED(status):
        return "killed"
    return {0: "done", 1: "failed with a message"}.get(os.WEXITSTATUS(status), "failed in another way")


def main() -> None:
    """Try as often as was asked, with two models in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="of kills, and again of builds without room")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance, ends, wrong = random.Random(asked.seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engines = install_engines().modules.parents[1]  # .../engines: read alone, and fetched by nobody
        (folder / "cache").mkdir()
        (folder / "cache" / "engines").symlink_to(engines)
        os.environ["SITEGEN_CACHE"] = str(folder / "cache")
        bundles = [make_bundle(folder / f"model-{side}", side=side) for side in (32, 48)]
        good = [digest(build_site(bundle, folder / f"good-{at}").folder) for at, bundle in enumerate(bundles)]
        start = time.monotonic()
        build_site(bundles[0], folder / "site")
        usual = time.monotonic() - start
        for number in range(2 * asked.count):
            seconds, room = (chance.uniform(0, 1.2 * usual), None) if number % 2 else (None, chance.randrange(LARGEST))
            if number % 4 > 1:  # with nothing kept but the engines
                for kind in ("snapshots", "packed"):
                    shutil.rmtree(cache_folder() / kind, ignore_errors=True)
            ended = trial(bundles[number // 2 % 2], folder / "site", seconds, room)
            recover(folder / "site")
            left = [path.name for path in folder.iterdir() if path.name.startswith(PREFIX)]
            is_good = check_site(folder / "site").passed and digest(folder / "site") in good
            wrong += not is_good or bool(left) or ended == "failed in another way"
            ends[f"{'killed' if number % 2 else 'no room'}: {ended}"] += 1
            if not is_good or left:
                found = check_site(folder / "site").findings or "another site than those built at first"
                print(
                    f"number {number}, {ended}: the site is good: {is_good} ({found}); left behind: {left}", flush=True
                )
            if number % 20 == 19:
                print(f"{number + 1}: {dict(ends)}; {wrong} wrong", flush=True)
        again = [digest(build_site(bundle, folder / f"again-{at}").folder) for at, bundle in enumerate(bundles)]
    print(f"{dict(ends)}; {wrong} wrong; built again as at first: {again == good}")
    raise SystemExit(bool(wrong) or again != good)


if __name__ == "__main__":
    main()
