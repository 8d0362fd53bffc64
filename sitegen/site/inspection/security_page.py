"""The page for those who must approve a site: the policy, what it does not stop, all files, and how to check them.

The policy is read from the index that was built, so that what is shown is what holds.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import unescape
from pathlib import Path

from sitegen import __version__
from sitegen.bundle import Bundle, Description
from sitegen.site.inspection.ways_out import TRIED, rows
from sitegen.site.integrity.checksums import POWERSHELL_LINE, SHELL_LINE
from sitegen.site.prose import plain
from sitegen.site.python.extra_wheels import ExtraWheel
from sitegen.site.templating import render

TITLE = "Security"
MEANINGS: Mapping[str, str] = {
    "default-src": "what no other line allows is forbidden",
    "script-src": "only scripts of this folder, and the program in the page by its hash; WebAssembly may be compiled,"
    " but no text be run as a program",
    "style-src": "only the styles in the page, by their hash",
    "img-src": "only images that are in the page itself, or that it makes",
    "worker-src": "the worker, which computes everything, is made by the page or is a file of this folder",
    "connect-src": "where scripts may connect to: `'none'` is nowhere, `'self'` the place that the page came from",
    "manifest-src": "only a description for installing it that is part of this folder",
    "form-action": "no form can be sent",
    "base-uri": "addresses cannot be bent to lead elsewhere",
}
_OTHER = "see the standard, Content Security Policy Level 3"
UPDATES = "This folder does not update itself: it stays as it is until somebody replaces it."
UPDATES_WHEN_SERVED = (
    f"{UPDATES} Where it is served, and the browser allows it, `service_worker.js` keeps the whole site in the "
    "browser, checks every file against the manifest, and looks whether the same place serves another version; it "
    "offers that with a button, calls a step back one, takes no version of which a page lacks the policy, and never "
    'mixes two. "Stay with this one" keeps a browser at its version. '
    "The page's policy does not bind this one script: it fetches "
    "files of the site's own manifest, from where the site came from, and nothing else. What the host gives to a first "
    "visit, or with another `service_worker.js`, is the host's word. `sitegen build --no-service-worker` leaves it out."
)


_KEPT_WHEN_SERVED = (
    "- *The page itself*: where it is served, `service_worker.js` keeps the site's own files in the browser, so that "
    "it opens without its server. No image is given to it.\n"
)


def policy_of(html: str) -> str:
    """Return the content-security policy that a page carries. Raises ValueError where it carries none, or several."""
    found = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
    if len(found) != 1:
        raise ValueError(f"the page has {len(found)} policies, not 1")
    return unescape(found[0])


def security_text(
    folder: Path,
    bundles: Sequence[Bundle],
    *,
    contact: str = "",
    updates: str = UPDATES,
    wheels: Sequence[ExtraWheel] = (),
) -> str:
    """Return the page as Markdown, from the files that are in the folder of a site.

    `contact` (Markdown) says whom to ask, `updates` how an open page meets a new version; both have defaults. `wheels`
    are packages that the site's owner added to the page's Python.
    """
    index = (folder / "index.html").read_text("utf-8")
    policy = policy_of(index)
    directives = [part.split(maxsplit=1)[0] for part in policy.split(";")]
    return render(
        "security.md.j2",
        escape=False,  # Markdown, whose HTML is shown as text
        version=__version__,
        models="; ".join(_named(bundle.description) for bundle in bundles),
        policy="\n".join(f"    {part.strip()};" for part in policy.split(";")),
        directives=[(name, MEANINGS.get(name, _OTHER)) for name in directives],
        shell=SHELL_LINE,
        powershell=POWERSHELL_LINE,
        updates=updates,
        tried=TRIED,
        ways_out=rows(),
        keeps_list='"keeps_list": true' in index,
        kept=_KEPT_WHEN_SERVED if updates == UPDATES_WHEN_SERVED else "",
        contact=contact,
        added=[_added(wheel) for wheel in wheels],
        files=[_row(folder, path) for path in sorted(folder.rglob("*")) if path.is_file()],
    )


def _named(description: Description) -> str:
    return plain(f"{description.title} ({description.name} {description.version})")


def _added(wheel: ExtraWheel) -> dict[str, str]:
    named = plain(f"{wheel.name} {wheel.version}")
    return {"name": named, "file": plain(wheel.file), "sha256": sha256(wheel.content).hexdigest()}


def _row(folder: Path, path: Path) -> dict[str, str]:
    content = path.read_bytes()
    name = plain(path.relative_to(folder).as_posix())
    return {"name": name, "bytes": f"{len(content):,}", "sha256": sha256(content).hexdigest()}
