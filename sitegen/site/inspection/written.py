"""What a site carries for those who inspect it: record of the build, bill of materials, security page, in this order.

The last two describe the files that are there when they are written, so they come last, before the manifest.
"""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from sitegen.bundle import Bundle
from sitegen.site.engines.files import EngineFiles
from sitegen.site.inspection.bill_of_materials import ShippedFiles, bill_of_materials
from sitegen.site.inspection.build_record import build_record
from sitegen.site.inspection.security_page import TITLE, UPDATES, UPDATES_WHEN_SERVED, security_text
from sitegen.site.integrity.site_files import BILL_OF_MATERIALS, BUILD_RECORD, SECURITY_PAGE
from sitegen.site.options import SiteOptions
from sitegen.site.packing import PackedAsset
from sitegen.site.page import render_document
from sitegen.site.serving.offline import SERVICE_WORKER


def write_inspection_files(
    folder: Path,
    engines: EngineFiles,
    lock: str,
    assets: Sequence[PackedAsset],
    bundles: Sequence[tuple[Bundle, Sequence[str]]],
    options: SiteOptions | None = None,
) -> None:
    """Write build.json, sbom.json and security.html into a site whose other files are written.

    `lock` is Pyodide's; each bundle comes with the names of the assets that hold its files.
    """
    record = build_record([bundle for bundle, _ in bundles], options)
    (folder / BUILD_RECORD).write_text(record, encoding="utf-8", newline="\n")
    hashes = {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    shipped = ShippedFiles(hashes, {asset.name: list(asset.scripts) for asset in assets})
    wheels = {wheel.name: wheel.licence for wheel in options.wheels} if options else {}
    bill = bill_of_materials(shipped, engines, lock, bundles, wheels)
    (folder / BILL_OF_MATERIALS).write_text(bill, encoding="utf-8", newline="\n")
    contact = options.contact if options else ""
    updates = UPDATES_WHEN_SERVED if (folder / SERVICE_WORKER).is_file() else UPDATES
    added = options.wheels if options else ()
    text = security_text(folder, [each for each, _ in bundles], contact=contact, updates=updates, wheels=added)
    page = render_document(TITLE, text, "index.html", options)
    (folder / SECURITY_PAGE).write_text(page, encoding="utf-8", newline="\n")
